//! Access tokens where several receivers share them.

use std::collections::HashSet;

use ::redis::Value;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal_core::UnixTime;

use super::{Grant, TokenStore};
use crate::replay::{RedisStore, SKEW, StoreError, begin};

/// How many holders of tokens are asked for at once: some 40 KiB.
const PAGE: usize = 500;

/// To the commands of [`TokenStore::keep`].
type Kept = (Value, Value, Value, Option<u64>, Value, u64);

impl TokenStore for RedisStore {
    fn keep(&self, token: [u8; 32], grant: &Grant) -> Result<(), StoreError> {
        let (issued, expires) = (grant.issued.as_secs(), grant.expires.as_secs());
        let key_digest = Base64UrlUnpadded::encode_string(&grant.key);
        let value = format!("{issued} {expires} {key_digest} {}", grant.client_id);
        let key = self.key("token", &token);
        let left = expires.saturating_sub(issued).max(1);
        let (holders, void) = (self.named("holders"), self.key("void", &grant.holder()));
        let member = Base64UrlUnpadded::encode_string(&grant.holder());
        let (_, _, _, void_until, _, begins): Kept = self.run(|commands, run| {
            // Until when each has a token.
            commands.cmd("ZADD").arg(&holders).arg("GT").arg(expires);
            commands.arg(&member);
            commands.cmd("SET").arg(&key).arg(&value);
            commands.arg("EX").arg(left);
            let ended = issued.saturating_sub(SKEW);
            commands.cmd("ZREMRANGEBYSCORE").arg(&holders).arg(0);
            commands.arg(ended).get(&void);
            begin(commands, run, issued);
            commands.get(run);
        })?;
        // Nobody is given a token that is none.
        if issued <= void_until.unwrap_or_default().max(begins) {
            let why = "its memory began, or what the client held became void, a moment ago";
            return Err(StoreError::Unfit(why));
        }
        Ok(())
    }

    fn find(&self, token: &[u8; 32], now: UnixTime) -> Result<Option<Grant>, StoreError> {
        let key = self.key("token", token);
        let (found, begins): (Option<String>, Option<u64>) = self.run(|commands, run| {
            commands.get(&key).get(run);
        })?;
        let grant = found.as_deref().and_then(|value| {
            let mut parts = value.splitn(4, ' ');
            let mut moment = || UnixTime::from_secs(parts.next()?.parse().ok()?).ok();
            Some(Grant {
                issued: moment()?,
                expires: moment()?,
                key: Base64UrlUnpadded::decode_vec(parts.next()?)
                    .ok()?
                    .try_into()
                    .ok()?,
                client_id: parts.next()?.to_owned(),
            })
        });
        let Some(grant) = grant.filter(|grant: &Grant| now < grant.expires) else {
            return Ok(None);
        };
        let void = self.key("void", &grant.holder());
        let (until,): (Option<u64>,) = self.run(|commands, _| {
            commands.get(&void);
        })?;
        // What a server that was restarted has loaded may be older than what became void.
        let begins = begins.unwrap_or(u64::MAX);
        let is_void = grant.issued.as_secs() <= until.unwrap_or_default().max(begins);
        Ok(Some(grant).filter(|_| !is_void))
    }

    /// Up to when the tokens of a client are void stands beside them, as long as it has one.
    fn retain(&self, holders: &HashSet<[u8; 32]>, now: UnixTime) -> Result<(), StoreError> {
        let stay = holders
            .iter()
            .map(|it| Base64UrlUnpadded::encode_string(it));
        let stay: HashSet<_> = stay.collect();
        let (all, now) = (self.named("holders"), now.as_secs());
        let mut cursor = "0".to_owned();
        loop {
            type Page = (String, Vec<(String, u64)>);
            let ((next, page),): (Page,) = self.run(|commands, _| {
                commands.cmd("ZSCAN").arg(&all).arg(&cursor);
                commands.arg("COUNT").arg(PAGE);
            })?;
            let gone = || page.iter().filter(|(holder, _)| !stay.contains(holder));
            let _: Vec<Value> = self.run(|marks, _| {
                for (holder, expires) in gone() {
                    let left = expires.saturating_sub(now).saturating_add(SKEW);
                    let mark = marks.cmd("SET").arg(self.named(&format!("void:{holder}")));
                    mark.arg(now.saturating_add(SKEW))
                        .arg("EX")
                        .arg(left.max(1));
                }
            })?;
            if next == "0" {
                return Ok(());
            }
            cursor = next;
        }
    }
}
