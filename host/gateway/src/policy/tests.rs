use privyseal_core::scheme::{EHEALTH, ITSME};
use privyseal_protocol::policy::{MAX_JUMP_SECONDS, MAX_RATE};

use super::*;

const EXAMPLE: &str = include_str!("../../../../docs/gateway-policy.toml");

fn read(text: &str) -> Result<GatewayPolicy, String> {
    GatewayPolicy::from_toml(text, |_| Err("no such file".to_owned()))
        .map_err(|fault| fault.to_string())
}

#[test]
fn the_example_of_the_documentation() {
    let policy = read(EXAMPLE).unwrap();
    let names: Vec<_> = policy
        .schemes
        .iter()
        .map(|entry| entry.scheme.rules().name())
        .collect();
    assert_eq!(names, ["fiam", "ishare", "itsme", "ehealth"]);
    assert!(policy.needs_chain());
    assert_eq!(policy.time_floor, None);
    assert_eq!(policy.max_lifetime, 60);

    let key = RsaPublicKey::from_components(&[0xc3; 256], &[1, 0, 1]).unwrap();
    let now = UnixTime::from_secs(1_800_000_000).unwrap();
    let encoded = policy.encode(&key, None, now);
    let error = encoded.unwrap_err().to_string();
    assert!(
        error.contains("no client-id for ishare"),
        "iSHARE's is in the leaf: {error}"
    );

    let mut policy = policy;
    for entry in &mut policy.schemes {
        let id = "EU.EORI.NL123456789".to_owned();
        entry.client_id.get_or_insert(id);
    }
    let encoded = policy.encode(&key, None, now).unwrap();
    let wire = Policy::from_bytes(&encoded).unwrap();
    assert_eq!(wire.time_floor, 1_800_000_000);
    assert_eq!(wire.schemes.len(), 4);
    let kid = wire.scheme(SchemeId::of(&EHEALTH)).unwrap().kid.unwrap();
    assert_eq!(kid.len(), 43, "computed from the key");
    let itsme = SchemeId::of(&ITSME);
    let allowed = |statement| {
        wire.permission(itsme, statement)
            .map(|at| wire.audiences[at].audience)
    };
    assert_eq!(
        allowed(Statement::LoginHint),
        Some("https://idp.prd.itsme.services/v2")
    );
    assert_eq!(allowed(Statement::AuthorizationRequest), None);
}

