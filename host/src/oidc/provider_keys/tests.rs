//! The key cache against a provider that is played here: what it publishes, and how often it is asked.

use std::sync::LazyLock;

use base64ct::{Base64UrlUnpadded as B64, Encoding as _};
use rsa::RsaPrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use rsa::traits::PublicKeyParts as _;

use super::*;

static KEYS: LazyLock<[RsaPrivateKey; 2]> =
    LazyLock::new(|| core::array::from_fn(|_| RsaPrivateKey::new(&mut rng(), 2048).unwrap()));

fn rng() -> impl rsa::rand_core::CryptoRng {
    getrandom::rand_core::UnwrapErr(getrandom::SysRng)
}

const START: u64 = 1_800_000_000;
const DAY: u64 = 24 * 60 * 60;

/// A provider: what its `jwks_uri` answers, and how often it did.
struct Provider {
    set: Option<String>,
    asked: usize,
    keys: ProviderKeys,
}

impl Provider {
    fn publishing(keys: &[(&str, usize)]) -> Self {
        Self {
            set: Some(set(keys)),
            asked: 0,
            keys: ProviderKeys::new("https://idp.example/certs".parse().unwrap()),
        }
    }

    fn verify(&mut self, seconds: u64, token: &str) -> Result<VerifiedJws, OidcError> {
        self.verify_from(TokenFrom::Anybody, seconds, token)
    }

    fn verify_from(
        &mut self,
        from: TokenFrom,
        seconds: u64,
        token: &str,
    ) -> Result<VerifiedJws, OidcError> {
        let now = UnixTime::from_secs(START + seconds).unwrap();
        let (set, asked) = (&self.set, &mut self.asked);
        self.keys.verify_with(now, "id_token", token, from, |url| {
            *asked += 1;
            let down = || OAuthError::response(url, "down");
            let set = set.as_ref().ok_or_else(down)?;
            Ok(KeySet::from_bytes(set.as_bytes()).unwrap())
        })
    }

    #[track_caller]
    fn accepts(&mut self, seconds: u64, token: &str) {
        assert_eq!(self.verify(seconds, token).unwrap().payload(), PAYLOAD);
    }

    fn refuses(&mut self, seconds: u64, token: &str) -> String {
        self.verify(seconds, token).unwrap_err().to_string()
    }
}

