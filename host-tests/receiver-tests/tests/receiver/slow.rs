//! Servers that take their time: a registry, a CA. Who asks about strangers keeps nobody out.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use privyseal::HttpOptions;
use privyseal::http::RevocationFetcher;
use privyseal_core::scheme::ISHARE;
use privyseal_receiver::{
    AsyncReceiver, Receiver, ReceiverBuilder, Rejection, Revocation, TokenForm, VerifiedParty,
};
use privyseal_test_pki::CertificateSpec;
use privyseal_test_pki::der::element;
use privyseal_test_servers::ishare_server::party_info;
use serde_json::json;
use tokio::runtime;
use tokio::task::JoinHandle;

use crate::stage::{CONSUMER, Stage, Switch, World, eventually, now};

/// Another party that the registry knows, and that nobody has seen.
const NEWCOMER: &str = "did:ishare:EU.NL.NTRNL-20000002";

/// How many of the 96 places one organization has, where nobody else waits.
const SHARE: usize = 32;

/// Lets a server answer, also where a test fails: else its threads wait on.
struct Released<'s>(&'s Switch);

impl Drop for Released<'_> {
    fn drop(&mut self) {
        self.0.set_held(false);
    }
}

/// Requests at once, each a task.
struct Crowd(AsyncReceiver);

type Presented = JoinHandle<Result<VerifiedParty, Rejection>>;

impl Crowd {
    fn of(receiver: Receiver) -> Self {
        Self(AsyncReceiver::new(Arc::new(receiver), 256))
    }

    fn present(&self, assertion: &str, id: &str) -> Presented {
        let (receiver, form) = (self.0.clone(), TokenForm::of_assertion(assertion));
        let form = form.client_id(id);
        tokio::spawn(async move { receiver.accept(form).await })
    }

    /// Presents an assertion three hundred times; those that wait, once the others were refused.
    async fn flood(&self, assertion: &str, id: &str) -> Vec<Presented> {
        let presented = (0..300).map(|_| self.present(assertion, id));
        let presented: Vec<_> = presented.collect();
        until(|| waiting(&presented) <= SHARE).await;
        presented
    }
}

fn waiting(presented: &[Presented]) -> usize {
    presented.iter().filter(|task| !task.is_finished()).count()
}

/// Other tasks go on until it is so.
async fn until(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "it never was so"
        );
        tokio::task::yield_now().await;
    }
}

fn runtime() -> runtime::Runtime {
    runtime::Builder::new_current_thread().build().unwrap()
}

#[test]
fn who_waits_for_a_slow_registry_leaves_places_for_who_is_known_and_who_is_not() {
    let world = World::new();
    let newcomer = world.of_another("NTRNL-20000002");
    let mut config = world.honest();
    config
        .parties
        .push(party_info(NEWCOMER, "Active", &newcomer.chain));
    let stage = world.play(config);
    stage.accept(&world.assertion()).unwrap();
    stage.switch.take_asked();
    let unknown = "EU.EORI.NL000000001";
    let stranger = world.of_another("NTRNL-30000003").assertion_of(unknown);
    let crowd = Crowd::of(stage.receiver);
    let switch = &stage.switch;
    switch.set_held(true);
    runtime().block_on(async {
        let released = Released(switch);
        let strangers = crowd.flood(&stranger, unknown).await;
        let known = crowd.present(&world.assertion(), CONSUMER).await.unwrap();
        assert_eq!(known.unwrap().id(), CONSUMER);
        let new = crowd.present(&newcomer.assertion_of(NEWCOMER), NEWCOMER);
        until(|| switch.count_asked() == 2).await;
        assert!(waiting(&strangers) > 0);
        drop(released);
        assert_eq!(new.await.unwrap().unwrap().id(), NEWCOMER);
        for task in strangers {
            task.await.unwrap().unwrap_err();
        }
    });
}

/// A CA on loopback that has no list unless it publishes one. It takes its time while it is held.
struct SlowCa {
    url: String,
    switch: Switch,
    asked: Arc<AtomicUsize>,
    published: Arc<Mutex<Vec<u8>>>,
}

