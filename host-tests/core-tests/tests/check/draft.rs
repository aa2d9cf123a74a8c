//! A token whose every part can be changed before it is signed, and what `check` says of it.

use privyseal_check::{CheckOptions, KnownKey, Report, Revocations, Verdict, check};
use privyseal_core::cert::{Certificate, Chain, RsaLinks};
use privyseal_core::kid::Kid;
use privyseal_core::limits::{MAX_CHECK_SCRATCH, MAX_COMPACT_JWS, MAX_HEADER};
use privyseal_core::payload::AuthenticationRequest;
use privyseal_core::rsa::KeyError;
use privyseal_core::{
    AssertionRequest, Audience, ClientId, Credential, Jti, RsaPublicKey, SchemeRules, SigningInput,
    UnixTime, scheme,
};
use privyseal_test_judges::decode::{Parts, to_base64, to_base64url};
use privyseal_test_pki::TestKey;
use privyseal_test_suite::software_signer::SoftwareSigner;
use serde_json::{Value, json};

use crate::pki::{NOW, key, pki, seal_chain};

pub(crate) const KID: &str = "key-2026";
pub(crate) const EORI: &str = "EU.EORI.NL123456789";
pub(crate) const DID: &str = "did:ishare:EU.NL.NTRNL-12345678";
pub(crate) const SERVER: &str = "EU.EORI.NL000000001";
pub(crate) const OPAQUE: &str = "s6BhdRkqt3";
pub(crate) const ITSME_TOKEN: &str = "https://idp.e2e.itsme.services/v2/token";
pub(crate) const REALM: &str = "https://api.ehealth.fgov.be/auth/realms/M2M";

/// What a token says before it is signed, and what it is judged by.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) scheme: Option<&'static SchemeRules>,
    pub(crate) header: Value,
    pub(crate) claims: Value,
    /// Text that stands in place of the header's JSON.
    pub(crate) raw_header: Option<String>,
    /// Text that stands in place of the claims' JSON.
    pub(crate) raw_claims: Option<String>,
    pub(crate) key: TestKey,
    /// What becomes of the finished token.
    pub(crate) tamper: fn(String) -> String,
    pub(crate) now: u64,
    pub(crate) audience: Option<String>,
    pub(crate) keys: Option<Vec<(String, Result<RsaPublicKey, KeyError>)>>,
    pub(crate) anchors: Option<Vec<Vec<u8>>>,
    pub(crate) revocations: Option<&'static (dyn Revocations + Sync)>,
}

impl Draft {
    /// What the core itself makes, taken apart again.
    pub(crate) fn of(scheme: &'static SchemeRules) -> Self {
        let (client_id, audience) = match scheme.name() {
            "fiam" => (EORI, None),
            "ishare" => (DID, Some(SERVER)),
            "ishare-1" => (EORI, Some(SERVER)),
            "itsme" => (OPAQUE, Some(ITSME_TOKEN)),
            "ehealth" => (OPAQUE, Some(REALM)),
            "own-kid" | "own-x5t" | "own-x5c" => (OPAQUE, None),
            other => panic!("no draft of {other}"),
        };
        let credential = credential(scheme, client_id);
        let input = credential
            .prepare(&request(audience))
            .expect("a valid request");
        Self::emitted(scheme, input)
    }

    /// itsme's signed authentication request.
    pub(crate) fn of_request() -> Self {
        let hint = Self::of_hint().token();
        let credential = credential(&scheme::ITSME, OPAQUE);
        let authentication = AuthenticationRequest {
            scope: "openid service:TEST_code profile",
            login_hint_token: &hint,
            acr_values: None,
            requested_expiry: Some(120),
            client_notification_token: Some("ping.token"),
            id_token_claims: "gender name",
            userinfo_claims: "",
        };
        let request = request(Some("https://idp.e2e.itsme.services/v2"));
        let input = credential
            .bound()
            .prepare_request(&request, authentication)
            .expect("a valid request");
        Self::emitted(&scheme::ITSME, input)
    }

    /// itsme's `login_hint_token`.
    pub(crate) fn of_hint() -> Self {
        let credential = credential(&scheme::ITSME, OPAQUE);
        let now = UnixTime::from_secs(NOW).expect("a moment");
        let input = credential
            .bound()
            .prepare_login_hint(now, "mqxews5ukc53ltb1jgj9qe9rnfnwwhyga18m")
            .expect("a hint");
        Self::emitted(&scheme::ITSME, input)
    }

    fn emitted(scheme: &'static SchemeRules, input: SigningInput<'_>) -> Self {
        let mut buffer = vec![0; MAX_COMPACT_JWS];
        let token = input
            .sign(&mut SoftwareSigner::new(key()), &mut buffer)
            .expect("a signature");
        let parts = Parts::of(token.as_str());
        Self {
            scheme: Some(scheme),
            header: parts.header(),
            claims: parts.claims(),
            raw_header: None,
            raw_claims: None,
            key: key().clone(),
            tamper: |token| token,
            now: NOW,
            audience: None,
            keys: Some(
                [KID.to_owned(), certificate_digest(&seal_chain()[0])]
                    .map(|name| (name, Ok(key().public_key())))
                    .into(),
            ),
            anchors: Some(vec![
                pki().root.certificate.clone(),
                pki().sub.certificate.clone(),
                pki().issuing.certificate.clone(),
            ]),
            revocations: None,
        }
    }

