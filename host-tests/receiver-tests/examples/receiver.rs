//! What accepting an assertion costs: at first sight of a party, when it is known, and with a store that several share; beside
//! one RSA-2048 verification of ring and receivers of others in the same run. `cargo xtask bench receiver` runs it.
#![expect(clippy::print_stdout, reason = "a measurement is printed")]
#![allow(clippy::unwrap_used)] // A measurement stops where something is wrong.

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
use serde_json::json;

const PARTY: &str = "did:ishare:EU.NL.NTRNL-12345678";
const PROVIDER: &str = "did:ishare:EU.NL.NTRNL-90000009";

/// How many assertions are accepted of a party that is known, and how many are first sights.
const KNOWN: usize = 400;
const FIRST: usize = 60;

/// A registry that answers at once.
#[derive(Clone, Debug)]
struct AtOnce(Vec<Vec<u8>>);

impl RegistrySource for AtOnce {
    fn trusted_list(&self) -> Result<TrustedList, IshareError> {
        let entries: Vec<_> = self.0[1..].iter().map(|der| list_entry(der)).collect();
        let claims = json!({ "trusted_list": entries });
        Ok(TrustedList::from_claims(claims.as_object().unwrap()).unwrap())
    }

    fn party(&self, _query: PartyQuery<'_>) -> Result<Party, IshareError> {
        let claims = json!({ "party_info": party_info(PARTY, "Active", &self.0) });
        Ok(Party::from_claims(claims.as_object().unwrap())?)
    }
}

/// A chain of four with RSA-4096 CAs.
fn chain(key: &TestKey) -> Vec<Vec<u8>> {
    let authority = |name, path| CertificateSpec::authority(name, path);
    let root = Authority::root(test_key("bench-root", 4096), authority("Root", None));
    let sub = root.subordinate(test_key("bench-sub", 4096), authority("Sub", Some(1)));
    let issuing = sub.subordinate(
        test_key("bench-issuing", 4096),
        authority("Issuing", Some(0)),
    );
    let leaf = issuing.issue(&key.spki_der(), &CertificateSpec::seal());
    vec![leaf, issuing.certificate, sub.certificate, root.certificate]
}

fn assertion(key: &TestKey, chain: &[Vec<u8>], now: UnixTime, jti: usize) -> String {
    let x5c: Vec<_> = chain.iter().map(|der| to_base64(der)).collect();
    let now = now.as_secs();
    let encode = |value: serde_json::Value| to_base64url(value.to_string().as_bytes());
    let header = encode(json!({ "alg": "RS256", "typ": "JWT", "x5c": x5c }));
    let claims = encode(json!({
        "iss": PARTY, "sub": PARTY, "aud": PROVIDER, "iat": now, "exp": now + 30, "jti": jti.to_string(),
    }));
    let input = format!("{header}.{claims}");
    let signature = SoftwareSigner::sign_message(key.private_key(), input.as_bytes());
    format!("{input}.{}", to_base64url(&signature))
}

fn receiver(source: &AtOnce, store: impl ReplayStore + 'static) -> Receiver {
    let builder = Receiver::builder(&ISHARE).audience(PROVIDER);
    let builder = builder.registry(source.clone()).replay(store);
    builder.build().unwrap()
}

fn memory() -> MemoryStore {
    MemoryStore::new(100_000)
}

/// The time of one, of so many.
fn each(count: usize, work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed() / u32::try_from(count).unwrap()
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
    let chain = chain(&key);
    let source = AtOnce(chain.clone());
    let accept = |receiver: &Receiver, form: &TokenForm| {
        receiver.accept(form).unwrap();
    };
    let made_at = |now, jti| {
        let assertion = assertion(&key, &chain, now, jti);
        TokenForm::of_assertion(assertion).client_id(PARTY)
    };
    let form = |jti| made_at(clock::now().unwrap(), jti);
    let fresh = || assertion(&key, &chain, clock::now().unwrap(), 0);
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
        .map(|jti| (receiver(&source, memory()), form(jti)))
        .collect();
    let first = sorted(FIRST, |number| accept(&sights[number].0, &sights[number].1));
    let first = part(&first, 50);
    println!("first sight of a party, chain of four, RSA-4096 CAs: {first:?}");

    for threads in [1, 2] {
        let known = receiver(&source, memory());
        accept(&known, &form(usize::MAX));
        let forms: Vec<_> = (0..KNOWN).map(form).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(form) = forms.get(next.fetch_add(1, Ordering::Relaxed)) {
                accept(&known, form);
            }
        };
        let time = each(KNOWN, || {
            thread::scope(|scope| (0..threads).for_each(|_| _ = scope.spawn(work)));
        });
        println!("a party that is known, {threads} thread(s), all by their number: {time:?}");
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
