//! What accepting an assertion costs: at first sight of a party, when it is known, and with a store that several share; beside
//! one RSA-2048 verification of ring and receivers of others in the same run. `cargo xtask bench receiver` runs it.
#![expect(clippy::print_stdout, reason = "a measurement is printed")]
#![allow(clippy::unwrap_used)] // A measurement stops where something is wrong.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use privyseal::UnixTime;
use privyseal::base::clock;
use privyseal::schemes::ishare::{IshareError, Party, PartyQuery, TrustedList};
use privyseal_core::scheme::ISHARE;
use privyseal_receiver::replay::{MemoryStore, RedisOptions, RedisStore, ReplayStore};
use privyseal_receiver::{Receiver, RegistrySource, TokenForm};
use privyseal_test_base::scratch::host_tests;
use privyseal_test_base::tool::{LONG_LIMIT, command, output_within};
use privyseal_test_judges::decode::{Parts, to_base64, to_base64url};
use privyseal_test_judges::{java, node, python};
use privyseal_test_pki::{Authority, CertificateSpec, TestKey, test_key};
use privyseal_test_servers::ishare_server::{list_entry, party_info};
use privyseal_test_servers::redis_server::{RedisServer, free_port};
use privyseal_test_suite::software_signer::SoftwareSigner;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

const PARTY: &str = "did:ishare:EU.NL.NTRNL-12345678";
const PROVIDER: &str = "did:ishare:EU.NL.NTRNL-90000009";

/// How many assertions are accepted of a party that is known, and how many are first sights.
const KNOWN: usize = 400;
const FIRST: usize = 60;

/// How many are accepted by several threads: enough that starting these does not count.
const MANY: usize = 2000;

/// A registry that answers at once: the claims of its trusted list, and of each party.
#[derive(Clone, Debug)]
struct AtOnce(Arc<(Value, BTreeMap<String, Value>)>);

impl AtOnce {
    fn of(chains: &BTreeMap<String, Vec<Vec<u8>>>) -> Self {
        let entries: Vec<_> = chains[PARTY][1..]
            .iter()
            .map(|der| list_entry(der))
            .collect();
        let list = json!({ "trusted_list": entries });
        let party = |id: &str, chain| json!({ "party_info": party_info(id, "Active", chain) });
        let parties = chains
            .iter()
            .map(|(id, chain)| (id.clone(), party(id, chain)));
        Self(Arc::new((list, parties.collect())))
    }
}

impl RegistrySource for AtOnce {
    fn trusted_list(&self) -> Result<TrustedList, IshareError> {
        Ok(TrustedList::from_claims(self.0.0.as_object().unwrap()).unwrap())
    }

    fn party(&self, query: PartyQuery<'_>) -> Result<Party, IshareError> {
        let PartyQuery::Id(id) = query else {
            unreachable!("the scheme asks by id");
        };
        Ok(Party::from_claims(self.0.1[id].as_object().unwrap())?)
    }
}

/// Chains of four with RSA-4096 CAs, of [`PARTY`] and of as many others.
fn chains(key: &TestKey, others: usize) -> BTreeMap<String, Vec<Vec<u8>>> {
    let authority = |name, path| CertificateSpec::authority(name, path);
    let root = Authority::root(test_key("bench-root", 4096), authority("Root", None));
    let sub = root.subordinate(test_key("bench-sub", 4096), authority("Sub", Some(1)));
    let issuing = sub.subordinate(
        test_key("bench-issuing", 4096),
        authority("Issuing", Some(0)),
    );
    let cas = [
        issuing.certificate.clone(),
        sub.certificate,
        root.certificate,
    ];
    let ids = (0..others).map(party).chain([PARTY.to_owned()]);
    let chains = ids.map(|id| {
        let number = id.trim_start_matches("did:ishare:EU.NL.");
        let mut seal = CertificateSpec::seal();
        seal.subject = format!("CN=Seal,2.5.4.97={number},O=Bench,C=NL");
        let leaf = issuing.issue(&key.spki_der(), &seal);
        (id, [&[leaf], &cas[..]].concat())
    });
    chains.collect()
}

fn party(number: usize) -> String {
    format!("did:ishare:EU.NL.NTRNL-{number:08}")
}

fn assertion(key: &TestKey, id: &str, chain: &[Vec<u8>], now: UnixTime, jti: usize) -> String {
    let x5c: Vec<_> = chain.iter().map(|der| to_base64(der)).collect();
    let now = now.as_secs();
    let encode = |value: Value| to_base64url(value.to_string().as_bytes());
    let header = encode(json!({ "alg": "RS256", "typ": "JWT", "x5c": x5c }));
    let claims = encode(json!({
        "iss": id, "sub": id, "aud": PROVIDER, "iat": now, "exp": now + 30, "jti": jti.to_string(),
    }));
    let input = format!("{header}.{claims}");
    let signature = SoftwareSigner::sign_message(key.private_key(), input.as_bytes());
    format!("{input}.{}", to_base64url(&signature))
}

fn receiver(source: &AtOnce, store: Arc<dyn ReplayStore>) -> Receiver {
    let builder = Receiver::builder(&ISHARE).audience(PROVIDER);
    let builder = builder.registry(source.clone()).replay(store);
    builder.build().unwrap()
}

fn memory() -> MemoryStore {
    MemoryStore::new(100_000)
}

/// The time of all of the work by so many threads, by the number of its pieces.
fn by_threads(threads: usize, work: impl Fn(usize) + Sync) -> Duration {
    let next = AtomicUsize::new(0);
    let worker = || {
        while let number @ ..MANY = next.fetch_add(1, Ordering::Relaxed) {
            work(number);
        }
    };
    let start = Instant::now();
    thread::scope(|scope| (0..threads).for_each(|_| _ = scope.spawn(worker)));
    start.elapsed() / u32::try_from(MANY).unwrap()
}

