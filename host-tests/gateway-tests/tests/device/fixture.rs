//! A device, and what it is provisioned with.

use privyseal_core::scheme::{EHEALTH, FIAM, ISHARE, ISHARE_1, ITSME};
use privyseal_test_base::clock::run_start;
use std::sync::OnceLock;

use privyseal_firmware_app::Device;
use privyseal_firmware_app::fake::{FakeBoard, Memory, Time, Wire};
use privyseal_protocol::{
    AllowedAudience, MAX_POLICY, Policy, Rate, SchemeId, SchemePolicy, SignRequest, Statement,
};
use privyseal_test_pki::{TestKey, TestPki, test_key};
use privyseal_test_simulators::device_host::{TestDevice, provision};
use privyseal_test_simulators::link::Upload;

pub(crate) const PARTY: &str = "did:ishare:EU.NL.NTRNL-12345678";
pub(crate) const EORI: &str = "EU.EORI.NL123456789";
pub(crate) const SCHEME_OWNER: &str = "EU.EORI.NLDHUBSCHEME1";
pub(crate) const ITSME_TOKEN: &str = "https://idp.prd.itsme.services/v2/token";
pub(crate) const ITSME_DISCOVERY: &str =
    "https://idp.prd.itsme.services/v2/backchannel/authentication";
pub(crate) const ITSME_ISSUER: &str = "https://idp.prd.itsme.services/v2";
pub(crate) const REALM: &str = "https://api.ehealth.fgov.be/auth/realms/M2M";
pub(crate) const JUMP: u32 = 7 * 86_400;

pub(crate) fn key() -> &'static TestKey {
    static KEY: OnceLock<TestKey> = OnceLock::new();
    KEY.get_or_init(|| test_key("device", 2048))
}

/// The chain of the device's key, leaf first.
pub(crate) fn chain() -> &'static [Vec<u8>] {
    static CHAIN: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    CHAIN.get_or_init(|| TestPki::new().seal_chain(key()))
}

/// Every scheme, and an audience or two for each.
pub(crate) fn policy() -> Policy<'static> {
    let scheme = |scheme, client_id, kid| SchemePolicy {
        scheme,
        client_id,
        kid,
    };
    let audience = AllowedAudience::of_assertions;
    let request = |statement| AllowedAudience {
        statement,
        ..audience(SchemeId::of(&ITSME), ITSME_ISSUER)
    };
    Policy {
        schemes: [
            scheme(SchemeId::of(&ITSME), "partner", Some("k1")),
            scheme(SchemeId::of(&FIAM), EORI, None),
            scheme(SchemeId::of(&ISHARE), PARTY, None),
            scheme(SchemeId::of(&ISHARE_1), EORI, None),
            scheme(SchemeId::of(&EHEALTH), "nihii-12345678", Some("k2")),
        ]
        .into_iter()
        .collect(),
        audiences: [
            audience(SchemeId::of(&FIAM), "EU.EORI.NLKPNFIAMPROD"),
            audience(SchemeId::of(&ISHARE), SCHEME_OWNER),
            audience(SchemeId::of(&ISHARE_1), SCHEME_OWNER),
            audience(SchemeId::of(&ITSME), ITSME_TOKEN),
            audience(SchemeId::of(&ITSME), ITSME_DISCOVERY),
            audience(SchemeId::of(&EHEALTH), REALM),
            request(Statement::AuthenticationRequest),
            request(Statement::AuthorizationRequest),
        ]
        .into_iter()
        .collect(),
        max_lifetime: 60,
        rate: Rate {
            assertions: 1_000,
            seconds: 1_000,
        },
        time_floor: run_start() - 60,
        max_jump: JUMP,
        authority: None,
        presence: None,
        board_entropy: false,
        unlock: false,
    }
}

pub(crate) fn upload(policy: &Policy<'_>) -> Upload {
    let mut buffer = [0; MAX_POLICY];
    Upload {
        key: key().numbers(),
        policy: policy.to_bytes(&mut buffer).expect("it fits").to_vec(),
        chain: chain().concat(),
        seed: (0..48).map(|byte| byte * 5).collect(),
        unlock: Vec::new(),
    }
}

/// A board with this memory.
pub(crate) fn board(memory: Memory) -> FakeBoard<Wire> {
    FakeBoard::new(Wire::default(), memory, Time::manual())
}

/// A device that nobody has provisioned.
pub(crate) fn empty() -> TestDevice {
    start(Memory::default())
}

/// A device with this memory, switched on.
pub(crate) fn start(memory: Memory) -> TestDevice {
    Device::boot(board(memory))
}

/// The same device, switched off and on again.
pub(crate) fn restart(device: &mut TestDevice) -> TestDevice {
    let memory = device.board().memory();
    start(memory)
}

/// A device that was provisioned under this policy.
pub(crate) fn provisioned(policy: &Policy<'_>) -> TestDevice {
    let mut device = empty();
    provision(&mut device, &upload(policy)).expect("a good upload");
    device
}

/// What a device under [`policy`] signs.
pub(crate) fn requests() -> [SignRequest<'static>; 6] {
    let request = |scheme, audience| SignRequest {
        audience: Some(audience),
        ..SignRequest::new(scheme, run_start())
    };
    [
        SignRequest::new(SchemeId::of(&FIAM), run_start()),
        request(SchemeId::of(&ISHARE), SCHEME_OWNER),
        request(SchemeId::of(&ISHARE_1), SCHEME_OWNER),
        request(SchemeId::of(&ITSME), ITSME_TOKEN),
        request(SchemeId::of(&ITSME), ITSME_DISCOVERY),
        request(SchemeId::of(&EHEALTH), REALM),
    ]
}

/// A member of a token's payload.
pub(crate) fn claim(token: &str, name: &str) -> serde_json::Value {
    privyseal_test_judges::decode::Parts::of(token).claims()[name].clone()
}
