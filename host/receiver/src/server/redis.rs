//! Access tokens where several receivers share them.

use std::collections::HashSet;

use ::redis::Value;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal_core::UnixTime;

use super::{Grant, TokenStore};
use crate::replay::{RedisStore, StoreError, begin};

/// How many holders of tokens are asked for at once: some 40 KiB.
const PAGE: usize = 500;

/// From when and until when, by which key, under which name and whose.
type Kept = (u64, u64, [u8; 32], String, String);

/// Each client with its key holds tokens under a name that is made for its first one, and of which there is another once they
/// became void: beside them, for as long as somebody has one.
impl TokenStore for RedisStore {
    fn keep(&self, token: [u8; 32], grant: &Grant) -> Result<(), StoreError> {
        let (issued, expires) = (grant.issued.as_secs(), grant.expires.as_secs());
        let left = expires.saturating_sub(issued).max(1);
        let (holders, holder) = (self.named("held"), encoded(&grant.holder()));
        let (_, held, _, _, begins): (Value, String, Value, Value, u64) =
            self.run(|commands, run| {
                commands.hset_nx(&holders, &holder, encoded(&token));
                commands.hget(&holders, &holder);
                commands.expire(&holders, left.try_into().unwrap_or(i64::MAX));
                begin(commands, run, issued);
                commands.get(run);
            })?;
        // Nobody is given a token that is none.
        if issued <= begins {
            return Err(StoreError::Unfit("its memory began a moment ago"));
        }
        let kept: Kept = (issued, expires, grant.key, held, grant.client_id.clone());
        // Numbers and texts are always JSON.
        let value = serde_json::to_string(&kept).unwrap_or_default();
        let key = self.key("token", &token);
        let (_, by): (Value, Option<String>) = self.run(|commands, _| {
            commands.set_ex(&key, &value, left).hget(&holders, &holder);
        })?;
        let is_held = by.is_some_and(|by| by == kept.3);
        let why = "what the client held became void a moment ago";
        is_held.then_some(()).ok_or(StoreError::Unfit(why))
    }

    fn find(&self, token: &[u8; 32], now: UnixTime) -> Result<Option<Grant>, StoreError> {
        let key = self.key("token", token);
        let (found, begins): (Option<String>, Option<u64>) = self.run(|commands, run| {
            commands.get(&key).get(run);
        })?;
        let found = found.as_deref().and_then(|value| {
            let (issued, expires, key, held, client_id): Kept = serde_json::from_str(value).ok()?;
            let grant = Grant {
                client_id,
                key,
                issued: UnixTime::from_secs(issued).ok()?,
                expires: UnixTime::from_secs(expires).ok()?,
            };
            Some((grant, held))
        });
        // What a server that was restarted has loaded may be older than what became void.
        let begins = begins.unwrap_or(u64::MAX);
        let is_good = |grant: &Grant| now < grant.expires && begins < grant.issued.as_secs();
        let Some((grant, held)) = found.filter(|(grant, _)| is_good(grant)) else {
            return Ok(None);
        };
        let (by,): (Option<String>,) = self.run(|commands, _| {
            commands.hget(self.named("held"), encoded(&grant.holder()));
        })?;
        Ok(Some(grant).filter(|_| by == Some(held)))
    }

    fn retain(&self, holders: &HashSet<[u8; 32]>) -> Result<(), StoreError> {
        let stay: HashSet<_> = holders.iter().map(encoded).collect();
        let all = self.named("held");
        let mut cursor = "0".to_owned();
        loop {
            type Page = (String, Vec<(String, String)>);
            let ((next, page),): (Page,) = self.run(|commands, _| {
                commands.cmd("HSCAN").arg(&all).arg(&cursor);
                commands.arg("COUNT").arg(PAGE);
            })?;
            let _: Vec<Value> = self.run(|commands, _| {
                for (holder, _) in page.iter().filter(|(holder, _)| !stay.contains(holder)) {
                    commands.hdel(&all, holder);
                }
            })?;
            if next == "0" {
                return Ok(());
            }
            cursor = next;
        }
    }
}

fn encoded(digest: &[u8; 32]) -> String {
    Base64UrlUnpadded::encode_string(digest)
}
