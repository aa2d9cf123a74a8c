//! A JWK Set (RFC 7517 section 5): the public keys by which a token is verified.

use std::path::Path;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use privyseal_check::KnownKey;
use privyseal_check::json::JsonError;
use privyseal_core::cert::Certificate;
use privyseal_core::jws::Algorithm;
use privyseal_core::kid::KidBuf;
use privyseal_core::rsa::KeyError;
use privyseal_core::{KeyEncryption, RsaPublicKey};
use serde_json::Value;

use super::JwkError;
use crate::base::file;
use crate::jose::jws::unique_members;

/// The keys of a JWK Set that may have made an RS256 signature, or those to which something may be encrypted.
///
/// Others are left out, as RFC 7517 section 5 has it: those of another type, those whose `use`, `key_ops` or
/// `alg` (sections 4.2 to 4.4) say something else, and those that are malformed.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<Jwk>);

#[derive(Clone, Debug)]
struct Jwk {
    kid: Option<String>,
    x5t_s256: Option<String>,
    /// The only algorithm that it is for.
    key: Result<RsaPublicKey, KeyError>,
}

/// Why JSON is no set of public keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// Not JSON, or one that two readers may read differently.
    #[error("the key set is not JSON whose members are there once")]
    NotJson,
    /// Not JSON, and from where on.
    #[error("the key set {0}")]
    Json(JsonError),
    /// JSON of another shape.
    #[error("the JSON is neither a JWK Set nor a JWK (RFC 7517 sections 4 and 5)")]
    OtherShape,
    /// A key has its private half, or is a secret.
    #[error("the key set holds a private or secret key; only public keys belong into a key set")]
    Private,
    /// No RSA key in it can be read.
    #[error(
        "the key set has an RSA key without n or e in base64url (RFC 7518 section 6.3.1), and no good one"
    )]
    NoNumbers,
    /// Each key for that is one that is not used here.
    #[error("no key of the key set that is for this can be used ({0})")]
    Unfit(KeyError),
}

impl KeySet {
    /// Reads a file with a JWK Set or with one JWK, of 1 MiB at most.
    ///
    /// # Errors
    ///
    /// [`JwkError::File`] and [`JwkError::Content`], which name the file.
    pub fn from_file(path: &Path) -> Result<Self, JwkError> {
        let content = file::read(path, file::MAX_FILE)?;
        Self::from_bytes(&content).map_err(|error| JwkError::Content {
            path: path.to_owned(),
            error,
        })
    }

    /// Reads the JSON of a JWK Set or of one JWK.
    ///
    /// # Errors
    ///
    /// [`KeySetError`] if it is neither, if a private key is in it, or if no RSA key in it can be read.
    pub fn from_bytes(content: &[u8]) -> Result<Self, KeySetError> {
        Self::read(content, Self::is_for_rs256)
    }

    /// The same, of the keys to which a content key may be encrypted with `algorithm`.
    pub(crate) fn for_encryption(
        content: &[u8],
        algorithm: KeyEncryption,
    ) -> Result<Self, KeySetError> {
        Self::read(content, |key| is_for_one_of(key, &[algorithm]))
    }

    /// Whether a key may make RS256 signatures, as far as it says what it is for.
    pub(crate) fn is_for_rs256(key: &Value) -> bool {
        is_for(key, "sig", &[Algorithm::Rs256.name()], &["verify"])
    }

    /// Whether a content key may be encrypted to it with RSA-OAEP, as far as it says what it is for.
    pub(crate) fn is_for_encryption(key: &Value) -> bool {
        is_for_one_of(key, &KeyEncryption::ALL)
    }

    /// Whether it is an RSA key of which one of both holds, and that can be used.
    pub(crate) fn is_usable(key: &Value) -> bool {
        let is_for_us = Self::is_for_rs256(key) || Self::is_for_encryption(key);
        let jwk = Jwk::read(key).filter(|_| is_for_us && is(key, "kty", "RSA"));
        jwk.is_some_and(|jwk| jwk.key.is_ok())
    }

    /// The JSON of a set.
    pub(crate) fn json(content: &[u8]) -> Result<Value, KeySetError> {
        // RFC 8259 section 8.1 allows that; editors write it.
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        unique_members(content).map_err(|_| {
            let text = core::str::from_utf8(content).unwrap_or_default();
            let error = privyseal_check::json::Value::parse(text).err();
            error.map_or(KeySetError::NotJson, KeySetError::Json)
        })
    }

    /// The keys of a set of public keys, as they stand there.
    pub(crate) fn members(content: &[u8]) -> Result<Vec<Value>, KeySetError> {
        Self::from_bytes(content)?;
        match Self::json(content)?["keys"].take() {
            Value::Array(keys) => Ok(keys),
            _ => Err(KeySetError::OtherShape),
        }
    }

    fn read(content: &[u8], is_wanted: impl Fn(&Value) -> bool) -> Result<Self, KeySetError> {
        let value = Self::json(content)?;
        let keys = match (value.get("keys"), value.get("kty")) {
            (Some(Value::Array(keys)), _) => keys,
            (None, Some(_)) => std::slice::from_ref(&value),
            _ => return Err(KeySetError::OtherShape),
        };
        if keys
            .iter()
            .any(|key| key.get("d").is_some() || key.get("k").is_some())
        {
            return Err(KeySetError::Private);
        }
        let rsa = || keys.iter().filter(|key| is(key, "kty", "RSA"));
        if rsa().next().is_some() && rsa().all(|key| Jwk::read(key).is_none()) {
            return Err(KeySetError::NoNumbers);
        }
        Ok(Self(
            rsa()
                .filter(|key| is_wanted(key))
                .filter_map(Jwk::read)
                .collect(),
        ))
    }

