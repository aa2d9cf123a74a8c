//! Logins to the tokens of all profiles: one at a time for each token, and none with a PIN that was refused.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use privyseal::keys::key::KeyUri;

use crate::problem::Problem;

/// What became of the last login to a token, where its PIN was refused.
pub(crate) type Login = Arc<Mutex<Option<Problem>>>;

/// One for each token that a profile names.
#[derive(Debug, Default)]
pub(crate) struct Logins(Mutex<BTreeMap<String, Login>>);

impl Logins {
    /// Those of these keys, each once and in an order that all who take several keep to.
    pub(crate) fn of(&self, keys: &[KeyUri]) -> Vec<Login> {
        let mut logins = lock(&self.0);
        let mut tokens: Vec<_> = keys.iter().map(|key| token_of(&key.to_string())).collect();
        tokens.sort();
        tokens.dedup();
        let login = |token: String| Arc::clone(logins.entry(token).or_default());
        tokens.into_iter().map(login).collect()
    }

    /// Somebody says that it is mended.
    pub(crate) fn forget(&self) {
        lock(&self.0).clear();
    }
}

// Changed as a whole: a panic leaves one state or the other.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A key's URI without what names the key: its module, its token, and where the PIN comes from.
fn token_of(uri: &str) -> String {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let (scheme, path) = path.split_once(':').unwrap_or(("", path));
    let of_the_key = ["object=", "id=", "type=", "key-id="];
    let mut parts: Vec<_> = path
        .split(';')
        .filter(|part| !of_the_key.iter().any(|name| part.starts_with(name)))
        .collect();
    parts.sort_unstable();
    format!("{scheme}:{}?{query}", parts.join(";"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_token_share_a_login() {
        let logins = Logins::default();
        let of = |uri: &str| logins.of(&[uri.parse().unwrap()]).remove(0);
        let first = of("pkcs11:token=T;object=a?module-path=/m.so&pin-source=/p");
        for (uri, is_same) in [
            (
                "pkcs11:object=b;id=%01;token=T?module-path=/m.so&pin-source=/p",
                true,
            ),
            (
                "pkcs11:token=U;object=a?module-path=/m.so&pin-source=/p",
                false,
            ),
            (
                "pkcs11:token=T;object=a?module-path=/m.so&pin-source=/q",
                false,
            ),
        ] {
            assert_eq!(Arc::ptr_eq(&of(uri), &first), is_same, "{uri}");
        }
    }
}
