//! A web application that has persons log in with itsme: a page shows each browser its own QR code until the person's
//! phone has seen it, and then their name.
//!
//! ```console
//! $ cargo run --example web -- KEY_URI DECRYPTION_KEY_URI KID CLIENT_ID ISSUER SERVICE ADDRESS [CA_FILE]
//! ```
//! Nothing waits for a person: each has a [`CibaFlow`], which says what is to be done next. The application's own web
//! server takes the provider's pings, at `/ping`; TLS is for the proxy before it.

#![allow(clippy::print_stdout, reason = "an example shows where it listens")]

use std::collections::HashMap;
use std::env;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use privyseal::base::runtime::{Runtime as _, SystemRuntime};
use privyseal::jose::jwk::KidChoice;
use privyseal::oauth::AuthenticationOptions;
use privyseal::oidc::RelyingParty;
use privyseal::oidc::ciba::{
    Ciba, CibaEvent, CibaFlow, CibaRequest, CibaResponse, CibaStep, NotificationToken, PingFault,
};
use privyseal::{Client, Http, HttpOptions, KeyUri, Prompt, Provider, Roots, SignerOptions};
use privyseal_core::scheme::ITSME;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// What one browser's cookie is called.
const COOKIE: &str = "login";

/// How many persons may be under way at once.
const MAX_LOGINS: usize = 10_000;

/// A login that ended is forgotten after this time.
const KEPT: Duration = Duration::from_secs(60);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The application: one for all persons.
struct App {
    party: RelyingParty,
    asked: AuthenticationOptions,
    notification: NotificationToken,
    logins: Mutex<HashMap<String, Arc<Login>>>,
}

/// One browser's login.
struct Login {
    progress: Mutex<Progress>,
    /// There may be something to do before its time.
    pinged: Notify,
}

struct Progress {
    flow: CibaFlow,
    /// An image to show, as a URL.
    qr: Option<String>,
    /// Who it is, or why nobody knows.
    outcome: Option<Result<String, String>>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [
            key,
            decryption_key,
            kid,
            id,
            issuer,
            service,
            address,
            rest @ ..,
        ] => run(
            [key, decryption_key, kid, id, issuer, service],
            address,
            rest.first(),
        ),
        _ => Err(
            "usage: web KEY_URI DECRYPTION_KEY_URI KID CLIENT_ID ISSUER SERVICE ADDRESS [CA_FILE]"
                .into(),
        ),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(
    [key, decryption_key, kid, id, issuer, service]: [&String; 6],
    address: &str,
    ca: Option<&String>,
) -> Result<(), Failure> {
    let [key, decryption_key] = [key, decryption_key].map(|uri| uri.parse::<KeyUri>());
    let decryption_key = decryption_key?;
    let client = Client::builder(&ITSME)
        .key(key?)
        .client_id(id)
        .kid(KidChoice::Given(kid.clone()))
        .signing_client()?;
    let mut pins = decryption_key.pin_sources(Prompt::Never, |warning| eprintln!("{warning}"));
    let unwrapper = decryption_key.open_unwrapper(&mut pins, &SignerOptions::default())?;
    let roots = ca.map(|file| Roots::from_file(file.as_ref())).transpose()?;
    let http = Http::new(&HttpOptions::default().roots(roots.unwrap_or_default()));
    let provider = Arc::new(Provider::discover(&http, issuer)?);
    let mut party = RelyingParty::new(Arc::new(client), http, provider);
    party.unwrappers = vec![unwrapper];
    let notification = NotificationToken::generate()?;
    let mut asked = AuthenticationOptions::default();
    asked.scope = format!("openid service:{service} profile");
    asked.userinfo_claims = vec!["name".to_owned()];
    asked.client_notification_token = Some(notification.expose().to_owned().into());
    // What would fail after a person has confirmed fails now.
    Ciba::new(&party, SystemRuntime::default()).prepare(&asked, true)?;
    let app = Arc::new(App {
        party,
        asked,
        notification,
        logins: Mutex::default(),
    });
    let router = Router::new()
        .route("/", get(async || Html(include_str!("web.html"))))
        .route("/login", post(login))
        .route("/state", get(state))
        .route("/ping", post(ping))
        .layer(DefaultBodyLimit::max(16 * 1024))
        .with_state(app);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        println!("listening on http://{}", listener.local_addr()?);
        Ok(axum::serve(listener, router).await?)
    })
}

