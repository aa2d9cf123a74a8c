//! An assertion that came in, judged as a service provider must.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use privyseal::pki::crl::Crl;
use privyseal::pki::ocsp::{OcspQuestion, OcspResponse};
use privyseal::pki::revocation::{FetchRevocation, Revocation, RevocationPlaces};
use privyseal::report::{TokenCheckOptions, TokenReport};
use privyseal::schemes::ishare::IshareError;
use privyseal::{AssertionOptions, AssertionSource as _, UnixTime, base::clock};
use privyseal_check::{RuleId, Verdict};
use privyseal_core::Audience;
use privyseal_core::scheme::ISHARE;
use privyseal_receiver::judge_assertion;
use privyseal_test_judges::decode::{Parts, to_base64url};
use privyseal_test_pki::{CertificateSpec, test_key};
use privyseal_test_servers::ishare_server::{Config, party_info};
use privyseal_test_suite::software_signer::SoftwareSigner;
use serde_json::json;

use crate::stage::{CLIENT, World, said};

/// The service provider is the party that asks the registry: here, the client itself.
fn assertion(world: &World) -> String {
    let options = AssertionOptions::default().audience(CLIENT);
    world
        .client()
        .assertion(&options)
        .unwrap()
        .as_str()
        .to_owned()
}

fn judged(world: &World, config: Config, token: &str) -> Result<TokenReport, IshareError> {
    let stage = world.play(config);
    let mut options = TokenCheckOptions::at(clock::now().unwrap());
    options.audience = Some(Audience::new(CLIENT).unwrap());
    judge_assertion(token, &ISHARE, options, &stage.registry())
}

#[test]
fn a_good_assertion_of_an_active_party_passes_every_rule() {
    let world = World::new();
    let report = judged(&world, world.registry(), &assertion(&world)).unwrap();
    assert_eq!(report.broken(), 0, "{report}");
    for rule in [RuleId::Signature, RuleId::ChainTrusted, RuleId::PartyStatus] {
        assert_eq!(
            report.report.verdict(rule),
            Some(Verdict::Passed),
            "{report}"
        );
    }
}

/// Counts how often somebody would have been asked.
#[derive(Debug, Default)]
struct Counting(AtomicUsize);

impl FetchRevocation for Counting {
    fn response(
        &self,
        _: &RevocationPlaces,
        _: &dyn Fn(&[u8]) -> Option<OcspQuestion>,
        _: &dyn Fn(&OcspResponse) -> Revocation,
        _: Instant,
    ) -> Option<Revocation> {
        None
    }

    fn lists(&self, _: &RevocationPlaces, _: UnixTime, _: Instant) -> Vec<Crl> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Vec::new()
    }

    fn forget(&self, _: &RevocationPlaces) {}
}

#[test]
fn nobody_is_asked_about_the_chain_of_a_token_that_it_did_not_sign() {
    let world = World::new();
    let asked = |token: &str| {
        let (root, counting) = (world.root(), Counting::default());
        let mut options = TokenCheckOptions::at(clock::now().unwrap());
        options.scheme = Some(&ISHARE);
        options.audience = Some(Audience::new(CLIENT).unwrap());
        options.trust = Some(&root);
        options.revocation.fetch = Some(&counting);
        TokenReport::new(token, options);
        counting.0.into_inner()
    };
    let good = assertion(&world);
    assert!(asked(&good) > 0);
    let (other, _) = good.rsplit_once('.').unwrap();
    let forged = format!("{other}.{}", to_base64url(&[7; 256]));
    assert_eq!(asked(&forged), 0);
}

#[test]
fn the_registry_decides_about_party_certificate_and_ca() {
    let world = World::new();
    let token = assertion(&world);
    let other = world.pki.chain(
        &test_key("registry", 2048).spki_der(),
        &CertificateSpec::seal(),
    );
    let mut unlisted = world.registry();
    unlisted.trusted_list.clear();
    let mut expired = world.registry();
    expired.trusted_list[0]["validity"] = json!("invalid");
    for (config, rule, words) in [
        (
            world.registry_of(party_info(CLIENT, "Revoked", &world.chain)),
            RuleId::PartyStatus,
            "not Active",
        ),
        (
            world.registry_of(party_info(CLIENT, "Active", &other)),
            RuleId::PartyStatus,
            "none of those",
        ),
        (
            world.registry_of(party_info("EU.EORI.NL1", "Active", &world.chain)),
            RuleId::PartyStatus,
            "does not know",
        ),
        (
            unlisted,
            RuleId::ChainTrusted,
            "no CA that is on the trusted list",
        ),
        (expired, RuleId::ChainTrusted, "not valid"),
    ] {
        let report = judged(&world, config, &token).unwrap();
        assert_eq!(report.broken(), 1, "{report}");
        let Some(Verdict::Broken(why)) = report.report.verdict(rule) else {
            panic!("{report}")
        };
        assert!(why.to_string().contains(words), "{why}");
    }
}

/// What anybody could have written costs no request: this registry would be refused if it were asked.
#[test]
fn a_forgery_is_refused_before_the_registry_is_asked() {
    let world = World::new();
    let liar = || world.registry().lying(|it| it.changed_later = true);
    let token = assertion(&world);
    assert!(said(&judged(&world, liar(), &token).unwrap_err()).contains("was changed"));
    let mut claims = Parts::of(&token).claims();
    claims["iss"] = json!("did:ishare:EU.NL.NTRNL-99999999");
    let header = token.split('.').next().unwrap();
    let input = format!("{header}.{}", to_base64url(claims.to_string().as_bytes()));
    let thief = test_key("registry", 2048);
    let signature = SoftwareSigner::sign_message(thief.private_key(), input.as_bytes());
    let forged = format!("{input}.{}", to_base64url(&signature));
    for bad in [forged.as_str(), "", "a.b.c", &token[..token.len() - 4]] {
        let report = judged(&world, liar(), bad).unwrap();
        assert!(report.broken() > 0, "{report}");
    }
}
