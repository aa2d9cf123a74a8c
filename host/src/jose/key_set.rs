//! A JWK Set (RFC 7517 section 5): the public keys by which a token is verified.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use base64ct::{Base64UrlUnpadded, Encoding};
use privyseal_check::KnownKey;
use privyseal_core::RsaPublicKey;
use privyseal_core::jws::Algorithm;
use privyseal_core::rsa::KeyError;
use serde_json::Value;

use crate::error::Error;

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// The RSA keys of a JWK Set. Keys of other types are left out: no scheme signs with them.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<Jwk>);

#[derive(Clone, Debug)]
struct Jwk {
    kid: Option<String>,
    key: Result<RsaPublicKey, KeyError>,
    is_for_rs256: bool,
}

impl KeySet {
    /// Reads a file with a JWK Set or with one JWK. A private key in it is refused.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let path = || path.to_owned();
        let failed = |source| Error::File {
            path: path(),
            source,
        };
        let mut content = Vec::new();
        let file = File::open(path()).map_err(failed)?;
        file.take(MAX_FILE)
            .read_to_end(&mut content)
            .map_err(failed)?;
        Self::from_bytes(&content).map_err(|reason| Error::FileContent {
            path: path(),
            reason: reason.to_owned(),
        })
    }

    /// Reads what [`KeySet::from_file`] reads; the error is a clause about the file.
    pub fn from_bytes(content: &[u8]) -> Result<Self, &'static str> {
        let value: Value = serde_json::from_slice(content).map_err(|_| "is not JSON")?;
        let one = std::slice::from_ref(&value);
        let keys = match (value.get("keys"), value.get("kty")) {
            (Some(Value::Array(keys)), _) => keys,
            (None, Some(_)) => one,
            _ => return Err("is neither a JWK Set nor a JWK (RFC 7517 sections 4 and 5)"),
        };
        if keys
            .iter()
            .any(|key| key.get("d").is_some() || key.get("k").is_some())
        {
            return Err("holds a private or secret key; only public keys belong into a key set");
        }
        let rsa = keys
            .iter()
            .filter(|key| key.get("kty").is_some_and(|kty| kty == "RSA"));
        let keys = rsa.map(Jwk::read).collect::<Option<_>>();
        keys.map(Self)
            .ok_or("has an RSA key without n or e in base64url (RFC 7518 section 6.3.1)")
    }

    /// The keys that may have made an RS256 signature: those whose `use` and `alg` say nothing else (RFC
    /// 7517 sections 4.2 and 4.4).
    pub fn rs256_keys(
        &self,
    ) -> impl Iterator<Item = (Option<&str>, &Result<RsaPublicKey, KeyError>)> {
        let keys = self.0.iter().filter(|jwk| jwk.is_for_rs256);
        keys.map(|jwk| (jwk.kid.as_deref(), &jwk.key))
    }

    /// The keys as the core wants them.
    pub fn known_keys(&self) -> Vec<KnownKey<'_>> {
        self.0
            .iter()
            .map(|jwk| KnownKey {
                kid: jwk.kid.as_deref(),
                key: jwk.key.clone(),
            })
            .collect()
    }
}

impl Jwk {
    fn read(key: &Value) -> Option<Self> {
        let number = |name| Base64UrlUnpadded::decode_vec(key.get(name)?.as_str()?).ok();
        let absent_or = |name, value: &str| key.get(name).is_none_or(|found| found == value);
        Some(Self {
            is_for_rs256: absent_or("use", "sig") && absent_or("alg", Algorithm::Rs256.name()),
            kid: key.get("kid").and_then(Value::as_str).map(str::to_owned),
            key: RsaPublicKey::from_components(&number("n")?, &number("e")?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rsa_keys_are_read_and_others_left_out() {
        let n = Base64UrlUnpadded::encode_string(&[0xc3; 256]);
        let small = Base64UrlUnpadded::encode_string(&[0xc3; 128]);
        let set = format!(
            r#"{{"keys":[{{"kty":"EC","kid":"enc"}},{{"kty":"RSA","kid":"a","n":"{n}","e":"AQAB"}},
                {{"kty":"RSA","n":"{small}","e":"AQAB"}}]}}"#
        );
        let set = KeySet::from_bytes(set.as_bytes()).unwrap();
        let keys = set.known_keys();
        assert_eq!(keys.len(), 2);
        assert_eq!(keys[0].kid, Some("a"));
        assert_eq!(keys[0].key.as_ref().unwrap().bits(), 2048);
        assert_eq!(keys[1].kid, None);
        assert_eq!(keys[1].key, Err(KeyError::Size { bits: 1024 }));
        let one = format!(r#"{{"kty":"RSA","kid":"a","n":"{n}","e":"AQAB"}}"#);
        assert_eq!(
            KeySet::from_bytes(one.as_bytes())
                .unwrap()
                .known_keys()
                .len(),
            1
        );
    }

    #[test]
    fn a_key_for_something_else_made_no_signature() {
        let n = Base64UrlUnpadded::encode_string(&[0xc3; 256]);
        let key = |more: &str| format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB",{more}}}"#);
        let set = [
            key(r#""kid":"a","use":"sig","alg":"RS256""#),
            key(r#""kid":"b","use":"enc","alg":"RSA-OAEP""#),
            key(r#""kid":"c","use":"sig","alg":"PS256""#),
            key(r#""kid":"d""#),
        ];
        let set = format!(r#"{{"keys":[{}]}}"#, set.join(","));
        let set = KeySet::from_bytes(set.as_bytes()).unwrap();
        let kids: Vec<_> = set.rs256_keys().map(|(kid, _)| kid).collect();
        assert_eq!(kids, [Some("a"), Some("d")]);
        assert_eq!(set.known_keys().len(), 4);
    }

    #[test]
    fn what_is_no_key_set_says_why() {
        for (content, reason) in [
            ("", "not JSON"),
            ("[]", "neither"),
            (r#"{"keys":1}"#, "neither"),
            (r#"{"keys":[{"kty":"RSA","n":"AQ"}]}"#, "without n or e"),
            (
                r#"{"keys":[{"kty":"RSA","n":"?","e":"AQAB"}]}"#,
                "without n or e",
            ),
            (r#"{"kty":"RSA","n":"AQ","e":"AQAB","d":"AQ"}"#, "private"),
            (r#"{"kty":"oct","k":"AQ"}"#, "private or secret"),
        ] {
            let error = KeySet::from_bytes(content.as_bytes()).unwrap_err();
            assert!(error.contains(reason), "{content}: {error}");
        }
    }
}