/// Receivers of others, each warm, with the same assertion again and again: none of them remembers it.
fn peers(fresh: impl Fn() -> String) {
    let asked = |token: String| json!({ "client_id": PARTY, "audience": PROVIDER, "token": token, "count": KNOWN });
    let python = (
        python::interpreter(),
        host_tests("python/bench_receiver.py"),
    );
    let node = (node::interpreter(), node::script("bench_receiver.mjs"));
    let peers = [python, node];
    let peers = peers.map(|(program, script)| command(&program.to_string_lossy(), [script]));
    let mut nimbus = java::with_nimbus();
    nimbus.arg(host_tests("java/BenchReceiver.java"));
    for mut peer in peers.into_iter().chain([nimbus]) {
        let said = output_within(LONG_LIMIT, &mut peer, asked(fresh()).to_string().as_bytes());
        assert!(
            said.status.success(),
            "{}",
            String::from_utf8_lossy(&said.stderr)
        );
        print!("{}", String::from_utf8_lossy(&said.stdout));
    }
}

/// How long each of so many took, the shortest first: half of them is what a machine that does other things, too, tells.
fn sorted(count: usize, mut work: impl FnMut(usize)) -> Vec<Duration> {
    let times = (0..count).map(|number| {
        let start = Instant::now();
        work(number);
        start.elapsed()
    });
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times
}

/// The time that so many of a hundred did not exceed.
fn part(times: &[Duration], percent: usize) -> Duration {
    times[(times.len() - 1) * percent / 100]
}

fn main() {
    let key = test_key("seal", 2048);
    let chains = chains(&key, FIRST);
    let source = AtOnce::of(&chains);
    let accept = |receiver: &Receiver, form: &TokenForm| {
        receiver.accept(form).unwrap();
    };
    let of_party = |id: &str, now, jti| {
        let assertion = assertion(&key, id, &chains[id], now, jti);
        TokenForm::of_assertion(assertion).client_id(id)
    };
    let made_at = |now, jti| of_party(PARTY, now, jti);
    let form = |jti| made_at(clock::now().unwrap(), jti);
    let fresh = || assertion(&key, PARTY, &chains[PARTY], clock::now().unwrap(), 0);
    let token = fresh();
    let parts = Parts::of(&token);
    let public = key.private_key().to_public_key();
    let (n, e) = (public.n_bytes(), [1, 0, 1]);
    let ring_key = RsaPublicKeyComponents { n: &*n, e: &e[..] };
    let ring = sorted(KNOWN, |_| {
        let input = parts.signing_input.as_bytes();
        let verified = ring_key.verify(&RSA_PKCS1_2048_8192_SHA256, input, &parts.signature);
        verified.unwrap();
    });
    let ring = part(&ring, 50);
    println!(
        "one RSA-2048 verification of ring, over these {} bytes: {ring:?}",
        token.len()
    );

    peers(fresh);

    let sights: Vec<_> = (0..FIRST)
        .map(|jti| (receiver(&source, Arc::new(memory())), form(jti)))
        .collect();
    let first = sorted(FIRST, |number| accept(&sights[number].0, &sights[number].1));
    let first = part(&first, 50);
    println!("first sight of a party and of its CAs, chain of four, RSA-4096 CAs: {first:?}");
    let running = receiver(&source, Arc::new(memory()));
    accept(&running, &form(FIRST));
    let now = clock::now().unwrap();
    let others: Vec<_> = (0..FIRST)
        .map(|number| of_party(&party(number), now, number))
        .collect();
    let first = sorted(FIRST, |number| accept(&running, &others[number]));
    let first = part(&first, 50);
    println!("first sight of a party whose CAs are known, the same chain: {first:?}");

    let known = receiver(&source, Arc::new(memory()));
    accept(&known, &form(usize::MAX));
    for threads in [1, 2] {
        let forms: Vec<_> = (0..MANY)
            .map(|number| form(threads * MANY + number))
            .collect();
        let accepted = by_threads(threads, |number| accept(&known, &forms[number]));
        let bare = by_threads(threads, |_| {
            let input = parts.signing_input.as_bytes();
            ring_key
                .verify(&RSA_PKCS1_2048_8192_SHA256, input, &parts.signature)
                .unwrap();
        });
        println!(
            "a party that is known, {threads} thread(s), all by their number: {accepted:?}; ring's verification: {bare:?}"
        );
    }

    let server = RedisServer::start(free_port(), &[]);
    let options = RedisOptions::new(format!("redis://127.0.0.1:{}/", server.port));
    let stores: [(&str, Arc<dyn ReplayStore>); 2] = [
        ("seen kept in memory", Arc::new(memory())),
        (
            "seen kept in Redis on loopback",
            Arc::new(RedisStore::new(options).unwrap()),
        ),
    ];
    for (name, store) in stores {
        let known = receiver(&source, store);
        let now = clock::now().unwrap();
        // A store that is new refuses what was made before.
        let _ = known.accept_at(&made_at(now, KNOWN), now);
        let later = now.saturating_add(20);
        let forms: Vec<_> = (0..KNOWN).map(|jti| made_at(later, jti)).collect();
        let warm = made_at(later, KNOWN + 1);
        known.accept_at(&warm, later).unwrap();
        let times = sorted(KNOWN, |number| {
            known.accept_at(&forms[number], later).unwrap();
        });
        for percent in [50, 99] {
            let time = part(&times, percent);
            let ratio = time.as_secs_f64() / ring.as_secs_f64();
            println!(
                "a party that is known, {name}, p{percent}: {time:?}, {ratio:.2} of ring's verification"
            );
        }
    }
}
