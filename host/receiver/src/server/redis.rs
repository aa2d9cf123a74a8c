//! Access tokens where several receivers share them.

use std::collections::HashSet;

use ::redis::Value;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal_core::UnixTime;

use super::{Grant, TokenStore};
use crate::replay::{RedisStore, SKEW, StoreError, begin};

/// How many tokens are asked for at once: some 40 KiB.
const PAGE: isize = 500;

/// From when and until when, by which key and whose.
type Kept = (u64, u64, [u8; 32], String);

/// Beside the tokens there is a list of them: of each when it was given, who holds it and its SHA-256. All have one score, so
/// that they are in the order of their bytes, and an answer has no more of them than were asked for.
impl TokenStore for RedisStore {
    fn keep(&self, token: [u8; 32], grant: &Grant) -> Result<(), StoreError> {
        let (issued, expires) = (grant.issued.as_secs(), grant.expires.as_secs());
        let left = expires.saturating_sub(issued).max(1);
        let kept: Kept = (issued, expires, grant.key, grant.client_id.clone());
        // Numbers and texts are always JSON.
        let value = serde_json::to_string(&kept).unwrap_or_default();
        let (key, all) = (key(self, &token), self.named("tokens"));
        let entry = [&issued.to_be_bytes()[..], &grant.holder(), &token].concat();
        let ended = before(issued.saturating_sub(left).saturating_sub(SKEW));
        let (.., begins): (Value, Value, Value, Value, Value, u64) =
            self.run(|commands, run| {
                commands.set_ex(&key, &value, left).zadd(&all, &entry, 0);
                commands.zrembylex(&all, "-", &ended);
                commands.expire(&all, left.try_into().unwrap_or(i64::MAX));
                begin(commands, run, issued);
                commands.get(run);
            })?;
        // Nobody is given a token that is none.
        let is_one = begins < issued;
        let why = "its memory began a moment ago";
        is_one.then_some(()).ok_or(StoreError::Unfit(why))
    }

    fn find(&self, token: &[u8; 32], now: UnixTime) -> Result<Option<Grant>, StoreError> {
        let key = key(self, token);
        let (found, begins): (Option<String>, Option<u64>) = self.run(|commands, run| {
            commands.get(&key).get(run);
        })?;
        let found = found.as_deref().and_then(|value| {
            let (issued, expires, key, client_id): Kept = serde_json::from_str(value).ok()?;
            Some(Grant {
                client_id,
                key,
                issued: UnixTime::from_secs(issued).ok()?,
                expires: UnixTime::from_secs(expires).ok()?,
            })
        });
        // What a server that was restarted has loaded may be older than what became void.
        let begins = begins.unwrap_or(u64::MAX);
        Ok(found.filter(|grant| now < grant.expires && begins < grant.issued.as_secs()))
    }

    fn retain(&self, holders: &HashSet<[u8; 32]>, until: UnixTime) -> Result<(), StoreError> {
        let all = self.named("tokens");
        let (mut start, end) = (b"-".to_vec(), before(until.as_secs().saturating_add(1)));
        loop {
            let (page,): (Vec<Vec<u8>>,) = self.run(|commands, _| {
                commands.zrangebylex_limit(&all, &start, &end, 0, PAGE);
            })?;
            let out = page.iter().filter_map(|entry| {
                let (holder, token) = entry.get(8..)?.split_at_checked(32)?;
                (!holders.contains(holder)).then(|| (key(self, token), &**entry))
            });
            // Also where there is none: that nothing may be removed is said at the start, and not when something is to be.
            let none = [(key(self, &[]), &[][..])];
            let (keys, entries): (Vec<_>, Vec<_>) = none.into_iter().chain(out).unzip();
            // The list is what a store that did not remove one is told again by.
            self.run::<(u64,)>(|commands, _| _ = commands.del(&keys))?;
            self.run::<(u64,)>(|commands, _| _ = commands.zrem(&all, &entries))?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            start = [b"(", &**last].concat();
        }
    }
}

fn key(store: &RedisStore, token: &[u8]) -> String {
    let token = Base64UrlUnpadded::encode_string(token);
    store.named(&format!("token:{token}"))
}

/// The end of a range of the list: what was given before.
fn before(moment: u64) -> Vec<u8> {
    [b"(", &moment.to_be_bytes()[..]].concat()
}
