//! Each constant of `core/src/limits.rs`: what has exactly the maximum works, one more is refused, and the message says
//! the maximum. Sizes that are computed from others: everything at its maximum at once fits.

use std::collections::BTreeSet;
use std::fmt::Display;

use privyseal_check::{CheckOptions, RuleId, Verdict, check};
use privyseal_core::cert::{Certificate, KeyUsage, RsaLinks};
use privyseal_core::csr::{
    CertificationRequestInfo, Subject, SubjectAttribute, SubjectAttributeType,
};
use privyseal_core::encoding::sink::SliceSink;
use privyseal_core::kid::Kid;
use privyseal_core::limits::*;
use privyseal_core::payload::{AcrValues, AuthenticationRequest, AuthorizationRequest};
use privyseal_core::scheme::Lifetime;
use privyseal_core::token::{ErrorResponse, TokenResponse};
use privyseal_core::{Audience, ClientId, Error, Jti, RsaPublicKey, UnixTime};
use privyseal_test_base::scratch::workspace;
use privyseal_test_judges::decode::to_base64url;
use privyseal_test_pki::{CertificateSpec, TestPki, test_key};
use privyseal_test_suite::software_signer::SoftwareSigner;

use crate::made::{
    AUTHORIZATION, asserted, assertion, authorized, itsme, leaked, longest_hint, members, moment,
    names, own, requested, text, unit,
};

