//! Answers as JWS: iSHARE's rules for them are those of assertions.

use serde_json::{Value, json};

use super::{Config, REGISTRY};
use privyseal_test_judges::decode::{to_base64, to_base64url};
use privyseal_test_pki::TestKey;
use privyseal_test_suite::software_signer::SoftwareSigner;

/// An answer that is not signed yet.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The member of the answer that it becomes: `trusted_list_token`, `party_token`, `parties_token`.
    pub name: &'static str,
    /// The header.
    pub header: Value,
    /// The claims.
    pub claims: Value,
    /// Who signs.
    pub key: TestKey,
    /// Whether the payload is changed after it was signed.
    pub changed_later: bool,
}

impl Draft {
    /// Puts another chain into the header: DER, leaf first.
    pub fn set_chain(&mut self, chain: &[Vec<u8>]) {
        self.header["x5c"] = chain.iter().map(|der| to_base64(der)).collect();
    }

    fn sign(&self) -> String {
        let encode = |value: &Value| to_base64url(value.to_string().as_bytes());
        let (header, payload) = (encode(&self.header), encode(&self.claims));
        let input = format!("{header}.{payload}");
        let signature = SoftwareSigner::sign_message(self.key.private_key(), input.as_bytes());
        let signature = to_base64url(&signature);
        if self.changed_later {
            let mut claims = self.claims.clone();
            claims["jti"] = json!("changed");
            return format!("{header}.{}.{signature}", encode(&claims));
        }
        format!("{input}.{signature}")
    }
}

/// The JWS over what is `said` to `client`.
pub(super) fn token(
    config: &Config,
    client: &str,
    now: u64,
    name: &'static str,
    said: Value,
) -> String {
    let mut claims = said;
    claims["iss"] = json!(REGISTRY);
    if claims["sub"].is_null() {
        claims["sub"] = json!(REGISTRY);
    }
    claims["aud"] = json!(client);
    claims["iat"] = json!(now);
    claims["exp"] = json!(now + 30);
    claims["jti"] = json!(format!("{name}-{now}"));
    let mut draft = Draft {
        name,
        header: json!({ "alg": "RS256", "typ": "JWT" }),
        claims,
        key: config.key.clone(),
        changed_later: false,
    };
    draft.set_chain(&config.chain);
    (config.lie)(&mut draft);
    draft.sign()
}
