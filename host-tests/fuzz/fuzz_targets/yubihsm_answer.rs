//! What a YubiHSM answers inside of its session, and what a connector answers. The first byte chooses the command, the rest
//! is its answer: nothing that cannot be read ends as a key, a certificate or an attestation.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use privyseal_fuzz::server::Server;
use privyseal_hsm::{Secret, SecretRequest};
use privyseal_test_simulators::yubihsm_sim::{Cmd, FACTORY_PASSWORD, Misbehaviour, SEAL_KEY, YubihsmSim};
use privyseal_yubihsm::{Device, SignerOptions, YubihsmUri};

static SIM: LazyLock<YubihsmSim> = LazyLock::new(|| YubihsmSim::with_seal(Duration::from_secs(3600)).0);
static CONNECTOR: LazyLock<Server> = LazyLock::new(Server::start);

const COMMANDS: [Cmd; 6] = [
    Cmd::GetObjectInfo,
    Cmd::GetPublicKey,
    Cmd::GetOpaque,
    Cmd::ListObjects,
    Cmd::DeviceInfo,
    Cmd::SignAttestationCertificate,
];

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else {
        return;
    };
    let mut passwords = |_: &SecretRequest| Secret::new(FACTORY_PASSWORD);
    let Some(&command) = COMMANDS.get(usize::from(choice)) else {
        CONNECTOR.answer_with(data.to_vec());
        let uri = uri(CONNECTOR.address().port());
        assert!(Device::open(&uri, &mut passwords).is_err(), "it has no key");
        return;
    };
    let uri = uri(SIM.port());
    // The simulator holds it for as long as it runs.
    let said: &'static [u8] = Box::leak(data.into());
    // A session that ends in the middle is closed by nobody.
    SIM.drop_sessions();
    SIM.arm(Misbehaviour::Say(said), command, 1);
    let listed = privyseal_yubihsm::list(&uri, &mut passwords, &SignerOptions::default());
    shown(listed.map(drop));
    let device = Device::open(&uri, &mut passwords).expect("it is there");
    shown(device.attest(SEAL_KEY).map(|it| assert_ne!(it.certificate, said)));
    SIM.disarm();
});

fn uri(port: u16) -> YubihsmUri {
    let text = format!("yubihsm:host=127.0.0.1;port={port};auth-key=1?timeout=2&session-wait=0");
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn shown(outcome: Result<(), privyseal_yubihsm::Error>) {
    if let Err(error) = outcome {
        let text = error.to_string();
        assert!(!text.contains(char::is_control), "{text:?}");
    }
}
