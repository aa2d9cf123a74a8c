//! What is kept, for how long, and what strangers can make a receiver do.

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use privyseal_core::scheme::ISHARE;
use privyseal_receiver::{AsyncReceiver, CachePolicy, ReceiverBuilder, TokenForm};
use privyseal_test_judges::decode::{to_base64, to_base64url};
use privyseal_test_pki::{Authority, CertificateSpec, test_key};
use privyseal_test_servers::ishare_server::{Config, party_info};
use serde_json::{Value, json};
use tokio::runtime;

use crate::stage::{CONSUMER, Stage, World, eventually};

/// Asked for again each time, and used so long.
fn refreshed(limit: Duration) -> impl FnOnce(ReceiverBuilder) -> ReceiverBuilder {
    move |builder| {
        builder.cache(
            CachePolicy::default()
                .wait(LONG)
                .refresh_after(Duration::ZERO)
                .limit(limit),
        )
    }
}

const LONG: Duration = Duration::from_secs(3600);

#[test]
fn a_registry_that_is_away_does_not_stop_who_is_known_until_the_limit() {
    let world = World::new();
    let play = |limit| world.play_with(&ISHARE, world.honest(), refreshed(limit));
    let stage = play(LONG);
    stage.accept(&world.assertion()).unwrap();
    stage.switch.set_away(true);
    for _ in 0..3 {
        stage.accept(&world.assertion()).unwrap();
    }
    let stage = play(Duration::ZERO);
    stage.accept(&world.assertion()).unwrap();
    stage.switch.set_away(true);
    let rejection = stage.accept(&world.assertion()).unwrap_err();
    assert!(rejection.is_temporary(), "{rejection}");
    stage.switch.set_away(false);
    eventually(|| stage.accept(&world.assertion()).is_ok());
}

/// Nobody waits for what is asked for again ahead of its end, however slow the registry is, and it is asked once.
#[test]
fn what_the_registry_says_is_asked_for_again_ahead_of_its_end() {
    let world = World::new();
    let stage = world.play_with(&ISHARE, world.honest(), refreshed(LONG));
    stage.accept(&world.assertion()).unwrap();
    let mut asked = stage.switch.take_asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    stage.switch.set_held(true);
    for _ in 0..8 {
        stage.accept(&world.assertion()).unwrap();
    }
    let mut again = stage.switch.wait_for_asked(2);
    stage.switch.set_held(false);
    asked.sort();
    again.sort();
    assert_eq!(again, asked);
}

/// Any number of first sights at once are one request for the list, and one for the party.
#[test]
fn many_who_wait_are_one_request() {
    let world = World::new();
    let stage = world.play(world.honest());
    stage.switch.set_held(true);
    let asked = thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| stage.accept(&world.assertion()).unwrap());
        }
        let first = stage.switch.wait_for_asked(1);
        stage.switch.set_held(false);
        first
    });
    assert_eq!(asked, ["list"]);
    assert_eq!(stage.switch.take_asked().len(), 1);
}

/// A task that waits for the registry holds no thread of the runtime, and of those that wait there is a bounded number.
#[test]
fn an_asynchronous_caller_waits_and_other_tasks_go_on() {
    let world = World::new();
    let Stage {
        receiver, switch, ..
    } = world.play(world.honest());
    let form = || TokenForm::of_assertion(world.assertion()).client_id(CONSUMER);
    let receiver = AsyncReceiver::new(Arc::new(receiver), 1);
    let runtime = runtime::Builder::new_current_thread().build().unwrap();
    switch.set_held(true);
    runtime.block_on(async {
        let (waiting, first) = (receiver.clone(), form());
        let first = tokio::spawn(async move { waiting.accept(first).await });
        tokio::task::yield_now().await;
        assert_eq!(switch.wait_for_asked(1), ["list"]);
        // The runtime's only thread is free.
        let second = receiver.accept(form()).await.unwrap_err();
        assert!(second.is_temporary(), "{second}");
        assert!(!first.is_finished());
        switch.set_held(false);
        assert_eq!(first.await.unwrap().unwrap().id(), CONSUMER);
        assert_eq!(receiver.accept(form()).await.unwrap().id(), CONSUMER);
    });
}

