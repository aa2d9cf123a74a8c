//! Values of any size, and what takes them.

use privyseal_core::csr::{SubjectAttribute, SubjectAttributeType};
use privyseal_core::field::FieldError;
use privyseal_core::id::IdSyntax;
use privyseal_core::kid::Kid;
use privyseal_core::limits::*;
use privyseal_core::payload::{AuthenticationRequest, AuthorizationRequest};
use privyseal_core::scheme::{
    ITSME, KeyReference, Lifetime, NotBefore, OwnAudience, OwnRules, OwnScheme, OwnTokenRequest,
};
use privyseal_core::{AssertionRequest, Audience, ClientId, Credential, Error, Jti, UnixTime};
use privyseal_test_base::clock::now;
use privyseal_test_pki::test_key;
use privyseal_test_suite::software_signer::SoftwareSigner;

pub(super) fn text(len: usize) -> String {
    "x".repeat(len)
}

pub(super) fn leaked(text: String) -> &'static str {
    text.leak()
}

/// `count` names of `len` letters, ascending.
pub(super) fn names(count: usize, len: usize) -> &'static [&'static str] {
    let name = |letter: char| leaked(letter.to_string().repeat(len));
    ('A'..).take(count).map(name).collect::<Vec<_>>().leak()
}

pub(super) fn members(
    count: usize,
    name: usize,
    value: usize,
) -> &'static [(&'static str, &'static str)] {
    let members = names(count, name)
        .iter()
        .map(|name| (*name, leaked(text(value))));
    members.collect::<Vec<_>>().leak()
}

pub(super) fn moment() -> UnixTime {
    UnixTime::from_secs(now()).unwrap()
}

/// Under a scheme that names keys by `kid`, so that there is no certificate to mind.
pub(super) fn itsme(text: &str) -> Credential<Vec<u8>> {
    let kid = text.repeat(MAX_KID);
    let client_id = ClientId::new(&text.repeat(MAX_CLIENT_ID)).unwrap();
    let key = test_key("seal", 4096).public_key();
    let header = vec![0; MAX_HEADER];
    Credential::with_kid(&ITSME, client_id, Kid::new(&kid).unwrap(), &key, header).unwrap()
}

pub(super) fn assertion(jti: &str) -> AssertionRequest<'_> {
    let audience = "https://idp.example/".to_owned() + &text(MAX_AUDIENCE - 20);
    AssertionRequest {
        audience: Some(Audience::new(leaked(audience)).unwrap()),
        ..AssertionRequest::new(moment(), Jti::new(jti).unwrap())
    }
}

pub(super) fn asserted(change: impl Fn(&mut AssertionRequest<'_>)) -> Result<(), Error> {
    let mut request = assertion("j");
    change(&mut request);
    itsme("x").prepare(&request).map(drop)
}

pub(super) fn requested(change: impl Fn(&mut AuthenticationRequest<'_>)) -> Result<(), Error> {
    let mut request = AuthenticationRequest {
        scope: "openid service:X",
        login_hint_token: "a.b.c",
        acr_values: None,
        requested_expiry: None,
        client_notification_token: None,
        id_token_claims: "",
        userinfo_claims: "",
    };
    change(&mut request);
    itsme("x")
        .bound()
        .prepare_request(&assertion("j"), request)
        .map(drop)
}

pub(super) const AUTHORIZATION: AuthorizationRequest<'_> = AuthorizationRequest {
    redirect_uri: "https://app.example/cb",
    scope: "openid",
    state: "s",
    nonce: "n",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    prompt: None,
    login_hint: None,
    max_age: None,
};

pub(super) fn authorized(change: impl Fn(&mut AuthorizationRequest<'_>)) -> Result<(), Error> {
    let mut request = AUTHORIZATION;
    change(&mut request);
    itsme("x")
        .bound()
        .prepare_authorization(&assertion("j"), &request)
        .map(drop)
}

pub(super) fn own(change: impl Fn(&mut OwnRules)) -> Result<(), FieldError> {
    let mut rules = OwnRules {
        name: "acme",
        title: "ACME",
        key_reference: KeyReference::Kid,
        client_id: &[IdSyntax::Opaque],
        audience: OwnAudience::Only("https://as.example/token"),
        lifetime: Lifetime::new(60, 1, 60),
        not_before: NotBefore::Absent,
        token_request: OwnTokenRequest {
            path: "/token",
            base_url: None,
            scope: None,
            client_id: true,
            members: &[],
        },
    };
    change(&mut rules);
    OwnScheme::new(&rules).map(drop)
}

pub(super) fn unit(value: &str) -> SubjectAttribute<'_> {
    SubjectAttribute::new(SubjectAttributeType::OrganizationalUnit, value).unwrap()
}

/// Each character is one that JSON writes as two.
pub(super) fn longest_hint() -> String {
    let (mut signer, mut buffer) = (
        SoftwareSigner::new(&test_key("seal", 4096)),
        vec![0; MAX_COMPACT_JWS],
    );
    let (credential, token) = (itsme("\""), "\"".repeat(MAX_USER_IDENTIFIER_TOKEN));
    let input = credential
        .bound()
        .prepare_login_hint(moment(), &token)
        .unwrap();
    input
        .sign(&mut signer, &mut buffer)
        .unwrap()
        .as_str()
        .to_owned()
}