    /// Each key, or why it cannot be used, with its `kid`.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&str>, &Result<RsaPublicKey, KeyError>)> {
        self.0.iter().map(|jwk| (jwk.kid.as_deref(), &jwk.key))
    }

    /// The keys as `privyseal-check` wants them.
    pub fn known_keys(&self) -> Vec<KnownKey<'_>> {
        let keys = self.0.iter().map(|jwk| KnownKey {
            kid: jwk.kid.as_deref(),
            x5t_s256: jwk.x5t_s256.as_deref(),
            key: jwk.key.clone(),
        });
        keys.collect()
    }
}

impl Jwk {
    fn read(key: &Value) -> Option<Self> {
        let number = |name| Base64UrlUnpadded::decode_vec(key.get(name)?.as_str()?).ok();
        let text = |name| key.get(name).and_then(Value::as_str).map(str::to_owned);
        let public = RsaPublicKey::from_components(&number("n")?, &number("e")?);
        Some(Self {
            kid: text("kid"),
            x5t_s256: text("x5t#S256").or_else(|| certificate_digest(key, public.as_ref().ok()?)),
            key: public,
        })
    }
}

fn is_for_one_of(key: &Value, algorithms: &[KeyEncryption]) -> bool {
    let names: Vec<_> = algorithms.iter().map(|it| it.name()).collect();
    is_for(key, "enc", &names, &["encrypt", "wrapKey"])
}

/// Nothing says that it is for something else.
fn is_for(key: &Value, usage: &str, algorithms: &[&str], operations: &[&str]) -> bool {
    let any_of = |name: &str, names: &[&str]| names.iter().any(|it| is(key, name, it));
    let absent_or = |name: &str, names: &[&str]| key.get(name).is_none() || any_of(name, names);
    let given = key.get("key_ops").map(Value::as_array);
    absent_or("use", &[usage])
        && absent_or("alg", algorithms)
        && given.is_none_or(|list| {
            let has =
                |operation: &&str| list.is_some_and(|list| list.contains(&(*operation).into()));
            operations.iter().any(has)
        })
}

/// Of the first certificate in `x5c`, if it is for that key (RFC 7517 section 4.7).
fn certificate_digest(jwk: &Value, public: &RsaPublicKey) -> Option<String> {
    let der = Base64::decode_vec(jwk.get("x5c")?.get(0)?.as_str()?).ok()?;
    let key = Certificate::from_der(&der).ok()?.rsa_key().ok()?;
    let digest = KidBuf::certificate_digest(&der);
    (key == *public).then(|| digest.as_kid().as_str().to_owned())
}

fn is(key: &Value, name: &str, value: &str) -> bool {
    key.get(name).is_some_and(|found| found == value)
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
    fn what_is_no_json_says_where_and_a_byte_order_mark_does_not_count() {
        assert!(KeySet::from_bytes(b"\xef\xbb\xbf{\"keys\":[]}").is_ok());
        for (set, words) in [
            (&b"{\"keys\":[}"[..], "byte 9 should be a value"),
            (b"{\"kty\":\"\\ud800\"}", "half of a surrogate pair"),
            (b"{\"kty\":1e999}", "is not JSON"),
            (b"{\"keys\":[],\"keys\":[]}", "whose members are there once"),
        ] {
            let error = KeySet::from_bytes(set).unwrap_err().to_string();
            assert!(
                error.starts_with("the key set ") && error.contains(words),
                "{error}"
            );
        }
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
            key(r#""kid":"e","key_ops":["decrypt"]"#),
            key(r#""kid":"f","key_ops":"verify""#),
            key(r#""kid":"g","key_ops":["sign","verify"]"#),
        ];
        let set = format!(r#"{{"keys":[{}]}}"#, set.join(","));
        let set = KeySet::from_bytes(set.as_bytes()).unwrap();
        let kids: Vec<_> = set.iter().map(|(kid, _)| kid).collect();
        assert_eq!(kids, [Some("a"), Some("d"), Some("g")]);
        assert_eq!(set.known_keys().len(), 3);
    }

    /// RFC 7517 section 5: implementations ignore keys that they do not understand.
    #[test]
    fn a_bad_key_does_not_spoil_a_good_one() {
        let n = Base64UrlUnpadded::encode_string(&[0xc3; 256]);
        let set = format!(
            r#"{{"keys":[{{"kty":"RSA","n":"?","e":"AQAB"}},{{"kty":1}},7,
                {{"kty":"RSA","kid":"a","n":"{n}","e":"AQAB"}}]}}"#
        );
        let set = KeySet::from_bytes(set.as_bytes()).unwrap();
        let kids: Vec<_> = set.iter().map(|(kid, _)| kid).collect();
        assert_eq!(kids, [Some("a")]);
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
            let error = error.to_string();
            assert!(error.contains(reason), "{content}: {error}");
        }
    }
}
