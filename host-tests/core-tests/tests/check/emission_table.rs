//! The table of what each scheme demands of an assertion, a test for each of its rows.
//!
//! | | KPN FIAM | iSHARE 1.x | iSHARE 2.1 | itsme | eHealth |
//!
//! The tokens are the core's; what they say is read with `serde_json` and `base64ct`.

use privyseal_core::cert::{Certificate, Chain, RsaLinks};
use privyseal_core::id::AudienceBuf;
use privyseal_core::limits::{MAX_HEADER, MAX_JTI};
use privyseal_core::{
    AssertionRequest, Audience, ClientId, Credential, Jti, Scheme, UnixTime, scheme,
};
use privyseal_test_judges::decode::to_base64;
use privyseal_test_pki::Usage;
use serde_json::{Map, Value, json};

use crate::draft::{DID, Draft, EORI, KID, OPAQUE, REALM, SERVER, credential, request};
use crate::pki::{NOW, chain, key, seal, seal_chain};

const X5C_SCHEMES: [&Scheme; 3] = [&scheme::FIAM, &scheme::ISHARE_1, &scheme::ISHARE];
const KID_SCHEMES: [&Scheme; 2] = [&scheme::ITSME, &scheme::EHEALTH];

fn names(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .map(Map::keys)
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect()
}

/// | `alg` | RS256 only | RS256 only | RS256 | RS256 works | RS256 |
#[test]
fn row_alg() {
    for scheme in scheme::ALL {
        assert_eq!(
            Draft::of(scheme).header["alg"],
            "RS256",
            "{}",
            scheme.name()
        );
    }
}