impl SlowCa {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/list", listener.local_addr().unwrap());
        let (switch, asked) = (Switch::default(), Arc::<AtomicUsize>::default());
        let (held, counter) = (switch.clone(), Arc::clone(&asked));
        let published = Arc::<Mutex<Vec<u8>>>::default();
        let list = Arc::clone(&published);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                counter.fetch_add(1, Ordering::SeqCst);
                let (held, list) = (held.clone(), Arc::clone(&list));
                thread::spawn(move || {
                    held.wait();
                    let list = list.lock().unwrap().clone();
                    let status = if list.is_empty() { 404 } else { 200 };
                    let len = list.len();
                    let start = format!(
                        "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {len}\r\n\r\n"
                    );
                    let _ = stream.read(&mut [0; 4096]);
                    let _ = stream.write_all(&[start.as_bytes(), &list].concat());
                });
            }
        });
        Self {
            url,
            switch,
            asked,
            published,
        }
    }

    fn publish(&self, list: Vec<u8>) {
        *self.published.lock().unwrap() = list;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// That party, whose certificate says where the list is.
    fn party(&self, world: &World, number: &str) -> World {
        let place = element(0x86, self.url.as_bytes());
        let place = [0xa0, 0xa0, 0x30, 0x30]
            .iter()
            .fold(place, |inner, tag| element(*tag, &inner));
        let mut leaf = CertificateSpec::seal();
        leaf.special.push(("2.5.29.31", place));
        world.sealed_as(number, leaf)
    }
}

/// Revocation of a world's certificates, where a list that cannot be had is no reason to refuse.
fn judged(world: &World) -> impl FnOnce(ReceiverBuilder) -> ReceiverBuilder {
    judged_by(world, true)
}

fn judged_by(
    world: &World,
    allow_unknown: bool,
) -> impl FnOnce(ReceiverBuilder) -> ReceiverBuilder {
    let revocation = Revocation::by_lists(world.lists_above());
    let revocation = revocation.online(RevocationFetcher::new(&HttpOptions::default()));
    move |builder| builder.revocation(revocation.allow_unknown(allow_unknown))
}

#[test]
fn who_waits_for_a_slow_ca_leaves_places_for_who_is_known_and_who_is_not() {
    let world = World::new();
    let ca = SlowCa::start();
    let [known, newcomer, stranger] = ["NTRNL-12345678", "NTRNL-20000002", "NTRNL-30000003"]
        .map(|number| ca.party(&world, number));
    let mut config = world.registry_of(party_info(CONSUMER, "Active", &known.chain));
    config
        .parties
        .push(party_info(NEWCOMER, "Active", &newcomer.chain));
    let stage = world.play_with(&ISHARE, config, judged(&world));
    stage.accept(&known.assertion()).unwrap();
    assert_eq!(ca.asked(), 1);
    let unknown = "did:ishare:EU.NL.NTRNL-30000003";
    let crowd = Crowd::of(stage.receiver);
    ca.switch.set_held(true);
    runtime().block_on(async {
        let released = Released(&ca.switch);
        let strangers = crowd.flood(&stranger.assertion_of(unknown), unknown).await;
        let accepted = crowd.present(&known.assertion(), CONSUMER).await.unwrap();
        assert_eq!(accepted.unwrap().id(), CONSUMER);
        // All of them wait for one list, and one of them asks for it.
        until(|| ca.asked() == 2).await;
        let new = crowd.present(&newcomer.assertion_of(NEWCOMER), NEWCOMER);
        drop(released);
        assert_eq!(new.await.unwrap().unwrap().id(), NEWCOMER);
        let mut refused = 0;
        for task in strangers {
            let rejection = task.await.unwrap().unwrap_err();
            refused += usize::from(rejection.text().contains("too many wait"));
        }
        assert!(refused >= 256 - SHARE, "{refused}");
    });
}