fn set(keys: &[(&str, usize)]) -> String {
    let keys = keys.iter().map(|(kid, key)| jwk(kid, &KEYS[*key]));
    format!(r#"{{"keys":[{}]}}"#, keys.collect::<Vec<_>>().join(","))
}

fn jwk(kid: &str, key: &RsaPrivateKey) -> String {
    let n = B64::encode_string(&key.n().to_be_bytes());
    format!(r#"{{"kty":"RSA","kid":"{kid}","use":"sig","alg":"RS256","n":"{n}","e":"AQAB"}}"#)
}

const PAYLOAD: &[u8] = br#"{"sub":"somebody"}"#;

fn token(header: &str, key: usize) -> String {
    let input = format!(
        "{}.{}",
        B64::encode_string(header.as_bytes()),
        B64::encode_string(PAYLOAD)
    );
    let signature = SigningKey::<Sha256>::new(KEYS[key].clone()).sign(input.as_bytes());
    format!("{input}.{}", B64::encode_string(&signature.to_bytes()))
}

fn signed(kid: &str, key: usize) -> String {
    token(&format!(r#"{{"alg":"RS256","kid":"{kid}"}}"#), key)
}

#[test]
fn the_set_is_read_once_and_again_after_half_a_day() {
    let mut provider = Provider::publishing(&[("a", 0)]);
    for (seconds, asked) in [(0, 1), (1, 1), (DAY / 2 - 1, 1), (DAY / 2, 2), (DAY, 3)] {
        provider.accepts(seconds, &signed("a", 0));
        assert_eq!(provider.asked, asked, "after {seconds} s");
    }
}

#[test]
fn a_new_key_is_found_at_once_and_the_old_one_goes() {
    let mut provider = Provider::publishing(&[("a", 0)]);
    provider.accepts(0, &signed("a", 0));
    provider.set = Some(set(&[("b", 1), ("a", 0)]));
    provider.accepts(60, &signed("b", 1));
    provider.accepts(61, &signed("a", 0));
    assert_eq!(provider.asked, 2);
    provider.set = Some(set(&[("b", 1)]));
    let text = {
        provider.accepts(60 + DAY / 2, &signed("b", 1));
        provider.refuses(61 + DAY / 2, &signed("a", 0))
    };
    assert!(
        text.contains("the key a, which is not in the provider's key set, read 1 s ago"),
        "{text}"
    );
}

/// Nobody but the provider can have made up its name.
#[test]
fn a_key_that_is_changed_at_once_loses_no_token_that_the_provider_gave() {
    let mut provider = Provider::publishing(&[("a", 0)]);
    provider.accepts(0, &signed("a", 0));
    provider.set = Some(set(&[("b", 1)]));
    provider.refuses(1, &signed("b", 1));
    let given = provider.verify_from(TokenFrom::Provider, 1, &signed("b", 1));
    assert_eq!(given.unwrap().payload(), PAYLOAD);
    provider.accepts(2, &signed("b", 1));
    assert_eq!(provider.asked, 2);
    let unknown = provider.verify_from(TokenFrom::Provider, 3, &signed("c", 1));
    unknown.unwrap_err();
    assert_eq!(provider.asked, 3, "once for each token");
}

#[test]
fn made_up_kids_are_asked_for_once_a_minute() {
    let mut provider = Provider::publishing(&[("a", 0)]);
    provider.accepts(0, &signed("a", 0));
    for second in 1..=180 {
        provider.refuses(second, &signed(&format!("x{second}"), 0));
    }
    assert_eq!(provider.asked, 4, "at 0, 60, 120 and 180 s");
}

#[test]
fn a_provider_that_is_down_is_tolerated_for_half_a_day_and_asked_once_a_minute() {
    let mut provider = Provider::publishing(&[("a", 0)]);
    provider.accepts(0, &signed("a", 0));
    provider.set = None;
    provider.accepts(DAY / 2, &signed("a", 0));
    provider.accepts(DAY / 2 + 59, &signed("a", 0));
    let given = provider.verify_from(TokenFrom::Provider, DAY / 2 + 59, &signed("a", 0));
    given.unwrap();
    assert_eq!(provider.asked, 2);
    provider.accepts(DAY - 1, &signed("a", 0));
    assert_eq!(provider.asked, 3);
    let text = provider.refuses(DAY, &signed("a", 0));
    assert!(text.contains("asked for at most every 60 s"), "{text}");
    let text = provider.refuses(DAY + 59, &signed("a", 0));
    assert!(text.contains("down"), "{text}");
    provider.set = Some(set(&[("a", 0)]));
    provider.accepts(DAY + 119, &signed("a", 0));
    assert_eq!(provider.asked, 5);
}

#[test]
fn a_clock_that_was_set_back_costs_one_reading() {
    let mut provider = Provider::publishing(&[("a", 0)]);
    provider.accepts(DAY, &signed("a", 0));
    provider.accepts(0, &signed("a", 0));
    provider.accepts(1, &signed("a", 0));
    assert_eq!(provider.asked, 2);
}

#[test]
fn a_token_without_kid_needs_a_provider_with_one_key() {
    let plain = token(r#"{"alg":"RS256"}"#, 0);
    Provider::publishing(&[("a", 0)]).accepts(0, &plain);
    let text = Provider::publishing(&[("a", 0), ("b", 1)]).refuses(0, &plain);
    assert!(
        text.contains("names no key (kid), and the provider's key set has 2"),
        "{text}"
    );
}

#[test]
fn what_is_not_signed_as_it_should_be() {
    let good = signed("a", 0);
    let (input, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = input.split_once('.').unwrap();
    let forged = format!(
        "{header}.{}.{signature}",
        B64::encode_string(br#"{"sub":"me"}"#)
    );
    for (token, words) in [
        (signed("a", 1), "a signature that is not valid"),
        (forged, "a signature that is not valid"),
        (format!("{input}."), "a signature that is not valid"),
        (token(r#"{"alg":"none","kid":"a"}"#, 0), "signed with none"),
        (
            token(r#"{"alg":"HS256","kid":"a"}"#, 0),
            "signed with HS256",
        ),
        (
            token(r#"{"alg":"RS256","kid":"a","crit":["b64"]}"#, 0),
            "crit",
        ),
        (token(r#"{"kid":"a"}"#, 0), "names no algorithm"),
        (token("[]", 0), "not a JSON object"),
        (format!("{good}.x"), "not three parts"),
        (input.to_owned(), "not three parts"),
        (
            "a".repeat(crate::jose::jws::MAX_PROVIDER_JWS + 1),
            "at most 196608 are read",
        ),
    ] {
        let mut provider = Provider::publishing(&[("a", 0)]);
        let text = provider.refuses(0, &token);
        assert!(
            text.starts_with("the id_token ") && text.contains(words),
            "{text}"
        );
    }
}

#[test]
fn a_set_may_have_as_many_keys_as_it_may_and_no_more() {
    let keys: Vec<_> = (0..=MAX_KEYS)
        .map(|number| jwk(&format!("k{number}"), &KEYS[0]))
        .collect();
    let mut provider = Provider::publishing(&[]);
    provider.set = Some(format!(r#"{{"keys":[{}]}}"#, keys[..MAX_KEYS].join(",")));
    provider.accepts(0, &signed("k63", 0));
    let mut provider = Provider::publishing(&[]);
    provider.set = Some(format!(r#"{{"keys":[{}]}}"#, keys.join(",")));
    let text = provider.refuses(0, &signed("k63", 0));
    assert!(text.contains("has 65 keys, at most 64"), "{text}");
}

#[test]
fn a_set_without_keys_is_refused_and_does_not_replace_one_that_has_some() {
    let mut provider = Provider::publishing(&[]);
    let text = provider.refuses(0, &signed("a", 0));
    assert!(text.contains("has no RSA key that signs"), "{text}");
    let mut provider = Provider::publishing(&[("a", 0)]);
    provider.accepts(0, &signed("a", 0));
    provider.set = Some(set(&[]));
    provider.accepts(DAY / 2, &signed("a", 0));
    assert_eq!(provider.asked, 2);
}

#[test]
fn a_key_that_cannot_verify_is_named() {
    let small = B64::encode_string(&[0xc3; 128]);
    let small = format!(r#"{{"kty":"RSA","kid":"a","n":"{small}","e":"AQAB"}}"#);
    let mut provider = Provider::publishing(&[]);
    provider.set = Some(format!(r#"{{"keys":[{small},{}]}}"#, jwk("b", &KEYS[0])));
    let text = provider.refuses(0, &signed("a", 0));
    assert!(text.contains("the key a, which is RSA-1024"), "{text}");
    // Where there is no other, that shows before a token comes.
    let mut provider = Provider::publishing(&[]);
    provider.set = Some(format!(r#"{{"keys":[{small}]}}"#));
    let text = provider.refuses(0, &signed("b", 0));
    assert!(text.contains("can be used (is RSA-1024"), "{text}");
}

/// A provider that changes its key under the same kid, or names none.
#[test]
fn a_key_that_is_changed_without_a_new_kid_is_found_at_once() {
    for header in [r#"{"alg":"RS256"}"#, r#"{"alg":"RS256","kid":"a"}"#] {
        let mut provider = Provider::publishing(&[("a", 0)]);
        provider.accepts(0, &token(header, 0));
        let sentence = provider.refuses(120, &token(header, 1));
        assert!(sentence.contains("signature"), "{sentence}");
        provider.set = Some(set(&[("a", 1)]));
        provider.accepts(240, &token(header, 1));
        // One who asks again and again costs no request each time.
        let asked = provider.asked;
        provider.refuses(241, &token(header, 0));
        provider.refuses(242, &token(header, 0));
        assert!(provider.asked <= asked + 1);
        provider.set = None;
        let sentence = provider.refuses(600, &token(header, 0));
        assert!(sentence.contains("signature"), "{sentence}");
    }
}