/// Each line that is changed, into what, and what the error says of it.
const FAULTS: &[(&str, &str, &str)] = &[
    (
        "max-lifetime = 60",
        "max-lifetime = \"60\"",
        "line 5: invalid type: string \"60\", expected u64 in `max-lifetime`",
    ),
    (
        "max-lifetime = 60",
        "max-lifetime = 29",
        "max-lifetime is 29; KPN FIAM",
    ),
    (
        "max-lifetime = 60",
        "max-lifetime = 601",
        "line 5: 601 is not 1 to 600 in `max-lifetime`",
    ),
    ("max-lifetime = 60", "", "missing field `max-lifetime`"),
    (
        "max-lifetime = 60",
        "max-lifetime = 60\nmax-life = 1",
        "unknown field `max-life`, expected one of `schemes`",
    ),
    (
        "max-jump = 604800",
        "max-jump = 316224001",
        "316224001 is not 0 to 316224000 in `max-jump`",
    ),
    (
        "max-jump = 604800",
        "max-jump = -1",
        "invalid value: integer `-1`, expected u64 in `max-jump`",
    ),
    (
        "max-jump = 604800",
        "max-jump = 1.5",
        "invalid type: floating point `1.5`, expected u64 in `max-jump`",
    ),
    ("board-entropy = false", "", "missing field `board-entropy`"),
    (
        "board-entropy = false",
        "board-entropy = 0",
        "expected a boolean in `board-entropy`",
    ),
    (
        "board-entropy = false",
        "board-entropy = false\ntime-floor = 5",
        "5 is not 1767225600 to 253402300799 in `time-floor`",
    ),
    (
        "board-entropy = false",
        "board-entropy = false\npresence = 121",
        "121 is not 1 to 120 in `presence`",
    ),
    (
        "board-entropy = false",
        "board-entropy = false\nauthority = \"a.pem\"",
        "authority names a.pem, which cannot be read; no such file",
    ),
    (
        "assertions = 60",
        "assertions = 10001",
        "10001 is not 1 to 10000 in `rate.assertions`",
    ),
    (
        "assertions = 60",
        "",
        "missing field `assertions` in `rate`",
    ),
    (
        "assertions = 60",
        "assertions = 60\nburst = 1",
        "unknown field `burst`, expected `assertions` or `seconds` in `rate`",
    ),
    (
        "[schemes.fiam]",
        "[schemes.fiam2]",
        "schemes.fiam2.key is missing; known schemes are fiam, ishare",
    ),
    (
        "[schemes.fiam]",
        "[schemes.fiam]\nnbf = \"iat\"",
        "schemes.fiam.nbf is not for this scheme; KPN FIAM has its rules",
    ),
    (
        "[schemes.fiam]",
        "[schemes.a]\nkey = \"kid\"",
        "schemes.a.kid is missing",
    ),
    (
        "[schemes.fiam]",
        "[schemes.a]\nkey = \"x5t\"",
        "unknown variant `x5t`, expected one of `x5c`, `x5t#S256`, `kid` in `schemes.a.key`",
    ),
    (
        "[schemes.fiam]",
        "[schemes.a]\nkey = \"x5c\"\nclient-id = \"a\"\naudiences = [\"a\"]\n[schemes.b]",
        "schemes.b.key is missing",
    ),
    (
        "client-id = \"EU.EORI.NL123456789\"",
        "client-id = \"me\"",
        "schemes.fiam.client-id is \"me\"; ",
    ),
    (
        "client-id = \"EU.EORI.NL123456789\"",
        "",
        "schemes.fiam.client-id is missing",
    ),
    (
        "client-id = \"EU.EORI.NL123456789\"",
        "client-id = \"EU.EORI.NL123456789\"\nkid = \"1\"",
        "schemes.fiam.kid is not for this scheme",
    ),
    (
        "audiences = [\"EU.EORI.NLKPNFIAMPROD\"]",
        "audiences = []",
        "schemes.fiam.audiences is empty",
    ),
    (
        "audiences = [\"EU.EORI.NLKPNFIAMPROD\"]",
        "audiences = \"EU.EORI.NLKPNFIAMPROD\"",
        "expected a sequence in `schemes.fiam.audiences`",
    ),
    (
        "audiences = [\"EU.EORI.NLKPNFIAMPROD\"]",
        "audiences = [1]",
        "expected a string in `schemes.fiam.audiences`",
    ),
    (
        "audiences = [\"EU.EORI.NLKPNFIAMPROD\"]",
        "audiences = [\"x y\"]",
        "schemes.fiam.audiences[0] is \"x y\"; ",
    ),
    (
        "audiences = [\"EU.EORI.NLKPNFIAMPROD\"]",
        "audiences = [\"EU.EORI.NLKPNFIAMPROD\", \"EU.EORI.NLKPNFIAMPROD\"]",
        "audiences[1] is \"EU.EORI.NLKPNFIAMPROD\"; it is there twice",
    ),
    (
        "audiences = [\"EU.EORI.NLKPNFIAMPROD\"]",
        "audiences = [\"EU.EORI.NLKPNFIAMPROD\"]\nauthentication-requests = [\"EU.EORI.NLKPNFIAMPROD\"]",
        "schemes.fiam.authentication-requests is not for this scheme; KPN FIAM has none",
    ),
    (
        "authentication-requests = [\"https://idp.prd.itsme.services/v2\"]",
        "authorization-requests = []",
        "schemes.itsme.authorization-requests is empty",
    ),
    (
        "authentication-requests = [\"https://idp.prd.itsme.services/v2\"]",
        "authentication-requests = [\"https://a\", \"https://a\"]",
        "authentication-requests[1] is \"https://a\"; it is there twice",
    ),
    ("kid = \"2026-1\"", "", "schemes.itsme.kid is missing"),
    (
        "kid = \"2026-1\"",
        "kid = \"a b\"",
        "schemes.itsme.kid is \"a b\"; ",
    ),
    (
        "kid = \"2026-1\"",
        "kid = \"a\"\nkid-form = \"rfc7638\"",
        "schemes.itsme.kid is there with kid-form",
    ),
    (
        "kid = \"2026-1\"",
        "kid-form = \"sha1\"",
        "schemes.itsme.kid-form is \"sha1\"; it must be rfc7638 or keycloak",
    ),
    ("max-lifetime = 60", "max-lifetime = = 60", "line 5: "),
];

