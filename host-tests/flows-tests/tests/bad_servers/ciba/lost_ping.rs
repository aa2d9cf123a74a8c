//! A provider in ping mode that never calls.

use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use privyseal::base::BaseError;
use privyseal::base::runtime::Runtime;
use privyseal::oidc::RelyingParty;
use privyseal::oidc::ciba::{BESIDE_PING, Ciba, CibaFlow, PingListener, State};
use privyseal::oidc::discovery::ProviderMetadata;
use privyseal::{Provider, SigningClient, UnixTime, base::clock};
use privyseal_core::ClientId;
use privyseal_core::kid::Kid;
use privyseal_core::scheme::ITSME;
use privyseal_test_pki::test_key;
use privyseal_test_servers::bad_server::BadServer;
use privyseal_test_suite::software_signer::SoftwareSigner;

use super::good;
use super::play::{Patient, acknowledged, asked, metadata, not_yet};
use crate::stage::{LIMIT, http};

/// How many seconds pass in one.
const HASTE: u32 = 40;

/// The wait for a ping is a real one, so the clock must go while nobody sleeps.
struct Hasty(Instant);

impl Runtime for Hasty {
    fn elapsed(&mut self) -> Duration {
        self.0.elapsed() * HASTE
    }

    fn now(&mut self) -> Result<UnixTime, BaseError> {
        clock::now()
    }

    fn pause(&mut self, _: Duration) {
        panic!("it waits for a ping instead")
    }

    fn random(&mut self) -> Result<u64, BaseError> {
        Ok(0)
    }
}

#[test]
fn a_lost_ping_costs_half_a_minute_and_not_the_flow() {
    let server = BadServer::at_home(|issuer| {
        vec![
            acknowledged(300, 2),
            not_yet("authorization_pending"),
            good::tokens(issuer),
        ]
    });
    let issuer = server.base_url();
    let said = ProviderMetadata::from_bytes(&issuer, metadata(&issuer).as_bytes());
    let provider = Arc::new(Provider::new(said.unwrap()));
    let (id, kid) = (ClientId::new("partner").unwrap(), Kid::new("k1").unwrap());
    let signer = SoftwareSigner::new(&test_key("seal", 2048));
    let client = SigningClient::with_kid(&ITSME, id, kid, signer).unwrap();
    let listener = PingListener::start(&"0".parse().unwrap()).unwrap();
    let begun = Instant::now();
    let http = http(server.certificate(), LIMIT);
    let party = RelyingParty::new(Arc::new(client), http, provider);
    let mut flow = Ciba::new(&party, Hasty(begun));
    let mut asked = asked();
    asked.client_notification_token = Some(listener.expose_token().to_owned().into());
    let mut person = CibaFlow::begin(&asked);
    let until = Some(State::Tokens);
    flow.run(&mut person, until, Some(&listener), &mut Patient::default())
        .unwrap();
    assert_eq!(server.requests().len(), 3);
    assert!(begun.elapsed() * HASTE >= 2 * BESIDE_PING, "not sooner");
}
