//! The client for tasks: whatever hangs, the runtime's one thread does not.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use privyseal::client::AsyncClient;
use privyseal::oauth::OAuthError;
use privyseal::{
    Assertion, AssertionOptions, AssertionSource, Certificates, Client, Error, Http, HttpOptions,
    Roots, Server, SigningClient,
};
use privyseal_core::scheme::FIAM;
use privyseal_core::{ClientId, Credential};
use privyseal_test_pki::TestPki;
use privyseal_test_servers::fiam_server::FiamServer;
use privyseal_test_suite::flow::{self, Outcome};
use privyseal_test_suite::software_signer::SoftwareSigner;

/// Signs once nobody holds the gate, and counts.
struct Gated {
    client: SigningClient<SoftwareSigner>,
    gate: Arc<Mutex<()>>,
    begun: Arc<AtomicUsize>,
}

impl AssertionSource for Gated {
    fn credential(&self) -> &Credential<Vec<u8>> {
        self.client.credential()
    }

    fn assertion(&self, options: &AssertionOptions) -> Result<Assertion, OAuthError> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let _open = self.gate.lock().unwrap();
        self.client.assertion(options)
    }
}

struct Stage {
    client: AsyncClient,
    gate: Arc<Mutex<()>>,
    begun: Arc<AtomicUsize>,
    fiam: FiamServer,
}

impl Stage {
    fn new(id: &str) -> Self {
        let (pki, key, chain) = TestPki::with_seal();
        let fiam = FiamServer::trusting(&pki.root.certificate);
        let roots = Certificates::from_bytes(fiam.tls_ca_pem().as_bytes()).unwrap();
        let http = Http::new(&HttpOptions::default().roots(Roots::Only(roots)));
        let chain = Certificates::from(chain);
        let (id, signer) = (ClientId::new(id).unwrap(), SoftwareSigner::new(&key));
        let (gate, begun) = <(Arc<Mutex<()>>, Arc<AtomicUsize>)>::default();
        let source = Gated {
            client: SigningClient::new(&FIAM, id, chain.chain().unwrap(), signer).unwrap(),
            gate: Arc::clone(&gate),
            begun: Arc::clone(&begun),
        };
        Self {
            client: Client::from_source(Box::new(source), http).into(),
            gate,
            begun,
            fiam,
        }
    }

    fn server(&self) -> Server {
        Server::new(self.fiam.base_url().parse().unwrap())
    }

    /// As many tasks as that, each with a token or an error.
    fn tasks(&self, count: usize) -> Vec<tokio::task::JoinHandle<Result<String, Error>>> {
        let ask = |(client, server): (AsyncClient, Server)| async move {
            let token = client.token(&server).await?;
            Ok(token.expose().to_owned())
        };
        let one = || tokio::spawn(ask((self.client.clone(), self.server())));
        std::iter::repeat_with(one).take(count).collect()
    }
}

#[tokio::test(flavor = "current_thread")]
async fn five_hundred_tasks_get_the_token_of_one_request() {
    let stage = Stage::new("EU.EORI.NL123456789");
    let mut tokens = Vec::new();
    for task in stage.tasks(500) {
        tokens.push(task.await.unwrap().unwrap());
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    assert_eq!(stage.begun.load(Ordering::SeqCst), 1);
    // One that a server did not take is forgotten.
    stage.client.blocking().forget_token(&stage.server());
    let new = stage.client.token(&stage.server()).await.unwrap();
    assert_ne!(new.expose(), tokens[0]);
}

#[tokio::test(flavor = "current_thread")]
async fn tasks_that_wait_for_one_request_share_its_failure() {
    let stage = Stage::new("EU.EORI.NL000000403");
    for task in stage.tasks(100) {
        let error = task.await.unwrap().unwrap_err();
        assert_eq!(error.refusal().unwrap().status(), 403);
    }
    assert_eq!(stage.begun.load(Ordering::SeqCst), 1);
    // It is not remembered, and one who asks alone has the error itself.
    let error = stage.client.token(&stage.server()).await.unwrap_err();
    assert!(matches!(error, OAuthError::Refused(_)), "{error:?}");
    assert_eq!(stage.begun.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "current_thread")]
#[expect(
    clippy::await_holding_lock,
    reason = "the threads that ask the key wait for it"
)]
async fn a_key_that_hangs_holds_up_neither_the_runtime_nor_a_token_that_is_there() {
    let stage = Stage::new("EU.EORI.NL123456789");
    let server = stage.server();
    let first = stage.client.token(&server).await.unwrap();
    let shut = stage.gate.lock().unwrap();
    let assertion =
        |client: AsyncClient| async move { client.assertion(&AssertionOptions::default()).await };
    let asked: Vec<_> = (0..200)
        .map(|_| tokio::spawn(assertion(stage.client.clone())))
        .collect();
    while stage.begun.load(Ordering::SeqCst) < 33 {
        // Only a runtime that is not blocked comes back here.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
        let token = stage.client.token(&server).await.unwrap();
        assert!(Arc::ptr_eq(&token, &first));
    }
    // No more threads wait than that, and a task that waits no longer is free.
    assert_eq!(stage.begun.load(Ordering::SeqCst), 33);
    let limit = Duration::from_millis(10);
    let alone = tokio::time::timeout(limit, stage.client.self_test());
    assert!(alone.await.is_err());
    assert!(asked.iter().all(|task| !task.is_finished()));
    drop(shut);
    for task in asked {
        task.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_panic_goes_on_where_it_is_waited_for() {
    let stage = Stage::new("EU.EORI.NL123456789");
    let client = stage.client.clone();
    let work = tokio::spawn(async move {
        let work = |_: &Client| -> Result<(), OAuthError> { panic!("on purpose") };
        client.run(work).await
    });
    assert!(work.await.unwrap_err().is_panic());
    stage.client.token(&stage.server()).await.unwrap();
}

/// The example, with a key in SoftHSM.
#[test]
fn the_example_prints_contracts() {
    let client = flow::Client::new();
    let server = FiamServer::trusting(&client.pki.root.certificate);
    let ca = client.file("tls-ca.pem", server.tls_ca_pem());
    let run = |id: &str| {
        let mut command = Command::new(privyseal_test_base::privyseal::example("async"));
        command.env("SOFTHSM2_CONF", client.token.configuration());
        command.args([&client.token.uri(flow::KEY), id, &server.base_url()]);
        Outcome::of(command.arg(&ca))
    };
    assert_eq!(run("EU.EORI.NL123456789").json()["total_count"], 2);
    run("EU.EORI.NL000000403").failed(1, "403");
}