/// Ten thousand strangers whose assertions are well formed and come to nothing.
#[test]
fn strangers_cost_no_request_before_the_cheap_checks_and_few_after() {
    let world = World::new();
    let liars = [(); 4].map(|()| world.of_another("NTRNL-30000003"));
    let liar_id = "did:ishare:EU.NL.NTRNL-30000003";
    let mut config = world.honest();
    let registered = party_info(liar_id, "Active", &liars[0].chain);
    config.parties.push(registered);
    let stage = world.play(config);
    let refuse = |assertion: String, id: String| {
        let form = TokenForm::of_assertion(assertion).client_id(id);
        stage.receiver.accept(&form).unwrap_err()
    };
    // Each with an id, a header and a jti of its own. What costs nothing is judged before the signature.
    let unsigned = |number: usize, change: &dyn Fn(&mut Value)| {
        let (mut header, mut claims) = (world.header(), world.claims());
        let id = format!("did:ishare:EU.NL.NTRNL-{number:08}");
        (header["typ"], claims["iss"], claims["sub"]) = (json!(id), json!(id), json!(id));
        change(&mut claims);
        let [header, claims] =
            [header, claims].map(|part| to_base64url(part.to_string().as_bytes()));
        refuse(format!("{header}.{claims}.{}", to_base64url(&[7; 256])), id)
    };
    let late = |claims: &mut Value| {
        for name in ["iat", "exp"] {
            claims[name] = json!(claims[name].as_u64().unwrap() - 600);
        }
    };
    for number in 0..4_000 {
        let refused = unsigned(number, &late);
        assert_eq!(refused.rule().name(), "time-not-expired");
        let refused = unsigned(number, &|claims| {
            claims["aud"] = json!("EU.EORI.NL000000009")
        });
        assert_eq!(refused.rule().name(), "claim-aud");
    }
    assert_eq!(stage.switch.take_asked(), [""; 0]);

    // Seals that strangers make themselves, below a root of their own: the trusted list is asked for, once.
    for number in 0..20 {
        let root = CertificateSpec::authority(&format!("Root {number}"), None);
        let root = Authority::root(test_key("stranger", 2048), root);
        let key = test_key("seal", 2048);
        let leaf = root.issue(&key.spki_der(), &CertificateSpec::seal());
        let chain = vec![leaf, root.certificate];
        let own = World {
            key,
            chain,
            ..World::new()
        };
        for _ in 0..50 {
            let refused = stage.accept(&own.assertion()).unwrap_err();
            assert_eq!(refused.rule().name(), "chain-trusted", "{refused}");
        }
    }
    assert_eq!(stage.switch.take_asked(), ["list"]);

    // An organization with a seal of a listed CA, however many, that claims to be everybody: an EORI is in no certificate.
    let own = || {
        let form = TokenForm::of_assertion(liars[0].assertion_of(liar_id));
        stage.receiver.accept(&form.client_id(liar_id)).unwrap()
    };
    own();
    let began = Instant::now();
    for number in 0..100 {
        let id = format!("EU.EORI.NL{number:09}");
        let assertion = liars[number % liars.len()].assertion_of(&id);
        for _ in 0..10 {
            refuse(assertion.clone(), id.clone());
        }
    }
    let id = "EU.EORI.NL999999999";
    let last = refuse(liars[0].assertion_of(id), id.to_owned());
    if began.elapsed() < Duration::from_secs(30) {
        assert!(last.text().contains("asked for too many parties"), "{last}");
    }
    let asked = stage.switch.take_asked().len();
    // A minute has eight of them, and a refused id is asked for again after half a minute.
    let allowed = 12 * (1 + began.elapsed().as_secs() / 30);
    assert!(u64::try_from(asked).unwrap() <= allowed, "{asked} requests");
    // Who is known is not kept out by that, nor anybody else.
    own();
    stage.accept(&world.assertion()).unwrap();
    assert_eq!(CONSUMER, stage.accept(&world.assertion()).unwrap().id());
}

/// A registry whose list withdraws the CA once the flag is set.
fn withdrawing(world: &World) -> (Arc<AtomicBool>, Config) {
    let withdrawn = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&withdrawn);
    let config = world.honest().lying(move |draft| {
        let is_withdrawn = flag.load(Ordering::SeqCst);
        if let (true, Some(list)) = (is_withdrawn, draft.claims.get_mut("trusted_list")) {
            list[0]["status"] = json!("withdrawn");
        }
    });
    (withdrawn, config)
}

#[test]
fn a_withdrawn_ca_is_noticed_with_the_next_list() {
    let world = World::new();
    let (withdrawn, config) = withdrawing(&world);
    let stage = world.play_with(&ISHARE, config, refreshed(LONG));
    stage.accept(&world.assertion()).unwrap();
    withdrawn.store(true, Ordering::SeqCst);
    // The list that is known is used while it is got again.
    stage.accept(&world.assertion()).unwrap();
    eventually(|| stage.accept(&world.assertion()).is_err());
    stage.refuses(&world.assertion(), "chain-trusted", "not granted");
}

/// While the registry answers, nothing is used that is older than its life.
#[test]
fn a_withdrawn_ca_is_noticed_at_once_where_the_list_is_older_than_its_life() {
    let world = World::new();
    let (withdrawn, config) = withdrawing(&world);
    let stage = world.play_with(&ISHARE, config, |builder| {
        let policy = CachePolicy::default()
            .wait(LONG)
            .refresh_after(Duration::ZERO)
            .limit(LONG);
        builder.cache(policy.life(Duration::ZERO).patience(LONG))
    });
    stage.accept(&world.assertion()).unwrap();
    withdrawn.store(true, Ordering::SeqCst);
    stage.refuses(&world.assertion(), "chain-trusted", "not granted");
}

