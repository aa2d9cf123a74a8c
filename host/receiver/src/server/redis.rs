//! Access tokens where several receivers share them.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal_core::UnixTime;

use super::{Grant, TokenStore};
use crate::replay::{RedisStore, StoreError};

impl TokenStore for RedisStore {
    fn keep(&self, token: [u8; 32], grant: &Grant) -> Result<(), StoreError> {
        let (issued, expires) = (grant.issued.as_secs(), grant.expires.as_secs());
        let key_digest = Base64UrlUnpadded::encode_string(&grant.key);
        let value = format!("{issued} {expires} {key_digest} {}", grant.client_id);
        let key = self.key("token", &token);
        let left = expires.saturating_sub(issued).max(1);
        let ((),) = self.run(move |_| {
            let mut commands = ::redis::pipe();
            commands.cmd("SET").arg(&key).arg(&value);
            commands.arg("EX").arg(left);
            commands
        })?;
        Ok(())
    }

    fn find(&self, token: &[u8; 32], now: UnixTime) -> Result<Option<Grant>, StoreError> {
        let key = self.key("token", token);
        let (found,): (Option<String>,) = self.run(move |_| {
            let mut commands = ::redis::pipe();
            commands.get(&key);
            commands
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
        Ok(grant.filter(|grant| now < grant.expires))
    }
}