/// One caller proves a chain again ahead of its end; the others do not wait for that.
#[test]
fn nobody_waits_for_a_chain_that_is_proved_again_ahead_of_its_end() {
    let world = World::new();
    let ca = SlowCa::start();
    let party = ca.party(&world, "NTRNL-12345678");
    let config = world.registry_of(party_info(CONSUMER, "Active", &party.chain));
    let stage = world.play_with(&ISHARE, config, |builder| {
        judged(&world)(builder).reprove_after(Duration::from_secs(20))
    });
    let Stage { receiver, .. } = &stage;
    let start = now();
    let accept = |seconds| {
        let assertion = party.with_claims(|claims| {
            claims["iat"] = json!(start.as_secs());
            claims["exp"] = json!(start.as_secs() + 30);
        });
        let form = TokenForm::of_assertion(assertion).client_id(CONSUMER);
        receiver.accept_at(&form, start.saturating_add(seconds))
    };
    for seconds in [0, 15] {
        accept(seconds).unwrap();
    }
    assert_eq!(ca.asked(), 1);
    ca.switch.set_held(true);
    let released = Released(&ca.switch);
    thread::scope(|scope| {
        let again = scope.spawn(|| accept(16));
        eventually(|| ca.asked() == 2);
        accept(16).unwrap();
        assert!(!again.is_finished());
        assert_eq!(ca.asked(), 2);
        drop(released);
        again.join().unwrap().unwrap();
    });
    // What is new is used, and lasts as long.
    accept(25).unwrap();
    assert_eq!(ca.asked(), 2);
}

/// A CA that tells nothing says nothing against the client, and is not asked again for each time that one is presented.
#[test]
fn who_cannot_be_judged_is_told_to_come_again_and_costs_its_ca_one_request() {
    let world = World::new();
    let ca = SlowCa::start();
    let party = ca.party(&world, "NTRNL-12345678");
    let config = world.registry_of(party_info(CONSUMER, "Active", &party.chain));
    let stage = world.play_with(&ISHARE, config, judged_by(&world, false));
    for again in [false, true, true] {
        let rejection = stage.accept(&party.assertion()).unwrap_err();
        assert!(rejection.is_temporary(), "{rejection}");
        assert!(again || rejection.text().contains("404"), "{rejection}");
    }
    assert_eq!(ca.asked(), 1);
}

/// Nobody is named who could tell, or who is named tells about others only: to come again is of no use.
#[test]
fn whose_revocation_nobody_can_tell_is_refused_and_costs_its_ca_one_request() {
    let world = World::new();
    let play = |party: &World| {
        let config = world.registry_of(party_info(CONSUMER, "Active", &party.chain));
        world.play_with(&ISHARE, config, judged_by(&world, false))
    };
    play(&world).refuses(&world.assertion(), "revocation", "cannot be told");
    let ca = SlowCa::start();
    ca.publish(world.pki.sub.revocation_list(&[]));
    let party = ca.party(&world, "NTRNL-12345678");
    let stage = play(&party);
    for _ in 0..3 {
        stage.refuses(&party.assertion(), "revocation", "cannot be told");
    }
    assert_eq!(ca.asked(), 1);
}

/// SIGHUP reads files again; what a CA said that is away since is in none of them.
#[test]
fn new_lists_make_nobody_ask_again_and_count_while_a_ca_is_away() {
    let world = World::new();
    let issuing = &world.pki.issuing;
    // One is kept; of the other only the proof is.
    for list in [issuing.revocation_list(&[]), issuing.passing_list()] {
        let ca = SlowCa::start();
        ca.publish(list);
        let party = ca.party(&world, "NTRNL-12345678");
        let config = world.registry_of(party_info(CONSUMER, "Active", &party.chain));
        let stage = world.play_with(&ISHARE, config, judged_by(&world, false));
        stage.accept(&party.assertion()).unwrap();
        ca.publish(Vec::new());
        stage.receiver.set_lists(world.lists_above());
        for _ in 0..2 {
            stage.accept(&party.assertion()).unwrap();
        }
        stage.receiver.set_lists(world.lists(&[&party.chain[0]]));
        stage.refuses(&party.assertion(), "revocation", "was revoked");
    }
}
