//! JWEs: the RFC's own, those of a JOSE library that no one here wrote, and what must be refused.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use std::fs;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal::jose::JoseFault;
use privyseal::jose::jwe::{ContentEncryption, DecryptError, Jwe, JweFault, MAX_JWE, Recipient};
use privyseal::jose::jwk::KidForm;
use privyseal_core::{KeyEncryption, Unwrapper};
use privyseal_test_base::scratch::fixture;
use privyseal_test_judges::node;
use privyseal_test_pki::{TestKey, test_key};
use privyseal_test_suite::software_unwrapper::SoftwareUnwrapper;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

const PAYLOADS: [&str; 4] = [
    "",
    "a",
    "exactly 16 bytes",
    "the claims of a person, signed",
];

fn decrypt(
    jwe: &str,
    key: &TestKey,
) -> Result<Vec<u8>, DecryptError<<SoftwareUnwrapper as Unwrapper>::Error>> {
    let mut unwrapper = SoftwareUnwrapper::new(key);
    let jwe = Jwe::parse(jwe).map_err(DecryptError::Jwe)?;
    let plain = jwe.decrypt(&mut unwrapper)?;
    assert_eq!(unwrapper.calls, 1);
    Ok(plain.to_vec())
}

#[track_caller]
fn is_refused(jwe: &str, key: &TestKey, expected: &JweFault) {
    match decrypt(jwe, key) {
        Err(DecryptError::Jwe(error)) => {
            assert_eq!(error.fault(), &JoseFault::Jwe(expected.clone()));
        }
        other => panic!("{other:?}, not {expected:?}"),
    }
}

fn jwk(key: &TestKey) -> Value {
    let key = key.private_key();
    json!({
        "kty": "RSA",
        "n": Base64UrlUnpadded::encode_string(&key.n_bytes()),
        "e": Base64UrlUnpadded::encode_string(&key.e_bytes()),
    })
}

/// All twelve combinations for keys of each size, opened by the npm package jose, and by the reader here.
#[test]
fn what_is_encrypted_here_others_open() {
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";
    for size in [2048, 3072] {
        let key = test_key("recipient", size);
        let mut jwes = Vec::new();
        let mut names = Vec::new();
        for algorithm in KeyEncryption::ALL {
            for content in ContentEncryption::ALL {
                let set = json!({"keys": [{"kty": "EC"}, {
                    "kty": "RSA", "use": "enc", "kid": "op-enc", "alg": algorithm.name(),
                    "n": jwk(&key)["n"], "e": jwk(&key)["e"],
                }]});
                let recipient = Recipient::of(set.to_string().as_bytes(), algorithm, content);
                let recipient = recipient.unwrap().unwrap();
                let jwe = recipient.encrypt(token).unwrap().to_string();
                assert_eq!(decrypt(&jwe, &key).unwrap(), token.as_bytes());
                jwes.push(jwe);
                names.push((algorithm.name(), content.name()));
            }
        }
        let opened = node::decrypt(&key.pkcs8_pem(), &jwes);
        assert_eq!(opened.len(), names.len());
        for (opened, (alg, enc)) in opened.iter().zip(names) {
            assert_eq!(opened["payload"], token);
            let header = json!({"alg": alg, "cty": "JWT", "enc": enc, "kid": "op-enc"});
            assert_eq!(opened["header"], header);
        }
    }
}

/// A key for something else is no recipient's; one that says nothing is for both algorithms.
#[test]
fn the_key_of_a_recipient() {
    let key = jwk(&test_key("recipient", 2048));
    let of = |more: &Value| {
        let mut jwk = key.clone();
        for (name, value) in more.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        let set = json!({ "keys": [jwk] }).to_string();
        KeyEncryption::ALL.map(|algorithm| {
            let recipient = Recipient::of(set.as_bytes(), algorithm, ContentEncryption::A256Gcm);
            recipient.unwrap().is_some()
        })
    };
    for (more, expected) in [
        (json!({}), [true, true]),
        (json!({"use": "enc", "key_ops": ["wrapKey"]}), [true, true]),
        (json!({"alg": "RSA-OAEP"}), [true, false]),
        (json!({"alg": "RSA-OAEP-256"}), [false, true]),
        (json!({"use": "sig"}), [false, false]),
        (json!({"alg": "RS256"}), [false, false]),
        (json!({"alg": "RSA1_5"}), [false, false]),
        (json!({"key_ops": ["verify"]}), [false, false]),
    ] {
        assert_eq!(of(&more), expected, "{more}");
    }
}