    /// The certificates in the header become these.
    pub(crate) fn certificates(&mut self, chain: &[Vec<u8>]) {
        self.header["x5c"] = chain.iter().map(|der| json!(to_base64(der))).collect();
    }

    pub(crate) fn without(&mut self, claim: &str) {
        self.claims
            .as_object_mut()
            .expect("claims")
            .remove(claim)
            .expect("it was there");
    }

    pub(crate) fn header_without(&mut self, member: &str) {
        self.header
            .as_object_mut()
            .expect("a header")
            .remove(member)
            .expect("it was there");
    }

    /// Signs it.
    pub(crate) fn token(&self) -> String {
        let json =
            |raw: &Option<String>, value: &Value| raw.clone().unwrap_or_else(|| value.to_string());
        let header = json(&self.raw_header, &self.header);
        let claims = json(&self.raw_claims, &self.claims);
        let input = format!(
            "{}.{}",
            to_base64url(header.as_bytes()),
            to_base64url(claims.as_bytes())
        );
        let signature = SoftwareSigner::sign_message(self.key.private_key(), input.as_bytes());
        (self.tamper)(format!("{input}.{}", to_base64url(&signature)))
    }

    /// What `check` says.
    pub(crate) fn report(&self) -> Report {
        self.judge(&self.token())
    }

    /// What `check` says of another token by the same question.
    pub(crate) fn judge(&self, token: &str) -> Report {
        let keys = self.keys.as_ref().map(|keys| {
            let known = |(kid, key): &'_ (String, Result<RsaPublicKey, KeyError>)| {
                (kid.clone(), key.clone())
            };
            keys.iter().map(known).collect::<Vec<_>>()
        });
        let keys: Option<Vec<KnownKey<'_>>> = keys.as_ref().map(|keys| {
            keys.iter()
                .map(|(kid, key)| KnownKey {
                    kid: Some(kid),
                    x5t_s256: Some(kid),
                    key: key.clone(),
                })
                .collect()
        });
        let anchors: Option<Vec<&[u8]>> = self
            .anchors
            .as_ref()
            .map(|anchors| anchors.iter().map(Vec::as_slice).collect());
        let question = CheckOptions {
            scheme: self.scheme,
            audience: self
                .audience
                .as_deref()
                .map(|text| Audience::new(text).expect("an audience")),
            keys: keys.as_deref(),
            anchors: anchors.as_deref(),
            revocations: self.revocations.map(|lists| -> &dyn Revocations { lists }),
            ..CheckOptions::at(UnixTime::from_secs(self.now).expect("a moment"), &RsaLinks)
        };
        check(token, &question, &mut vec![0; MAX_CHECK_SCRATCH])
    }

    /// The names of the rules that are broken.
    pub(crate) fn broken(&self) -> Vec<&'static str> {
        broken(&self.report())
    }
}

/// The names of the rules that are broken.
pub(crate) fn broken(report: &Report) -> Vec<&'static str> {
    report.broken().map(|finding| finding.rule.name()).collect()
}

/// One line for each rule that did not pass, for messages.
pub(crate) fn shown(report: &Report) -> String {
    let lines = report
        .findings()
        .iter()
        .filter_map(|finding| match finding.verdict {
            Verdict::Passed => None,
            Verdict::Broken(why) => Some(format!("\n  {} broken: {why}", finding.rule.name())),
            Verdict::NotChecked(why) => {
                Some(format!("\n  {} not checked: {why}", finding.rule.name()))
            }
        });
    lines.collect()
}

/// A credential of the test key.
pub(crate) fn credential(scheme: &'static SchemeRules, client_id: &str) -> Credential<Vec<u8>> {
    let client_id = ClientId::new(client_id).expect("a client id");
    let (key, buffer) = (key().public_key(), vec![0; MAX_HEADER]);
    let credential = match scheme.name() {
        "own-x5t" => {
            let leaf = Certificate::from_der(&seal_chain()[0]).expect("a certificate");
            Credential::with_certificate(scheme, client_id, &leaf, &key, buffer)
        }
        "itsme" | "ehealth" | "own-kid" => Credential::with_kid(
            scheme,
            client_id,
            Kid::new(KID).expect("a kid"),
            &key,
            buffer,
        ),
        _ => {
            let chain: Vec<&[u8]> = seal_chain().iter().map(Vec::as_slice).collect();
            let chain = Chain::order(&chain)
                .and_then(|chain| chain.prove(&RsaLinks))
                .expect("a chain");
            Credential::new(scheme, client_id, &chain, &key, buffer)
        }
    };
    credential.expect("a credential")
}

/// By another hand than the core's.
fn certificate_digest(der: &[u8]) -> String {
    to_base64url(ring::digest::digest(&ring::digest::SHA256, der).as_ref())
}

/// The typed fields.
pub(crate) fn request(audience: Option<&str>) -> AssertionRequest<'_> {
    AssertionRequest {
        audience: audience.map(|text| Audience::new(text).expect("an audience")),
        ..AssertionRequest::new(
            UnixTime::from_secs(NOW).expect("a moment"),
            Jti::new("378a47c4-2822-4ca5-a49a-7e5a1cc7ea59").expect("a jti"),
        )
    }
}