/// A link between CAs is verified once; one that differs by a bit is another.
#[test]
fn a_ca_that_was_proved_vouches_for_no_copy_of_it() {
    let world = World::new();
    let stage = world.play(world.honest());
    for _ in 0..2 {
        stage.accept(&world.assertion()).unwrap();
        for position in 1..world.chain.len() {
            let mut chain = world.chain.clone();
            *chain[position].last_mut().unwrap() ^= 1;
            let x5c: Vec<_> = chain.iter().map(|der| to_base64(der)).collect();
            let header = json!({ "alg": "RS256", "typ": "JWT", "x5c": x5c });
            let forged = world.sign(&header, &world.claims());
            let rejection = stage.accept(&forged).unwrap_err();
            assert_eq!(
                rejection.rule().name(),
                "x5c-chain",
                "{position}: {rejection}"
            );
        }
    }
}

/// A record that is known and older than the certificate is asked for again, and a certificate that is registered no more is
/// refused from then on.
#[test]
fn a_certificate_that_was_registered_since_is_accepted_at_once() {
    let world = World::new();
    let renewed = world.sealed_as("NTRNL-12345678", CertificateSpec::seal());
    let is_renewed = Arc::new(AtomicBool::new(false));
    let (flag, record) = (
        Arc::clone(&is_renewed),
        party_info(CONSUMER, "Active", &renewed.chain),
    );
    let config = world.honest().lying(move |draft| {
        if let (true, Some(party)) = (
            flag.load(Ordering::SeqCst),
            draft.claims.get_mut("party_info"),
        ) {
            *party = record.clone();
        }
    });
    let stage = world.play(config);
    stage.accept(&world.assertion()).unwrap();
    stage.refuses(&renewed.assertion(), "party-status", "certificate");
    is_renewed.store(true, Ordering::SeqCst);
    stage.accept(&renewed.assertion()).unwrap();
    stage.refuses(&world.assertion(), "party-status", "certificate");
    // One whose requests came to nothing too often gets what is known.
    for _ in 0..20 {
        stage.refuses(&world.assertion(), "party-status", "certificate");
    }
    let asked = stage.switch.take_asked().len();
    assert!(asked <= 12, "{asked}");
    stage.accept(&renewed.assertion()).unwrap();
}

/// A registry whose records are changed while the flag is set.
fn mistaken(world: &World, change: fn(&mut Value)) -> (Arc<AtomicBool>, Config) {
    let is_wrong = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&is_wrong);
    let config = world.honest().lying(move |draft| {
        let wrong = flag.load(Ordering::SeqCst);
        if let (true, Some(party)) = (wrong, draft.claims.get_mut("party_info")) {
            change(party);
        }
    });
    (is_wrong, config)
}

/// An answer about somebody else says nothing about the party, and a wrong one about it is believed for its time only.
#[test]
fn a_registry_that_is_wrong_for_a_while_locks_nobody_out() {
    let world = World::new();
    let another = |party: &mut Value| party["party_id"] = json!("did:ishare:EU.NL.NTRNL-30000003");
    let (is_wrong, config) = mistaken(&world, another);
    let stage = world.play_with(&ISHARE, config, refreshed(LONG));
    is_wrong.store(true, Ordering::SeqCst);
    stage.refuses(&world.assertion(), "unavailable", "another party");
    is_wrong.store(false, Ordering::SeqCst);
    eventually(|| stage.accept(&world.assertion()).is_ok());
    is_wrong.store(true, Ordering::SeqCst);
    stage.switch.take_asked();
    for _ in 0..12 {
        stage.accept(&world.assertion()).unwrap();
    }
    stage.switch.wait_for_asked(2);
    stage.accept(&world.assertion()).unwrap();

    let (is_wrong, config) = mistaken(&world, |party| {
        party["adherence"]["status"] = json!("Revoked");
    });
    is_wrong.store(true, Ordering::SeqCst);
    let stage = world.play_with(&ISHARE, config, |builder| {
        let policy = CachePolicy::default().wait(LONG);
        builder.cache(policy.negative(Duration::from_secs(3)))
    });
    for _ in 0..12 {
        stage.refuses(&world.assertion(), "party-status", "not Active");
    }
    is_wrong.store(false, Ordering::SeqCst);
    eventually(|| match stage.accept(&world.assertion()) {
        Ok(_) => true,
        Err(rejection) => {
            assert_eq!(rejection.rule().name(), "party-status", "{rejection}");
            false
        }
    });
}