#[test]
fn the_example_of_rfc_7516() {
    let vector: Value =
        serde_json::from_slice(&fs::read(fixture("rfc7516-a1.json")).unwrap()).unwrap();
    let number = |name: &str| {
        let text = vector[name].as_str().unwrap();
        Base64UrlUnpadded::decode_vec(text).unwrap()
    };
    let key = TestKey::from_primes(&number("p"), &number("q"), &number("e"));
    assert_eq!(key.private_key().n_bytes().as_ref(), number("n"));
    let plain = decrypt(vector["jwe"].as_str().unwrap(), &key).unwrap();
    assert_eq!(plain, vector["plaintext"].as_str().unwrap().as_bytes());
}

/// All twelve combinations, made by the npm package jose.
#[test]
fn what_another_library_encrypts() {
    let key = test_key("decryption", 2048);
    let mut headers = Vec::new();
    for alg in KeyEncryption::ALL {
        for enc in ContentEncryption::ALL {
            headers.push(json!({"alg": alg.name(), "enc": enc.name(), "kid": "k", "cty": "JWT"}));
        }
    }
    let tokens: Vec<_> = headers
        .iter()
        .flat_map(|header| PAYLOADS.map(|payload| (header.clone(), payload)))
        .collect();
    let made = node::encrypt(&jwk(&key), &tokens);
    assert_eq!(made.len(), tokens.len());
    for (jwe, (header, payload)) in made.iter().zip(&tokens) {
        assert_eq!(Jwe::parse(jwe).unwrap().kid(), Some("k"));
        assert_eq!(decrypt(jwe, &key).unwrap(), payload.as_bytes(), "{header}");
        is_refused(jwe, &test_key("stranger", 2048), &JweFault::Undecipherable);
        every_part_counts(jwe, &key);
    }
}

/// A change of any part, in its first, middle or last character, shows. Which part it was does not.
fn every_part_counts(jwe: &str, key: &TestKey) {
    for part in 1..5 {
        let mut parts: Vec<String> = jwe.split('.').map(str::to_owned).collect();
        let mut bytes = Base64UrlUnpadded::decode_vec(&parts[part]).unwrap();
        if bytes.is_empty() {
            continue;
        }
        for place in [0, bytes.len() / 2, bytes.len() - 1] {
            bytes[place] ^= 1;
            parts[part] = Base64UrlUnpadded::encode_string(&bytes);
            bytes[place] ^= 1;
            is_refused(&parts.join("."), key, &JweFault::Undecipherable);
        }
    }
    // The header is bound to the content, also where it says the same in another way.
    let (header, rest) = jwe.split_once('.').unwrap();
    let header = Base64UrlUnpadded::decode_vec(header).unwrap();
    let spaced = String::from_utf8(header).unwrap().replace(':', ": ");
    let spaced = Base64UrlUnpadded::encode_string(spaced.as_bytes());
    is_refused(&format!("{spaced}.{rest}"), key, &JweFault::Undecipherable);
}