/// What shows that a constant is what it says.
const PROOFS: &[(&str, fn())] = &[
    (
        "MAX_CERTIFICATES",
        super::one_certificate_more_is_refused_by_name,
    ),
    (
        "MAX_CHAIN_DER",
        super::the_longest_chain_works_and_one_byte_more_is_refused_by_name,
    ),
    ("MAX_EXTENSIONS", || {
        bound(32, |count| {
            // The leaf has four of its own.
            let extensions = u8::try_from(count - 4).unwrap();
            let leaf = CertificateSpec {
                extensions,
                ..CertificateSpec::seal()
            };
            let chain = TestPki::new().chain(&test_key("seal", 2048).spki_der(), &leaf);
            Certificate::from_der(&chain[0]).map(drop)
        });
    }),
    ("MAX_CLIENT_ID", || {
        bound(MAX_CLIENT_ID, |len| ClientId::new(&text(len)).map(drop));
    }),
    ("MAX_AUDIENCE", || {
        bound(MAX_AUDIENCE, |len| Audience::new(&text(len)).map(drop));
    }),
    ("MAX_JTI", || {
        bound(MAX_JTI, |len| Jti::new(&text(len)).map(drop));
    }),
    ("MAX_KID", || {
        bound(MAX_KID, |len| Kid::new(&text(len)).map(drop));
    }),
    ("MAX_TIME_DIGITS", the_longest_of_each_kind_fits),
    ("MAX_UNIX_TIME", || {
        bound(usize::try_from(MAX_UNIX_TIME).unwrap(), |seconds| {
            UnixTime::from_secs(u64::try_from(seconds).unwrap()).map(drop)
        });
    }),
    ("CLOCK_FLOOR", || {
        assert!(asserted(|it| it.now = UnixTime::from_secs(CLOCK_FLOOR).unwrap()).is_ok());
        let before = asserted(|it| it.now = UnixTime::from_secs(CLOCK_FLOOR - 1).unwrap());
        assert!(matches!(before, Err(Error::Clock(_))), "{before:?}");
    }),
    ("MAX_BACKDATE_SECONDS", || {
        bound_seconds(MAX_BACKDATE_SECONDS, |seconds| {
            asserted(|it| it.backdate = seconds)
        });
    }),
    ("MAX_RSA_BITS", the_largest_key),
    ("MAX_SIGNATURE", the_largest_key),
    ("MAX_SCOPE", || {
        bound(MAX_SCOPE, |len| {
            let start = "openid service:X ";
            let scope = format!("{start}{}", text(len - start.len()));
            requested(|it| it.scope = leaked(scope.clone()))
        });
    }),
    ("MAX_USER_IDENTIFIER_TOKEN", || {
        bound(MAX_USER_IDENTIFIER_TOKEN, |len| {
            let token = text(len);
            itsme("x")
                .bound()
                .prepare_login_hint(moment(), &token)
                .map(drop)
        });
    }),
    ("MAX_NOTIFICATION_TOKEN", || {
        bound(MAX_NOTIFICATION_TOKEN, |len| {
            requested(|it| it.client_notification_token = Some(leaked(text(len))))
        });
    }),
    ("MAX_REQUESTED_EXPIRY_SECONDS", || {
        bound_seconds(MAX_REQUESTED_EXPIRY_SECONDS, |seconds| {
            requested(|it| it.requested_expiry = Some(seconds))
        });
    }),
    ("MAX_CLAIM_NAMES", || {
        bound(MAX_CLAIM_NAMES, |count| {
            requested(|it| it.id_token_claims = leaked(names(count, 2).join(" ")))
        });
        bound(MAX_CLAIM_NAMES, |count| {
            requested(|it| it.userinfo_claims = leaked(names(count, 2).join(" ")))
        });
    }),
    ("MAX_CLAIM_NAME", || {
        bound(MAX_CLAIM_NAME, |len| {
            requested(|it| it.id_token_claims = leaked(names(1, len).join(" ")))
        });
    }),
    ("MAX_REDIRECT_URI", || {
        bound(MAX_REDIRECT_URI, |len| {
            authorized(|it| it.redirect_uri = leaked(text(len)))
        });
    }),
    ("MAX_STATE", || {
        bound(MAX_STATE, |len| {
            authorized(|it| it.state = leaked(text(len)))
        });
        bound(MAX_STATE, |len| {
            authorized(|it| it.nonce = leaked(text(len)))
        });
    }),
    ("MAX_LOGIN_HINT", || {
        bound(MAX_LOGIN_HINT, |len| {
            authorized(|it| it.login_hint = Some(leaked(text(len))))
        });
    }),
    ("MAX_LOGIN_HINT_TOKEN", the_longest_of_each_kind_fits),
    ("MAX_SCHEME_NAME", || {
        bound(MAX_SCHEME_NAME, |len| own(|it| it.name = leaked(text(len))));
    }),
    ("MAX_SCHEME_TITLE", || {
        bound(MAX_SCHEME_TITLE, |len| {
            own(|it| it.title = leaked(text(len)))
        });
    }),
    ("MAX_OWN_LIFETIME", || {
        bound_seconds(MAX_OWN_LIFETIME, |max| {
            own(|it| it.lifetime = Lifetime::new(60, 1, max))
        });
    }),
    ("MAX_TOKEN_PATH", || {
        bound(MAX_TOKEN_PATH, |len| {
            own(|it| it.token_request.path = leaked(format!("/{}", text(len - 1))))
        });
    }),
    ("MAX_FORM_MEMBERS", || {
        bound(MAX_FORM_MEMBERS, |count| {
            own(|it| it.token_request.members = members(count, 2, 1))
        });
    }),
    ("MAX_FORM_NAME", || {
        bound(MAX_FORM_NAME, |len| {
            own(|it| it.token_request.members = members(1, len, 1))
        });
    }),
    ("MAX_FORM_VALUE", || {
        bound(MAX_FORM_VALUE, |len| {
            own(|it| it.token_request.members = members(1, 2, len))
        });
    }),
    ("MAX_SUBJECT_ATTRIBUTES", || {
        bound(MAX_SUBJECT_ATTRIBUTES, |count| {
            Subject::new(&vec![unit("x"); count]).map(drop)
        });
    }),
    ("MAX_SUBJECT_VALUE", || {
        bound(MAX_SUBJECT_VALUE, |len| {
            let value = "\u{1f511}".repeat(len);
            SubjectAttribute::new(SubjectAttributeType::CommonName, &value).map(drop)
        });
    }),
    (
        "MAX_CERTIFICATION_REQUEST",
        the_longest_certification_request_fits,
    ),
    ("MAX_TOKEN_RESPONSE", || {
        bound(MAX_TOKEN_RESPONSE, |len| {
            let start = r#"{"access_token":"a","token_type":"Bearer"}"#;
            let padding = " ".repeat(len - start.len());
            TokenResponse::parse((start.to_owned() + &padding).as_bytes()).map(drop)
        });
    }),
    ("MAX_ACCESS_TOKEN", || {
        bound(MAX_ACCESS_TOKEN, |len| {
            let body = format!(
                r#"{{"access_token":"{}","token_type":"Bearer"}}"#,
                text(len)
            );
            TokenResponse::parse(body.as_bytes()).map(drop)
        });
    }),
    ("MAX_JSON_DEPTH", || {
        bound(MAX_JSON_DEPTH, |depth| {
            let inner = depth - 1;
            let (open, close) = ("[".repeat(inner), "]".repeat(inner));
            let body = format!(r#"{{"error":"invalid_client","x":{open}{close}}}"#);
            ErrorResponse::parse(body.as_bytes()).map(drop)
        });
    }),
    ("MAX_JSON_MEMBERS", || {
        bound(MAX_JSON_MEMBERS, |count| {
            let members: Vec<String> = (0..count).map(|n| format!(r#""m{n}":1"#)).collect();
            let options = CheckOptions::at(moment(), &RsaLinks);
            let payload = format!("{{{}}}", members.join(","));
            let token = format!("e30.{}.AA", to_base64url(payload.as_bytes()));
            let report = check(&token, &options, &mut vec![0; MAX_CHECK_SCRATCH]);
            match report.verdict(RuleId::PayloadJson) {
                Some(Verdict::Passed) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        });
    }),
    ("MAX_ASSERTION_JSON", the_longest_of_each_kind_fits),
    ("MAX_REQUEST_JSON", the_longest_of_each_kind_fits),
    ("MAX_PAYLOAD", the_longest_of_each_kind_fits),
    ("MAX_HEADER_JSON", super::the_longest_token_fits),
    ("MAX_HEADER", super::the_longest_token_fits),
    ("MAX_COMPACT_JWS", super::the_longest_token_fits),
    ("MAX_CHECK_SCRATCH", the_longest_of_each_kind_fits),
];

/// A new constant must come with its proof.
#[test]
fn each_limit_of_the_core_holds() {
    let source = std::fs::read_to_string(workspace().join("core/src/limits.rs")).unwrap();
    let constants = source.lines().filter_map(|line| {
        let (visible, constant) = line.split_once("const ")?;
        let (name, _) = constant.split_once(':')?;
        visible.starts_with("pub").then_some(name)
    });
    let constants: BTreeSet<&str> = constants.collect();
    let proved: BTreeSet<&str> = PROOFS.iter().map(|(name, _)| *name).collect();
    assert_eq!(constants, proved);
    for (_, proof) in PROOFS {
        proof();
    }
}

fn the_largest_key() {
    bound_as(MAX_SIGNATURE, "4096", |len| {
        RsaPublicKey::from_components(&vec![0xc3; len], &[1, 0, 1]).map(drop)
    });
}

/// The maximum works, one more does not, and it is said how much is allowed.
fn bound<E: Display>(max: usize, tried: impl Fn(usize) -> Result<(), E>) {
    bound_as(max, &max.to_string(), tried);
}

fn bound_seconds<E: Display>(max: u64, tried: impl Fn(u64) -> Result<(), E>) {
    let max = usize::try_from(max).unwrap();
    bound(max, |seconds| tried(u64::try_from(seconds).unwrap()));
}

fn bound_as<E: Display>(max: usize, shown: &str, tried: impl Fn(usize) -> Result<(), E>) {
    if let Err(error) = tried(max) {
        panic!("{max} is refused: {error}");
    }
    match tried(max + 1) {
        Ok(()) => panic!("{} is not refused", max + 1),
        Err(error) => assert!(error.to_string().contains(shown), "{error}"),
    }
}

fn the_longest_of_each_kind_fits() {
    let (credential, jti) = (itsme("\""), "\"".repeat(MAX_JTI));
    let hint = longest_hint();
    let claims: Vec<String> = (0..MAX_CLAIM_NAMES)
        .map(|number| {
            format!(
                "{}{}",
                "\"".repeat(MAX_CLAIM_NAME - 1),
                char::from(b'A' + u8::try_from(number).unwrap())
            )
        })
        .collect();
    let claims = claims.join(" ");
    let start = "openid service:X ";
    let scope = format!("{start}{}", text(MAX_SCOPE - start.len()));
    let notification_token = text(MAX_NOTIFICATION_TOKEN);
    let authentication = AuthenticationRequest {
        scope: &scope,
        login_hint_token: &hint,
        acr_values: Some(AcrValues::Advanced),
        requested_expiry: Some(MAX_REQUESTED_EXPIRY_SECONDS),
        client_notification_token: Some(&notification_token),
        id_token_claims: &claims,
        userinfo_claims: &claims,
    };
    let assertion = assertion(&jti);
    let (quotes, state) = ("\"".repeat(MAX_REDIRECT_URI), text(MAX_STATE));
    let authorization = AuthorizationRequest {
        redirect_uri: &quotes,
        scope: &scope,
        state: &state,
        nonce: &state,
        prompt: Some(&state),
        login_hint: Some(&quotes[..MAX_LOGIN_HINT]),
        max_age: Some(MAX_UNIX_TIME),
        ..AUTHORIZATION
    };
    let inputs = [
        credential.prepare(&assertion).unwrap(),
        credential
            .bound()
            .prepare_request(&assertion, authentication)
            .unwrap(),
        credential
            .bound()
            .prepare_authorization(&assertion, &authorization)
            .unwrap(),
    ];
    for input in inputs {
        let mut buffer = vec![0; MAX_COMPACT_JWS];
        let mut signer = SoftwareSigner::new(&test_key("seal", 4096));
        let token = input.sign(&mut signer, &mut buffer).unwrap();
        let payload = token.as_str().split('.').nth(1).unwrap();
        assert!(payload.len() <= MAX_PAYLOAD);
        let options = CheckOptions::at(moment(), &RsaLinks);
        let report = check(token.as_str(), &options, &mut vec![0; MAX_CHECK_SCRATCH]);
        assert_eq!(report.verdict(RuleId::PayloadJson), Some(Verdict::Passed));
    }
}

fn the_longest_certification_request_fits() {
    let value = "\u{1f511}".repeat(MAX_SUBJECT_VALUE);
    let subject = Subject::new(&[unit(&value); MAX_SUBJECT_ATTRIBUTES]).unwrap();
    let key = test_key("seal", 4096).public_key();
    let usages = [KeyUsage::DigitalSignature].into_iter().collect();
    let info = CertificationRequestInfo::new(&subject, usages, &key).unwrap();
    let mut buffer = [0; MAX_CERTIFICATION_REQUEST];
    let mut sink = SliceSink::new(&mut buffer);
    info.write_to(&mut sink).unwrap();
    // What the signature adds: its algorithm, itself, and the header around all.
    let whole = sink.finish().unwrap().len() + 15 + 5 + MAX_SIGNATURE + 4;
    assert!(whole <= MAX_CERTIFICATION_REQUEST, "{whole}");
}
