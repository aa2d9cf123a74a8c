//! Many persons at once: two hundred flows in one process, with one callback, four threads and a pool of two sessions.
//!
//! An allocator is unsafe by its signature; this one counts, and leaves the work to the system's.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(unsafe_code, reason = "an allocator that counts")]
#![expect(clippy::print_stdout, reason = "a measurement is printed")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use privyseal::base::runtime::SystemRuntime;
use privyseal::jose::jwk::{JwkSetBuilder, KidChoice};
use privyseal::oauth::AuthenticationOptions;
use privyseal::oidc::RelyingParty;
use privyseal::oidc::ciba::{
    Ciba, CibaEvent, CibaFlow, CibaRequest, CibaResponse, CibaStep, PingListener,
};
use privyseal::{Client, Http, HttpOptions, KeyUri, Prompt, Provider, Roots};
use privyseal_core::scheme::ITSME;
use privyseal_test_servers::oidc_provider::{OidcProvider, Registration};
use privyseal_test_suite::softhsm::in_own_process;
use serde_json::{Value, json};

const CLIENT: &str = "WXw9DMqkEv";
const FLOWS: usize = 200;
/// Those that bring connections and caches with them.
const FIRST: usize = 20;
const THREADS: usize = 4;
/// What one flow may hold while it waits for a person.
const MAX_HELD: usize = 16 * 1024;
const LIMIT: Duration = Duration::from_secs(240);

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is done by the system's allocator; counting needs no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn two_hundred_flows_share_a_pool_of_two() {
    in_own_process(
        "two_hundred_flows_share_a_pool_of_two",
        |token| {
            token.generate_key(2048, "01", "signing");
        },
        |token| {
            let uri = format!("{}&max-sessions=2", token.uri("signing"));
            let uri: KeyUri = uri.parse().unwrap();
            let client = Client::builder(&ITSME)
                .pins(uri.pin_sources(Prompt::Never, |warning| panic!("{warning}")))
                .key(uri)
                .client_id(CLIENT)
                .kid(KidChoice::Given("k1".to_owned()))
                .signing_client()
                .unwrap();
            let mut set = JwkSetBuilder::default();
            let kid = KidChoice::Given("k1".to_owned());
            let key = client.credential().public_key();
            set.add(key, &kid, None).unwrap();
            let listener = PingListener::start(&"0".parse().unwrap()).unwrap();
            let server = OidcProvider::start(&Registration {
                id: CLIENT,
                jwks: set.to_json(),
                callback: Some(format!("http://{}/cb", listener.address())),
                encryption: None,
                redirect_uri: None,
            });
            let known = (0..FLOWS).map(|at| (format!("t{at}"), json!(format!("p{at}"))));
            let known: serde_json::Map<_, _> = known.collect();
            // Longer than it takes to ask all of them.
            server.script(&json!({
                "polls": [], "decision": "approve", "after": 20_000, "lifetime": 200, "known": known,
            }));
            let roots = Roots::from_file(&server.cacert()).unwrap();
            let http = Http::new(&HttpOptions::default().roots(roots));
            let provider = Arc::new(Provider::discover(&http, server.issuer()).unwrap());
            let party = RelyingParty::new(Arc::new(client), http, provider);

            let (jobs, queue) = channel();
            let queue = Mutex::new(queue);
            let (answers, answered) = channel();
            thread::scope(|scope| {
                for _ in 0..THREADS {
                    let answers = answers.clone();
                    let (queue, party) = (&queue, &party);
                    scope.spawn(move || {
                        let mut ciba = Ciba::new(party, SystemRuntime::default());
                        while let Some((at, request)) = next(queue) {
                            answers.send((at, ciba.send(request))).unwrap();
                        }
                    });
                }
                Backend::new(jobs).run(&listener, &answered);
            });
            // Where too many come at once a ping is lost, and costs half a minute.
            let errors = server.events_of("error");
            let is_lost = |event: &Value| event["message"] == "socket hang up";
            assert!(errors.iter().all(is_lost), "{errors:?}");
            assert_eq!(server.events_of("ping").len() + errors.len(), FLOWS);
        },
    );
}