/// Begins a login for this browser, which gets a cookie of its own.
async fn login(State(app): State<Arc<App>>) -> Result<Response, StatusCode> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let name = Base64UrlUnpadded::encode_string(&random);
    let login = Arc::new(Login {
        progress: Mutex::new(Progress {
            flow: CibaFlow::begin(&app.asked),
            qr: None,
            outcome: None,
        }),
        pinged: Notify::new(),
    });
    {
        let mut logins = app.logins();
        if logins.len() >= MAX_LOGINS {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        logins.insert(name.clone(), Arc::clone(&login));
    }
    // Behind TLS, `Secure` belongs here, too.
    let cookie = format!("{COOKIE}={name}; HttpOnly; SameSite=Strict; Path=/");
    tokio::spawn(async move {
        app.drive(&login).await;
        tokio::time::sleep(KEPT).await;
        app.logins().remove(&name);
    });
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// What the page of this browser shows now.
async fn state(State(app): State<Arc<App>>, headers: HeaderMap) -> (HeaderMap, Json<Value>) {
    let cookies = headers
        .get(header::COOKIE)
        .and_then(|value| value.to_str().ok());
    let mut cookies = cookies.unwrap_or_default().split("; ");
    let name = cookies.find_map(|cookie| cookie.strip_prefix("login="));
    let login = name.and_then(|name| app.logins().get(name).cloned());
    let shown = login.map_or(json!({ "state": "none" }), |login| {
        let progress = login.progress();
        match &progress.outcome {
            Some(Ok(name)) => json!({ "state": "done", "name": name }),
            Some(Err(reason)) => json!({ "state": "failed", "reason": reason }),
            None => {
                let state = progress.flow.state().map(|state| state.to_string());
                json!({ "state": "waiting", "for": state, "qr": progress.qr })
            }
        }
    });
    let mut fresh = HeaderMap::new();
    fresh.insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    (fresh, Json(shown))
}

/// The provider says that one of the persons has confirmed.
async fn ping(State(app): State<Arc<App>>, headers: HeaderMap, body: String) -> StatusCode {
    let authorization = headers.get(header::AUTHORIZATION);
    let bearer = authorization.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let id = match app
        .notification
        .judge(bearer.unwrap_or_default(), body.as_bytes())
    {
        Ok(id) => id,
        Err(PingFault::Unauthorized) => return StatusCode::UNAUTHORIZED,
        Err(_) => return StatusCode::BAD_REQUEST,
    };
    let mut logins: Vec<_> = app.logins().values().cloned().collect();
    logins.retain(|login| login.progress().flow.expose_auth_req_id() == Some(id.as_str()));
    for login in logins {
        login.pinged.notify_one();
    }
    StatusCode::NO_CONTENT
}

/// Since 1970, so that another process could go on with a flow that is stored ([`CibaFlow::seal`]).
fn now() -> Duration {
    SystemRuntime::default().elapsed()
}

impl App {
    fn logins(&self) -> MutexGuard<'_, HashMap<String, Arc<Login>>> {
        self.logins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what the flow says until it has ended. Between its steps it holds nothing.
    async fn drive(self: &Arc<Self>, login: &Login) {
        let mut response = None;
        let mut is_pinged = false;
        loop {
            let step = login.progress().step(now(), response.take(), is_pinged);
            is_pinged = false;
            match step {
                CibaStep::Send(request) => {
                    let app = Arc::clone(self);
                    let sent = tokio::task::spawn_blocking(move || app.send(request));
                    match sent.await {
                        Ok(came) => response = Some(came),
                        Err(_) => return login.progress().end(Err("trouble here".to_owned())),
                    }
                }
                CibaStep::Wait(until) => {
                    let pause = until.saturating_sub(now());
                    let waiting = tokio::time::timeout(pause, login.pinged.notified());
                    is_pinged = waiting.await.is_ok();
                }
                CibaStep::ShowQr(image) => {
                    let image = Base64::encode_string(image.as_bytes());
                    login.progress().qr = Some(format!("data:image/jpeg;base64,{image}"));
                }
                CibaStep::Done(person) => {
                    let userinfo = person.userinfo.as_ref();
                    let name = userinfo.and_then(|claims| claims.get("name")?.as_str());
                    let name = name.unwrap_or_else(|| person.subject());
                    return login.progress().end(Ok(name.to_owned()));
                }
                // For the log; a person is told that it did not work.
                CibaStep::Failed(error) => {
                    eprintln!("a login failed: {error}");
                    return login
                        .progress()
                        .end(Err("the login did not work".to_owned()));
                }
                _ => return login.progress().end(Err("trouble here".to_owned())),
            }
        }
    }

    /// Blocks for one request to the provider, never for a person.
    fn send(&self, request: CibaRequest) -> CibaResponse {
        Ciba::new(&self.party, SystemRuntime::default()).send(request)
    }
}

impl Login {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    fn step(&mut self, now: Duration, response: Option<CibaResponse>, is_pinged: bool) -> CibaStep {
        let id = self.flow.expose_auth_req_id().map(str::to_owned);
        let event = match (response, id.as_deref()) {
            (Some(response), _) => CibaEvent::Response(response),
            (None, Some(id)) if is_pinged => CibaEvent::Ping(id),
            _ => CibaEvent::Tick,
        };
        self.flow.step(now, event)
    }

    fn end(&mut self, outcome: Result<String, String>) {
        self.qr = None;
        self.outcome = Some(outcome);
    }
}
