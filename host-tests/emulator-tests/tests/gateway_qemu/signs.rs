//! A provisioned gateway signs for each scheme what the software signer would, byte by byte.

use privyseal_test_base::clock::run_start;
use std::sync::Arc;

use privyseal_core::kid::Kid;
use privyseal_core::limits::{MAX_COMPACT_JWS, MAX_HEADER};
use privyseal_core::{AssertionRequest, Audience, ClientId, Credential, Jti, UnixTime};
use privyseal_protocol::{DeviceState, Refusal, SchemeId, SignRequest};
use privyseal_test_judges::decode::Parts;
use privyseal_test_servers::fiam_server::{Clock, Config, FiamServer};
use privyseal_test_servers::https::{Client, form};
use privyseal_test_simulators::emulator::{AN386, Machine, STM32F405};
use privyseal_test_simulators::gateway::Gateway;
use privyseal_test_suite::software_signer::SoftwareSigner;
use privyseal_test_suite::{self as suite, Case};

use crate::stage::{KID, Party, SERVED, provisioned};

#[test]
fn the_stm32f405_signs_and_remembers() {
    a_gateway_signs_and_remembers(STM32F405);
}

#[test]
fn the_an386_signs_and_remembers() {
    a_gateway_signs_and_remembers(AN386);
}

fn a_gateway_signs_and_remembers(machine: Machine) {
    let party = Party::new("seal");
    let (mut emulator, mut gateway) = provisioned(machine, &party);
    gateway.info(|info| assert_eq!(info.state, DeviceState::Ready));
    let mut counters = Vec::new();
    for now in [run_start(), run_start() + 7] {
        counters.extend(signs_for_all(&mut gateway, &party, now));
    }
    fiam_accepts(&mut gateway, &party, run_start() + 8);

    // A reset forgets nothing.
    let before = gateway.info(|info| (info.counter, info.time_floor, info.boots, info.log_next));
    emulator.reset();
    let heard = std::mem::take(&mut gateway.heard);
    drop(gateway);
    let mut gateway = Gateway::new(emulator.connect());
    let after = gateway.info(|info| (info.counter, info.time_floor, info.boots, info.log_next));
    assert_eq!(after.0, before.0, "the counter");
    assert_eq!(after.1, before.1, "the time floor");
    assert_eq!(after.2, before.2 + 1, "it did start again");
    assert!(after.3 >= before.3, "the log");
    let (scheme, ..) = SERVED[0];
    let early = gateway.sign(SignRequest::new(scheme, run_start() + 2));
    assert_eq!(
        early,
        Err(Refusal::TimeBack {
            floor: run_start() + 8
        })
    );
    counters.extend(signs_for_all(&mut gateway, &party, run_start() + 9));
    assert!(
        counters.windows(2).all(|pair| pair[0] < pair[1]),
        "{counters:?}"
    );

    // Nothing that it ever said holds a piece of the key.
    let secret = party.key.pkcs8_der();
    for said in [&heard, &gateway.heard] {
        assert!(!shares(said, &secret), "bytes of the key in an answer");
    }
}

/// One token for each scheme, judged; gives their counters.
fn signs_for_all(gateway: &mut Gateway, party: &Party, now: u64) -> Vec<u64> {
    let mut counters = Vec::new();
    for (scheme, _, audience) in SERVED {
        let token = gateway
            .sign(SignRequest {
                audience: Some(audience),
                nonce: Some(*b"a-nonce!"),
                ..SignRequest::new(scheme, now)
            })
            .unwrap_or_else(|refusal| panic!("{scheme:?}: {refusal}"));
        party.openssl_verifies(&token);
        let claims = Parts::of(&token).claims();
        let jti = claims["jti"].as_str().expect("a jti").to_owned();
        let pieces: Vec<&str> = jti.split('-').collect();
        assert_eq!(pieces.len(), 4, "{jti}");
        assert_eq!(pieces[3], "612d6e6f6e636521", "the nonce");
        counters.push(pieces[1].parse().expect("a counter"));
        assert_eq!(token, by_software(party, scheme, now, &jti));
    }
    counters
}

/// What the software signer makes of the same fields.
pub(crate) fn by_software(party: &Party, scheme: SchemeId, now: u64, jti: &str) -> String {
    let served = SERVED.iter().find(|(id, ..)| *id == scheme);
    let (_, client_id, audience) = *served.expect("a scheme that is served");
    let mut signer = SoftwareSigner::new(&party.key);
    let scheme = scheme
        .rules()
        .built_in()
        .expect("no scheme of a user's own");
    let case = Case {
        scheme,
        client_id,
        audience: Some(audience),
        now,
        jti,
    };
    if matches!(scheme.name(), "fiam" | "ishare") {
        return suite::mint(&mut signer, &case, &party.chain).expect("a token");
    }
    let credential = Credential::with_kid(
        scheme,
        ClientId::new(client_id).expect("a client id"),
        Kid::new(KID).expect("a kid"),
        &party.key.public_key(),
        vec![0; MAX_HEADER],
    )
    .expect("a credential");
    let request = AssertionRequest {
        audience: Some(Audience::new(audience).expect("an audience")),
        now: UnixTime::from_secs(now).expect("a time"),
        backdate: 0,
        lifetime: None,
        jti: Jti::new(jti).expect("a jti"),
    };
    let input = credential.prepare(&request).expect("an assertion");
    let mut buffer = vec![0; MAX_COMPACT_JWS];
    let token = input.sign(&mut signer, &mut buffer).expect("a token");
    token.as_str().to_owned()
}

/// A server in the shape of FIAM's gives an access token for it, once.
fn fiam_accepts(gateway: &mut Gateway, party: &Party, now: u64) {
    let clock: Clock = Arc::new(move || now);
    let server = FiamServer::start(Config {
        clock,
        ..Config::trusting(&party.pki.root.certificate)
    })
    .expect("a server");
    let client = Client::new(&server.base_url(), server.tls_ca_pem());
    let (scheme, ..) = SERVED[0];
    let token = gateway
        .sign(SignRequest::new(scheme, now))
        .unwrap_or_else(|refusal| panic!("{refusal}"));
    let (status, body) = client.post("/oauth/token", &form(&token));
    assert_eq!(status, 200, "{body}");
    assert!(body["access_token"].is_string());
    let (status, _) = client.post("/oauth/token", &form(&token));
    assert_ne!(status, 200, "the same assertion twice");
}

/// Whether eight bytes in a row of the secret, past what every key has in common, were said.
fn shares(said: &[u8], key: &[u8]) -> bool {
    // The modulus is public; it ends before the middle of the encoding.
    let secret = &key[key.len() / 3..];
    let pieces: std::collections::HashSet<&[u8]> = secret.windows(8).collect();
    said.windows(8).any(|window| pieces.contains(window))
}