/// | header members | alg, typ, x5c | exactly these | exactly these | alg, kid, typ | alg, typ, kid |
#[test]
fn row_header_members() {
    for scheme in X5C_SCHEMES {
        assert_eq!(
            names(&Draft::of(scheme).header),
            ["alg", "typ", "x5c"],
            "{}",
            scheme.name()
        );
    }
    for scheme in KID_SCHEMES {
        let header = Draft::of(scheme).header;
        assert_eq!(
            header,
            json!({"alg": "RS256", "kid": KID, "typ": "JWT"}),
            "{}",
            scheme.name()
        );
    }
    // The order of the bytes too: alg, typ, x5c.
    let header = credential(&scheme::ISHARE, DID).header().to_vec();
    let json = privyseal_test_judges::decode::base64url(&String::from_utf8(header).unwrap());
    assert!(json.starts_with(br#"{"alg":"RS256","typ":"JWT","x5c":["#));
}

/// | `x5c` | whole chain, leaf first, root included | .. root last | whole chain, root included | - | - |
#[test]
fn row_x5c() {
    let expected: Vec<_> = seal_chain().iter().map(|der| to_base64(der)).collect();
    for scheme in X5C_SCHEMES {
        assert_eq!(
            Draft::of(scheme).header["x5c"],
            json!(expected),
            "{}",
            scheme.name()
        );
    }
    let root = Certificate::from_der(seal_chain().last().unwrap()).unwrap();
    assert!(root.is_self_issued());
}

/// | `iss`, `sub` | own party id, equal | EORI, equal | party id, equal | client_id, equal | client_id, equal |
#[test]
fn row_iss_and_sub() {
    for (scheme, id) in [
        (&scheme::FIAM, EORI),
        (&scheme::ISHARE_1, EORI),
        (&scheme::ISHARE, DID),
        (&scheme::ITSME, OPAQUE),
        (&scheme::EHEALTH, OPAQUE),
    ] {
        let claims = Draft::of(scheme).claims;
        assert_eq!(
            (&claims["iss"], &claims["sub"]),
            (&json!(id), &json!(id)),
            "{}",
            scheme.name()
        );
    }
}

/// | `aud` | `EU.EORI.NLKPNFIAMPROD` | server's party id, one string | the same | per endpoint | realm issuer URL |
#[test]
fn row_aud() {
    assert_eq!(
        Draft::of(&scheme::FIAM).claims["aud"],
        "EU.EORI.NLKPNFIAMPROD"
    );
    assert_eq!(Draft::of(&scheme::ISHARE_1).claims["aud"], SERVER);
    assert_eq!(Draft::of(&scheme::ISHARE).claims["aud"], SERVER);
    assert_eq!(Draft::of(&scheme::EHEALTH).claims["aud"], REALM);
    let realm = AudienceBuf::realm("https://api.ehealth.fgov.be/auth", "M2M").unwrap();
    assert_eq!(realm.as_audience().as_str(), REALM);
    // No other scheme has an audience that goes without saying.
    for scheme in scheme::ALL.iter().filter(|scheme| scheme.name() != "fiam") {
        assert!(scheme.choose_audience(None).is_err(), "{}", scheme.name());
    }
}

/// | lifetime | iat, exp = iat + 30 | same | same | exp required, iat optional | at most 60 s by default |
#[test]
fn row_lifetime() {
    for scheme in X5C_SCHEMES {
        let claims = Draft::of(scheme).claims;
        assert_eq!(
            (&claims["iat"], &claims["exp"]),
            (&json!(NOW), &json!(NOW + 30)),
            "{}",
            scheme.name()
        );
        for other in [0, 29, 31, 60, 5690] {
            assert!(
                prepare(scheme, other).is_err(),
                "{} {other} s",
                scheme.name()
            );
        }
    }
    for scheme in KID_SCHEMES {
        assert_eq!(
            Draft::of(scheme).claims["exp"],
            json!(NOW + 60),
            "{}",
            scheme.name()
        );
        assert!(prepare(scheme, 30).is_ok(), "{}", scheme.name());
    }
    assert!(prepare(&scheme::EHEALTH, 61).is_err());
    assert!(prepare(&scheme::ITSME, 600).is_ok());
}

/// | `nbf` | in the example only | one receiver wants nbf == iat | same | in an example only | omit |
#[test]
fn row_nbf() {
    for scheme in X5C_SCHEMES {
        assert_eq!(
            Draft::of(scheme).claims["nbf"],
            json!(NOW),
            "{}",
            scheme.name()
        );
    }
    for scheme in KID_SCHEMES {
        assert_eq!(
            Draft::of(scheme).claims.get("nbf"),
            None,
            "{}",
            scheme.name()
        );
    }
}

/// | `jti` | required, need not be a UUID | required | required | at most 255 characters | required |
#[test]
fn row_jti() {
    for scheme in scheme::ALL {
        assert!(
            Draft::of(scheme).claims["jti"].is_string(),
            "{}",
            scheme.name()
        );
    }
    assert_eq!(MAX_JTI, 255);
    assert!(Jti::new(&"j".repeat(255)).is_ok() && Jti::new(&"j".repeat(256)).is_err());
    assert!(Jti::new("not-a-uuid").is_ok());
}

/// | party id syntax | `EU.EORI.NL...` | `EU.EORI.<CC><digits>` | `did:ishare:EU..`, or EORI | opaque | opaque |
#[test]
fn row_party_id_syntax() {
    for (scheme, good, bad) in [
        (
            &scheme::FIAM,
            &[EORI][..],
            &["EU.EORI.KVKxxxxxx", DID, OPAQUE][..],
        ),
        (&scheme::ISHARE_1, &[EORI], &["EU.EORI.123", DID, OPAQUE]),
        (
            &scheme::ISHARE,
            &[DID, EORI],
            &["did:ishare:EU.NL.NTRLNL-10000001", OPAQUE],
        ),
        (&scheme::ITSME, &[EORI, DID, OPAQUE], &[]),
        (&scheme::EHEALTH, &[EORI, DID, OPAQUE], &[]),
    ] {
        for (ids, expected) in [(good, true), (bad, false)] {
            for id in ids {
                let id = ClientId::new(id).unwrap();
                assert_eq!(
                    scheme.check_client_id(&id).is_ok(),
                    expected,
                    "{} {id}",
                    scheme.name()
                );
            }
        }
    }
    let leaf = Certificate::from_der(&seal_chain()[0]).unwrap();
    assert_eq!(
        ClientId::did_ishare(&leaf).unwrap().as_str(),
        DID,
        "from 2.5.4.97"
    );
}

/// | leaf key usage | eSeal | eSeal or PKIoverheid | eSeal: nonRepudiation | - | - |
#[test]
fn row_leaf_key_usage() {
    for scheme in X5C_SCHEMES {
        for (usage, expected) in [
            (Usage::NonRepudiation, true),
            // "Equal to Non-Repudiation" is iSHARE 2.1's.
            (Usage::DigitalSignature, scheme.name() != "ishare"),
            (Usage::KeyEncipherment, false),
            (Usage::KeyAgreement, false),
        ] {
            let ders = chain(&seal().usage(&[usage]));
            let ders: Vec<&[u8]> = ders.iter().map(Vec::as_slice).collect();
            let proven = Chain::order(&ders).unwrap().prove(&RsaLinks).unwrap();
            let id = ClientId::new(EORI).unwrap();
            let made = Credential::new(
                scheme,
                id,
                &proven,
                &key().public_key(),
                vec![0; MAX_HEADER],
            );
            assert_eq!(made.is_ok(), expected, "{} {usage:?}", scheme.name());
        }
    }
    for scheme in KID_SCHEMES {
        assert!(
            scheme.leaf_key_usage().value().is_empty(),
            "{}",
            scheme.name()
        );
    }
}

/// "Safest emission": integer nbf = iat, exp = iat + 30, iat back-dated by 1 to 3 s, aud a string.
#[test]
fn safest_emission() {
    let credential = credential(&scheme::ISHARE, DID);
    for backdate in [0, 1, 3, 5] {
        let request = AssertionRequest {
            backdate,
            ..request(Some(SERVER))
        };
        let input = credential.prepare(&request).unwrap();
        let mut json = Vec::new();
        input.payload().write_json(VecSink(&mut json)).unwrap();
        let claims: Value = serde_json::from_slice(&json).unwrap();
        let iat = NOW - backdate;
        assert_eq!(
            (&claims["iat"], &claims["nbf"], &claims["exp"]),
            (&json!(iat), &json!(iat), &json!(iat + 30))
        );
        assert!(claims["aud"].is_string());
    }
    let too_far = AssertionRequest {
        backdate: 6,
        ..request(Some(SERVER))
    };
    assert!(credential.prepare(&too_far).is_err());
}

/// The audiences of itsme's endpoints, exact strings.
#[test]
fn itsme_audiences() {
    for (env, base) in [
        ("e2e", "https://idp.e2e.itsme.services/v2"),
        ("prd", "https://idp.prd.itsme.services/v2"),
    ] {
        for (endpoint, expected) in [
            (
                "discovery",
                format!("https://idp.{env}.itsme.services/v2/backchannel/authentication"),
            ),
            (
                "backchannel",
                format!("https://idp.{env}.itsme.services/v2/token"),
            ),
            (
                "token",
                format!("https://idp.{env}.itsme.services/v2/token"),
            ),
        ] {
            let path = scheme::ITSME.endpoint(endpoint).unwrap().audience_path();
            let audience = AudienceBuf::join(base, path).unwrap();
            assert_eq!(audience.as_audience().as_str(), expected, "{endpoint}");
        }
        let path = scheme::ITSME
            .request_object()
            .unwrap()
            .audience_path()
            .value();
        assert_eq!(
            AudienceBuf::join(base, path)
                .unwrap()
                .as_audience()
                .as_str(),
            base
        );
    }
}

/// "aud, iss = client_id, exp, iat, nbf, jti (all integers), scope, login_hint_token, optional .."
#[test]
fn itsme_request_object() {
    let claims = Draft::of_request().claims;
    let expected = json!({
        "aud": "https://idp.e2e.itsme.services/v2",
        "iss": OPAQUE,
        "exp": NOW + 60,
        "iat": NOW,
        "nbf": NOW,
        "jti": "378a47c4-2822-4ca5-a49a-7e5a1cc7ea59",
        "scope": "openid service:TEST_code profile",
        "login_hint_token": claims["login_hint_token"],
        "requested_expiry": 120,
        "client_notification_token": "ping.token",
        "claims": {"id_token": {"gender": null, "name": null}},
    });
    assert_eq!(claims, expected);
    let hint = Draft::of_hint().claims;
    let value = "mqxews5ukc53ltb1jgj9qe9rnfnwwhyga18m";
    assert_eq!(
        hint,
        json!({"type": "user_identifier_token", "value": value})
    );
}

fn prepare(scheme: &'static Scheme, lifetime: u64) -> Result<(), privyseal_core::Error> {
    let (id, audience) = match scheme.name() {
        "itsme" => (OPAQUE, Some("https://idp.e2e.itsme.services/v2/token")),
        "ehealth" => (OPAQUE, Some(REALM)),
        "fiam" => (EORI, None),
        _ => (EORI, Some(SERVER)),
    };
    let request = AssertionRequest {
        audience: audience.map(|text| Audience::new(text).unwrap()),
        lifetime: Some(lifetime),
        ..AssertionRequest::new(UnixTime::from_secs(NOW).unwrap(), Jti::new("j").unwrap())
    };
    credential(scheme, id).prepare(&request).map(|_| ())
}

/// Collects what is written.
struct VecSink<'a>(&'a mut Vec<u8>);

impl privyseal_core::encoding::sink::Sink for VecSink<'_> {
    type Error = core::convert::Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}