#[test]
fn every_error_names_the_member_and_the_rule() {
    assert_eq!((MAX_RATE, MAX_JUMP_SECONDS), (10_000, 316_224_000));
    for &(from, to, words) in FAULTS {
        assert!(EXAMPLE.contains(from), "{from}");
        let error = read(&EXAMPLE.replacen(from, to, 1)).unwrap_err();
        assert!(error.contains(words), "wanted {words:?}: {error}");
        assert!(error.starts_with("line "), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
    assert!(read("").unwrap_err().contains("missing field `rate`"));
    let without = EXAMPLE.split_once("# For each scheme").unwrap().0;
    assert_eq!(
        read(without).unwrap_err(),
        "line 1: missing field `schemes`"
    );
    let error = read("a = 1\nb = = 2\n").unwrap_err();
    assert!(error.starts_with("line 2: "), "{error}");
}

/// For a key that unwraps.
const UNWRAPPING: &str = "content-keys = true
board-entropy = false
rate = { assertions = 60, seconds = 60 }
";

#[test]
fn a_key_unwraps_or_signs() {
    let policy = read(UNWRAPPING).unwrap();
    assert!(!policy.needs_chain());
    let key = RsaPublicKey::from_components(&[0xc3; 256], &[1, 0, 1]).unwrap();
    let now = UnixTime::from_secs(1_800_000_000).unwrap();
    let encoded = policy.encode(&key, None, now).unwrap();
    let wire = Policy::from_bytes(&encoded).unwrap();
    assert!(wire.unwraps());
    assert_eq!((wire.time_floor, wire.max_jump), (1_800_000_000, 0));
    let lines = show::lines(&wire).join("\n");
    assert!(lines.contains("content keys  unwrapped"), "{lines}");
    assert!(!lines.contains("lifetime"), "{lines}");
    assert_eq!(show::json(&wire)["content_keys"], true);
    for (line, member) in [
        (4, "max-lifetime = 60"),
        (4, "max-jump = 60"),
        (
            5,
            "[schemes.fiam]\nclient-id = \"EU.EORI.NL123456789\"\naudiences = [\"a\"]",
        ),
    ] {
        let error = read(&format!("{UNWRAPPING}{member}")).unwrap_err();
        assert!(error.contains("is for a key that signs"), "{error}");
        assert!(
            (4..=line).any(|it| error.starts_with(&format!("line {it}: "))),
            "{error}"
        );
    }
    let neither = UNWRAPPING.replace("true", "false");
    assert_eq!(
        read(&neither).unwrap_err(),
        "line 1: missing field `schemes`"
    );
    let error = read(&format!("content-keys = true\n{EXAMPLE}")).unwrap_err();
    assert!(error.contains("schemes is for a key that signs"), "{error}");
}

#[test]
fn the_authority_is_a_public_key_of_its_size() {
    use rsa::pkcs8::{EncodePublicKey as _, LineEnding};
    let mut generator = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
    let key = rsa::RsaPrivateKey::new(&mut generator, 2048).unwrap();
    let key = key.to_public_key();
    let der = key.to_public_key_der().unwrap().into_vec();
    let pem = key.to_public_key_pem(LineEnding::LF).unwrap();
    let text = format!("authority = \"a.pem\"\n{EXAMPLE}");
    for content in [der.clone(), pem.into_bytes()] {
        let policy = GatewayPolicy::from_toml(&text, |name| {
            assert_eq!(name, "a.pem");
            Ok(content.clone())
        });
        assert_eq!(policy.unwrap().authority.as_ref(), Some(&der));
    }
    for content in [&b""[..], b"hello", &der[..40]] {
        let fault = GatewayPolicy::from_toml(&text, |_| Ok(content.to_vec())).unwrap_err();
        assert!(fault.to_string().contains("2048 or 3072"), "{fault}");
    }
}

/// The authority's word may set time back behind the policy's floor.
#[test]
fn a_floor_that_the_authority_can_lower_is_shown_so() {
    let key = RsaPublicKey::from_components(&[0xc3; 256], &[1, 0, 1]).unwrap();
    let now = UnixTime::from_secs(1_800_000_000).unwrap();
    let encoded = read(UNWRAPPING).unwrap().encode(&key, None, now).unwrap();
    let mut wire = Policy::from_bytes(&encoded).unwrap();
    let floor = |wire: &Policy<'_>| {
        let mut lines = show::lines(wire).into_iter();
        lines.find(|line| line.starts_with("not before")).unwrap()
    };
    let alone = floor(&wire);
    assert_eq!(alone, "not before    2027-01-15T08:00:00Z");
    wire.authority = Some(b"a key");
    let lowered = format!("{alone}, unless the authority lowers it");
    assert_eq!(floor(&wire), lowered);
}