/// Two keys while one is replaced: by name, under each form of it, and where the name is ours alone, by trying.
#[test]
fn one_of_several_keys() {
    let (old, new) = (test_key("decryption", 2048), test_key("seal", 2048));
    for (used, place) in [(&old, 0), (&new, 1)] {
        let forms =
            KidForm::ALL.map(|form| form.of(&used.public_key()).as_kid().as_str().to_owned());
        let tokens: Vec<_> = forms
            .iter()
            .map(|kid| {
                (
                    json!({"alg": "RSA-OAEP", "enc": "A256GCM", "kid": kid}),
                    "x",
                )
            })
            .chain([
                (
                    json!({"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "2026"}),
                    "x",
                ),
                (json!({"alg": "RSA-OAEP", "enc": "A256GCM"}), "x"),
            ])
            .collect();
        for (jwe, (header, _)) in node::encrypt(&jwk(used), &tokens).iter().zip(&tokens) {
            let mut both = [SoftwareUnwrapper::new(&old), SoftwareUnwrapper::new(&new)];
            let plain = Jwe::parse(jwe).unwrap().decrypt_with_one_of(&mut both);
            assert_eq!(&**plain.unwrap(), b"x", "{header}");
            let is_named = header["kid"].as_str().is_some_and(|kid| kid != "2026");
            let calls = both.map(|one| one.calls);
            let expected = if is_named || place == 0 {
                [1 - place, place]
            } else {
                [1, 1]
            };
            assert_eq!(calls, expected, "{header}");
        }
        let stranger = &mut [SoftwareUnwrapper::new(&test_key("stranger", 2048))];
        let jwe = node::encrypt(&jwk(used), &tokens[..1]);
        let error = Jwe::parse(&jwe[0]).unwrap().decrypt_with_one_of(stranger);
        assert!(matches!(error, Err(DecryptError::Jwe(_))));
    }
}

/// A content key of another length than the content wants is treated as one that is wrong.
#[test]
fn a_content_key_of_another_length() {
    let key = test_key("decryption", 2048);
    let header = json!({"alg": "RSA-OAEP", "enc": "A128GCM"});
    let made = node::encrypt(&jwk(&key), &[(header, "x")]);
    let (_, rest) = made[0].split_once('.').unwrap();
    let header = json!({"alg": "RSA-OAEP", "enc": "A256GCM"}).to_string();
    let header = Base64UrlUnpadded::encode_string(header.as_bytes());
    is_refused(&format!("{header}.{rest}"), &key, &JweFault::Undecipherable);
}

fn with_header(header: &Value) -> String {
    let header = Base64UrlUnpadded::encode_string(header.to_string().as_bytes());
    let key = Base64UrlUnpadded::encode_string(&[1; 256]);
    let iv = Base64UrlUnpadded::encode_string(&[2; 12]);
    let tag = Base64UrlUnpadded::encode_string(&[3; 16]);
    format!("{header}.{key}.{iv}.AAAA.{tag}")
}

/// Refused before the key is used for anything.
#[test]
fn what_is_not_read_at_all() {
    let good = json!({"alg": "RSA-OAEP", "enc": "A256GCM"});
    assert!(Jwe::parse(&with_header(&good)).is_ok());
    for (name, value, expected) in [
        ("alg", json!("RSA1_5"), JweFault::Alg("RSA1_5".to_owned())),
        ("alg", json!("dir"), JweFault::Alg("dir".to_owned())),
        (
            "alg",
            json!("rsa-oaep"),
            JweFault::Alg("rsa-oaep".to_owned()),
        ),
        ("alg", json!(1), JweFault::Form("names no alg")),
        ("enc", json!("A512GCM"), JweFault::Enc("A512GCM".to_owned())),
        (
            "enc",
            json!("A128CBC-HS512"),
            JweFault::Enc("A128CBC-HS512".to_owned()),
        ),
        ("enc", json!("a128gcm"), JweFault::Enc("a128gcm".to_owned())),
        ("enc", json!(null), JweFault::Form("names no enc")),
        ("zip", json!("DEF"), JweFault::Compressed),
        ("zip", json!(null), JweFault::Compressed),
        ("crit", json!(["exp"]), JweFault::Critical),
        (
            "enc",
            json!("A128CBC-HS256"),
            JweFault::Form("has an initialization vector of the wrong length for its enc"),
        ),
    ] {
        let mut header = good.clone();
        header[name] = value;
        assert_eq!(
            Jwe::parse(&with_header(&header)).unwrap_err(),
            expected.into()
        );
    }
    let good = with_header(&good);
    let parts: Vec<&str> = good.split('.').collect();
    let without = |part: usize, instead: &str| {
        let mut parts = parts.clone();
        parts[part] = instead;
        parts.join(".")
    };
    for (jwe, words) in [
        (String::new(), "five parts"),
        (parts[..4].join("."), "five parts"),
        (format!("{good}.AA"), "five parts"),
        (without(0, "bm8"), "not a JSON object"),
        (without(0, "W10"), "not a JSON object"),
        (without(0, "e30="), "header that is not base64url"),
        (without(1, ""), "no possible length"),
        (without(1, &"A".repeat(800)), "no possible length"),
        (without(1, "+/"), "encrypted key that is not base64url"),
        (
            without(2, "AA"),
            "initialization vector of the wrong length",
        ),
        (without(4, "AAAA"), "tag of the wrong length"),
        ("A".repeat(MAX_JWE + 1), "at most 262144 are read"),
    ] {
        let error = Jwe::parse(&jwe).unwrap_err().to_string();
        assert!(error.contains(words), "{error}, not {words}");
    }
}

/// Why a key is not used is said; one that can be is, wherever it stands.
#[test]
fn a_key_of_the_recipient_that_is_too_weak_is_called_so() {
    let jwk = |key: &TestKey| {
        let n = key.private_key().n().to_be_bytes_trimmed_vartime();
        let n = Base64UrlUnpadded::encode_string(&n);
        json!({"kty": "RSA", "use": "enc", "n": n, "e": "AQAB"})
    };
    let (weak, good) = (
        jwk(&test_key("weak", 1024)),
        jwk(&test_key("opening", 2048)),
    );
    let recipient = |keys: Value| {
        let set = json!({ "keys": keys }).to_string();
        let (algorithm, content) = (KeyEncryption::RsaOaep, ContentEncryption::A128Gcm);
        Recipient::of(set.as_bytes(), algorithm, content)
    };
    let error = recipient(json!([weak])).unwrap_err().to_string();
    assert!(
        error.contains("can be used") && error.contains("1024"),
        "{error}"
    );
    assert!(recipient(json!([weak, good])).unwrap().is_some());
    assert!(recipient(json!([good, weak])).unwrap().is_some());
    assert!(recipient(json!([])).unwrap().is_none());
}
