use super::*;
use privyseal_core::scheme::{FIAM, ISHARE, ITSME};

/// The longest texts are those of the limits, so a policy of the longest does not fit; this is a large one.
fn policy() -> Policy<'static> {
    Policy {
        schemes: Vec::from_iter([
            SchemePolicy {
                scheme: SchemeId::of(&FIAM),
                client_id: "EU.EORI.NL123456789",
                kid: None,
            },
            SchemePolicy {
                scheme: SchemeId::of(&ITSME),
                client_id: "partner",
                kid: Some("k1"),
            },
        ]),
        audiences: Vec::from_iter([
            AllowedAudience::of_assertions(SchemeId::of(&FIAM), "EU.EORI.NLKPNFIAMPROD"),
            AllowedAudience::of_assertions(
                SchemeId::of(&ITSME),
                "https://idp.prd.itsme.services/v2/token",
            ),
        ]),
        max_lifetime: 60,
        rate: Rate {
            assertions: 10,
            seconds: 60,
        },
        time_floor: CLOCK_FLOOR,
        max_jump: 86_400,
        authority: None,
        presence: None,
        board_entropy: false,
        unlock: false,
    }
}

#[test]
fn a_policy_comes_back() {
    let mut buffer = [0; crate::MAX_POLICY];
    let policy = policy();
    assert_eq!(policy.check(), Ok(()));
    let bytes = policy.to_bytes(&mut buffer).unwrap();
    assert_eq!(Policy::from_bytes(bytes), Some(policy));
    let mut longer = std::vec::Vec::from(bytes);
    longer.push(0);
    assert_eq!(Policy::from_bytes(&longer), None, "nothing may follow");
    for len in 0..bytes.len() {
        assert_eq!(Policy::from_bytes(&bytes[..len]), None, "{len}");
    }
}

#[test]
fn each_rule_is_checked() {
    type Change = fn(&mut Policy<'static>);
    let cases: [(Change, PolicyError); 17] = [
        (|policy| policy.schemes.clear(), PolicyError::NoScheme),
        (
            |policy| policy.schemes[1] = policy.schemes[0],
            PolicyError::DuplicateScheme(SchemeId::of(&FIAM)),
        ),
        (
            |policy| policy.schemes[0].client_id = "someone",
            PolicyError::ClientId(SchemeId::of(&FIAM)),
        ),
        (
            |policy| policy.schemes[0].kid = Some("k"),
            PolicyError::Kid(SchemeId::of(&FIAM)),
        ),
        (
            |policy| policy.schemes[1].kid = None,
            PolicyError::Kid(SchemeId::of(&ITSME)),
        ),
        (
            |policy| policy.schemes[1].kid = Some(""),
            PolicyError::Kid(SchemeId::of(&ITSME)),
        ),
        (
            |policy| policy.audiences[1].audience = "not a URL",
            PolicyError::Audience { position: 1 },
        ),
        (
            |policy| policy.audiences[0].scheme = SchemeId::of(&ISHARE),
            PolicyError::Audience { position: 0 },
        ),
        (
            |policy| policy.max_lifetime = 29,
            PolicyError::Lifetime(SchemeId::of(&FIAM)),
        ),
        (|policy| policy.rate.assertions = 0, PolicyError::Rate),
        (|policy| policy.rate.seconds = 0, PolicyError::Rate),
        (
            |policy| policy.rate.seconds = MAX_RATE_SECONDS + 1,
            PolicyError::Rate,
        ),
        (
            |policy| policy.time_floor = CLOCK_FLOOR - 1,
            PolicyError::TimeFloor,
        ),
        (
            |policy| policy.max_jump = MAX_JUMP_SECONDS + 1,
            PolicyError::Jump,
        ),
        (
            |policy| policy.authority = Some(b"no key"),
            PolicyError::Authority,
        ),
        (|policy| policy.presence = Some(0), PolicyError::Presence),
        (
            |policy| policy.presence = Some(MAX_PRESENCE_SECONDS + 1),
            PolicyError::Presence,
        ),
    ];
    for (change, error) in cases {
        let mut policy = policy();
        change(&mut policy);
        assert_eq!(policy.check(), Err(error));
    }
}

#[test]
fn a_key_has_one_job() {
    let mut policy = policy();
    assert!(!policy.unwraps());
    policy.schemes.clear();
    policy.audiences.clear();
    assert_eq!(policy.check(), Err(PolicyError::NoScheme));
    policy.max_lifetime = 0;
    assert_eq!((policy.check(), policy.unwraps()), (Ok(()), true));
    policy.rate.seconds = 0;
    assert_eq!(policy.check(), Err(PolicyError::Rate), "as for signatures");
}

#[test]
fn every_scheme_has_its_id() {
    for scheme in scheme::ALL {
        let id = SchemeId::of(scheme);
        assert_eq!(SchemeId::from_code(id.code()), Some(id), "each code once");
        assert_eq!(id.rules(), scheme.rules());
    }
    let forms = [
        KeyReference::X5cWithRoot,
        KeyReference::X5tS256,
        KeyReference::Kid,
    ];
    let forms = forms.map(|key| [(key, NotBefore::Absent), (key, NotBefore::EqualsIssuedAt)]);
    let places =
        (0..MAX_OWN).flat_map(|place| forms.as_flattened().iter().map(move |it| (place, *it)));
    for (code, (place, (key, nbf))) in (32..).zip(places) {
        let id = SchemeId::own(place, key, nbf).unwrap();
        assert_eq!((id.code(), SchemeId::from_code(code)), (code, Some(id)));
        let serving = OWN_FORMS.iter().filter(|rules| id.serves(rules));
        assert!(serving.eq([id.rules()]));
    }
    assert_eq!(
        SchemeId::own(MAX_OWN, KeyReference::Kid, NotBefore::Absent),
        None
    );
    let next = scheme::ALL.len().try_into().unwrap();
    for code in [next, 31, 62, 63, u8::MAX] {
        assert_eq!(SchemeId::from_code(code), None, "{code}");
    }
}

#[test]
fn the_rate_in_milliseconds() {
    let rate = |assertions, seconds| {
        Rate {
            assertions,
            seconds,
        }
        .interval()
    };
    assert_eq!(rate(10, 60), 6_000);
    assert_eq!(rate(MAX_RATE, 1), 1, "never nothing");
    assert_eq!(rate(1, MAX_RATE_SECONDS), 86_400_000);
}
