use privyseal_core::scheme::{FIAM, ITSME, KeyReference, NotBefore};
use privyseal_protocol::{
    AllowedAudience, MAX_POLICY, Policy, Rate, SchemeId, SchemePolicy, Statement,
};

use crate::{bytes, hex};

/// As it is uploaded, stored and read back.
#[track_caller]
fn is_pinned(policy: &Policy<'_>, vector: &[&str]) {
    let expected = bytes(vector);
    let mut buffer = [0; MAX_POLICY];
    assert_eq!(hex(policy.to_bytes(&mut buffer).unwrap()), hex(&expected));
    assert_eq!(Policy::from_bytes(&expected).as_ref(), Some(policy));
}

#[test]
fn a_policy_with_everything() {
    let fiam = SchemePolicy {
        scheme: SchemeId::of(&FIAM),
        client_id: "EU.EORI.NL123456789",
        kid: None,
    };
    let itsme = SchemePolicy {
        scheme: SchemeId::of(&ITSME),
        client_id: "partner",
        kid: Some("k1"),
    };
    let policy = Policy {
        schemes: [fiam, itsme].into_iter().collect(),
        audiences: [
            AllowedAudience::of_assertions(SchemeId::of(&FIAM), "EU.EORI.NLKPNFIAMPROD"),
            AllowedAudience {
                scheme: SchemeId::of(&ITSME),
                audience: "https://idp.prd.itsme.services/v2",
                statement: Statement::AuthenticationRequest,
            },
        ]
        .into_iter()
        .collect(),
        max_lifetime: 300,
        rate: Rate {
            assertions: 1_000,
            seconds: 3_600,
        },
        time_floor: 1_790_000_000,
        max_jump: 604_800,
        authority: Some(&[0x30, 0x00, 0xff]),
        presence: Some(60),
        board_entropy: true,
        unlock: true,
    };
    let vector = [
        "02 schemes",
        "00 scheme",
        "13 length",
        "'EU.EORI.NL123456789' client_id",
        "00 no kid",
        "03 scheme",
        "07 length",
        "'partner' client_id",
        "01 a kid",
        "02 length",
        "'k1' kid",
        "02 audiences",
        "00 scheme",
        "15 length",
        "'EU.EORI.NLKPNFIAMPROD' audience",
        "43 scheme, for authentication requests",
        "21 length",
        "'https://idp.prd.itsme.services/v2' audience",
        "ac02 max_lifetime",
        "e807 rate.assertions",
        "901c rate.seconds",
        "80f7c4d506 time_floor",
        "80f524 max_jump",
        "01 an authority",
        "03 length",
        "3000ff authority",
        "01 presence is asked for",
        "3c presence",
        "01 board_entropy",
        "01 unlock",
    ];
    is_pinned(&policy, &vector);
}

fn nothing() -> Policy<'static> {
    Policy {
        schemes: [].into_iter().collect(),
        audiences: [].into_iter().collect(),
        max_lifetime: 0,
        rate: Rate {
            assertions: 0,
            seconds: 0,
        },
        time_floor: 0,
        max_jump: 0,
        authority: None,
        presence: None,
        board_entropy: false,
        unlock: false,
    }
}

#[test]
fn a_policy_with_a_scheme_of_ones_own() {
    let own = SchemeId::own(1, KeyReference::Kid, NotBefore::EqualsIssuedAt).unwrap();
    let scheme = SchemePolicy {
        scheme: own,
        client_id: "me",
        kid: Some("k"),
    };
    let audience = AllowedAudience {
        scheme: own,
        audience: "a",
        statement: Statement::AuthorizationRequest,
    };
    let policy = Policy {
        schemes: [scheme].into_iter().collect(),
        audiences: [audience].into_iter().collect(),
        ..nothing()
    };
    let vector = [
        "01 schemes",
        "2b the second of one's own, with kid and nbf",
        "02 length",
        "'me' client_id",
        "01 a kid",
        "01 length",
        "'k' kid",
        "01 audiences",
        "ab scheme, for authorization requests",
        "01 length",
        "'a' audience",
        "00000000 max_lifetime, rate, time_floor",
        "0000000000 max_jump, authority, presence, board_entropy, unlock",
    ];
    is_pinned(&policy, &vector);
}

#[test]
fn a_policy_with_nothing() {
    let policy = nothing();
    assert!(
        policy.unwraps(),
        "no scheme, and nothing that goes with one"
    );
    let vector = [
        "00 schemes",
        "00 audiences",
        "00 max_lifetime",
        "00 rate.assertions",
        "00 rate.seconds",
        "00 time_floor",
        "00 max_jump",
        "00 no authority",
        "00 no presence",
        "00 board_entropy",
        "00 unlock",
    ];
    is_pinned(&policy, &vector);
}