fn next(queue: &Mutex<Receiver<(usize, CibaRequest)>>) -> Option<(usize, CibaRequest)> {
    queue.lock().unwrap().recv().ok()
}

/// What a web backend is: it never waits for one person.
struct Backend {
    begun: Instant,
    flows: Vec<CibaFlow>,
    /// When each is looked after without a ping: one may be lost where many come at once.
    due: HashMap<usize, Duration>,
    jobs: Sender<(usize, CibaRequest)>,
    done: usize,
}

impl Backend {
    fn new(jobs: Sender<(usize, CibaRequest)>) -> Self {
        Self {
            begun: Instant::now(),
            flows: Vec::with_capacity(FLOWS),
            due: HashMap::with_capacity(FLOWS),
            jobs,
            done: 0,
        }
    }

    fn run(mut self, listener: &PingListener, answered: &Receiver<(usize, CibaResponse)>) {
        self.begin(FIRST, listener, answered);
        let before = LIVE.load(Ordering::SeqCst);
        self.begin(FLOWS, listener, answered);
        let held = LIVE.load(Ordering::SeqCst).saturating_sub(before) / (FLOWS - FIRST);
        // Room for the flows themselves was there before.
        let held = held + size_of::<CibaFlow>();
        println!("{held} bytes a flow");
        assert!((1..MAX_HELD).contains(&held), "{held} bytes a flow");

        let by_id = self.flows.iter().enumerate();
        let by_id = by_id.map(|(at, flow)| (flow.expose_auth_req_id().unwrap().to_owned(), at));
        let by_id: HashMap<String, usize> = by_id.collect();
        while self.done < FLOWS {
            assert!(self.begun.elapsed() < LIMIT, "{} are done", self.done);
            if let Some(id) = listener.wait(Duration::from_millis(1)) {
                self.step(by_id[id.as_str()], CibaEvent::Ping(&id));
            }
            while let Ok((at, response)) = answered.try_recv() {
                self.step(at, CibaEvent::Response(response));
            }
            let now = self.begun.elapsed();
            let due = self.due.iter().filter(|(_, until)| **until <= now);
            for at in due.map(|(at, _)| *at).collect::<Vec<_>>() {
                self.step(at, CibaEvent::Tick);
            }
        }
    }

    /// Has persons asked until there are so many, and waits until the provider has taken that.
    fn begin(
        &mut self,
        count: usize,
        listener: &PingListener,
        answered: &Receiver<(usize, CibaResponse)>,
    ) {
        let first = self.flows.len();
        for at in first..count {
            let mut asked = AuthenticationOptions::default();
            "openid service:TEST_LOGIN profile".clone_into(&mut asked.scope);
            asked.user_identifier_token = format!("t{at}").into();
            asked.client_notification_token = Some(listener.expose_token().to_owned().into());
            self.flows.push(CibaFlow::begin(&asked));
            self.step(at, CibaEvent::Tick);
        }
        for _ in first..count {
            let (at, response) = answered.recv_timeout(LIMIT).unwrap();
            self.step(at, CibaEvent::Response(response));
            assert!(self.flows[at].expose_auth_req_id().is_some());
        }
    }

    fn step(&mut self, at: usize, event: CibaEvent<'_>) {
        self.due.remove(&at);
        match self.flows[at].step(self.begun.elapsed(), event) {
            CibaStep::Send(request) => self.jobs.send((at, request)).unwrap(),
            CibaStep::Wait(until) => drop(self.due.insert(at, until)),
            CibaStep::Done(done) => {
                assert_eq!(done.subject(), format!("p{at}"));
                assert_eq!(done.userinfo.unwrap()["sub"], format!("p{at}"));
                self.done += 1;
            }
            other => panic!("{at}: {other:?}"),
        }
    }
}
