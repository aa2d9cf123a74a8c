//! Access tokens where several receivers share them.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal_core::UnixTime;
use redis::Value;

use super::{Grant, TokenStore};
use crate::replay::{RedisStore, StoreError};

/// From when and until when, by which key and whose.
type Kept = (u64, u64, [u8; 32], String);

impl TokenStore for RedisStore {
    fn keep(&self, token: [u8; 32], grant: &Grant) -> Result<(), StoreError> {
        let (issued, expires) = (grant.issued.as_secs(), grant.expires.as_secs());
        let kept: Kept = (issued, expires, grant.key, grant.client_id.clone());
        // Numbers and texts are always JSON.
        let value = serde_json::to_string(&kept).unwrap_or_default();
        let (key, left) = (key(self, &token), expires.saturating_sub(issued).max(1));
        self.run::<(Value,)>(|commands, _| _ = commands.set_ex(&key, &value, left))?;
        Ok(())
    }

    fn find(&self, token: &[u8; 32], now: UnixTime) -> Result<Option<Grant>, StoreError> {
        let key = key(self, token);
        let (found,): (Option<String>,) = self.run(|commands, _| _ = commands.get(&key))?;
        let found = found.as_deref().and_then(|value| {
            let (issued, expires, key, client_id): Kept = serde_json::from_str(value).ok()?;
            Some(Grant {
                client_id,
                key,
                issued: UnixTime::from_secs(issued).ok()?,
                expires: UnixTime::from_secs(expires).ok()?,
            })
        });
        Ok(found.filter(|grant| now < grant.expires))
    }
}

fn key(store: &RedisStore, token: &[u8; 32]) -> String {
    let token = Base64UrlUnpadded::encode_string(token);
    store.named(&format!("token:{token}"))
}
