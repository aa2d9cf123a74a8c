//! Sockets, connections and signals.

use core::future::Future;
use core::pin::pin;
use core::sync::atomic::Ordering;
use core::time::Duration;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use listenfd::ListenFd;
use privyseal_hsm::{Secret, lock};
use rustix::process::{Resource, getrlimit, setrlimit};
use sd_notify::NotifyState;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::agent::Agent;
use crate::audit::AuditLog;
use crate::config::AgentConfig;
use crate::error::AgentError;
use crate::problem::Problem;
use crate::routes::{self, Peer};
use crate::served::{Requester, Shared};
use crate::stream::{self, Connection, HttpStream, Stream};

/// Connections at once; further ones wait to be accepted. Fewer where this process may have fewer files.
const MAX_CONNECTIONS: usize = 8192;

/// Files that are no connections: logs, modules, servers.
const OTHER_FILES: usize = 256;

/// Which part of the connections one user may have, and which part all of those together who may ask for nothing.
const PART_OF_ONE: usize = 3;
const PART_OF_OTHERS: usize = 16;

/// Threads at once: more than all profiles may have for their requests, each of which has its own limit.
const MAX_THREADS: usize = 65_536;

/// How often it is looked for requests that waited long enough.
const GIVE_UP_POLL: Duration = Duration::from_secs(1);

/// How long a client may take for the head of a request, and so how long a connection may be idle.
const HEAD_LIMIT: Duration = Duration::from_secs(30);

/// The largest head of a request, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// How long requests that are under way may take when the agent ends.
const DRAIN: Duration = Duration::from_secs(6);

/// For how much of it connections are still open to those who ask one thing after the other: they hear that it is the last.
const LAST_CALL: Duration = Duration::from_millis(200);

/// How long closing the keys may hold up the end. With [`DRAIN`] it is less than the 10 s that containers are given.
const CLOSE: Duration = Duration::from_secs(2);

/// How long opening the keys may hold up the start.
const OPEN_LIMIT: Duration = Duration::from_secs(20);

/// Runs the agent that this file describes until it is told to end (SIGTERM, SIGINT).
///
/// # Errors
///
/// [`AgentError`]: it cannot start.
pub fn run(config: &Path) -> Result<(), AgentError> {
    let read = AgentConfig::read(config)?;
    let most = max_connections();
    // One thread for all sockets: a second one would only be woken for nothing. One that waits for a key or a server leaves
    // them to another.
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(MAX_THREADS)
        .enable_all()
        .build()
        .map_err(AgentError::Runtime)?;
    let ended = runtime.block_on(serve(config, read, most));
    // Sessions are closed before the process ends, and with it the modules. One that hangs is not waited for longer.
    runtime.shutdown_timeout(CLOSE);
    ended
}

async fn serve(path: &Path, config: AgentConfig, most: usize) -> Result<(), AgentError> {
    let audit = AuditLog::open(&config.audit_log, config.audit_sync)?;
    let listeners = Listeners::bind(&config).await?;
    let agent = Arc::new(Agent::new(Arc::new(Shared::new(audit))));
    let mut started = config.clone();
    started.profiles.clear();
    let handler = |kind| signal(kind).map_err(AgentError::Runtime);
    let mut hangup = handler(SignalKind::hangup())?;
    let (mut terminate, mut interrupt) = (
        handler(SignalKind::terminate())?,
        handler(SignalKind::interrupt())?,
    );
    let mut end = pin!(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });

    let shared = Arc::clone(&agent.shared);
    tokio::spawn(async move {
        loop {
            sleep(GIVE_UP_POLL).await;
            shared.waiting.give_up();
        }
    });
    agent.serve(config);
    // Whoever needs no key that hangs does not wait for it.
    let accepting = listeners.accept(Arc::clone(&agent), most);
    let mut has_ended = tokio::select! {
        opened = timeout(OPEN_LIMIT, agent.open_keys()) => {
            if opened.is_err() {
                tracing::warn!("a key does not open in time; the agent starts without it");
            }
            false
        }
        () = &mut end => true,
    };
    if !has_ended {
        notify(&[NotifyState::Ready]);
        tracing::info!(profiles = agent.all().len(), "the agent is ready");
    }
    while !has_ended {
        has_ended = tokio::select! {
            _ = hangup.recv() => tokio::select! {
                () = reload(&agent, path, &started) => false,
                () = &mut end => true,
            },
            () = agent.take_in_time() => false,
            () = &mut end => true,
        };
    }
    notify(&[NotifyState::Stopping]);
    tracing::info!("the agent ends");
    accepting.drain().await;
    agent.shared.waiting.end();
    Ok(())
}

async fn reload(agent: &Arc<Agent>, path: &Path, started: &AgentConfig) {
    let now = NotifyState::monotonic_usec_now();
    notify(&[NotifyState::Reloading]);
    if let Ok(now) = now {
        notify(&[now]);
    }
    let (of_thread, path, started) = (Arc::clone(agent), path.to_owned(), started.clone());
    // Files may be slow. One that panicked has said so.
    let _ = spawn_blocking(move || read_again(&of_thread, &path, &started)).await;
    // Who asks meanwhile is served as before.
    let _ = timeout(OPEN_LIMIT, agent.open_keys()).await;
    notify(&[NotifyState::Ready]);
}

fn read_again(agent: &Agent, path: &Path, started: &AgentConfig) {
    match AgentConfig::read(path) {
        Ok(config) => {
            for member in config.fixed_members_unlike(started) {
                tracing::warn!(member, "a changed member of [agent] counts after a restart");
            }
            agent.serve(config);
            let profiles = agent.all().len();
            tracing::info!(profiles, "the configuration was read again");
        }
        Err(error) => tracing::error!(%error, "the configuration stays as it was"),
    }
    if let Err(error) = agent.shared.audit.reopen() {
        tracing::error!(%error, "the audit log cannot be opened again");
    }
}

/// Nothing happens where no service manager listens.
fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

/// Takes as many files as this process may have, and says how many connections there may be.
fn max_connections() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    let files = getrlimit(Resource::Nofile).current;
    let files = files.and_then(|files| files.try_into().ok());
    let left = files.unwrap_or(usize::MAX).saturating_sub(OTHER_FILES);
    left.clamp(PART_OF_OTHERS, MAX_CONNECTIONS)
}

struct Listeners {
    unix: UnixListener,
    tcp: Option<(TcpListener, Arc<Secret>)>,
    /// To be removed at the end, where it was made here.
    path: Option<PathBuf>,
}

impl Listeners {
    async fn bind(config: &AgentConfig) -> Result<Self, AgentError> {
        let tcp = match &config.tcp {
            Some((address, secret)) => {
                let failed = |source| AgentError::Listen {
                    at: address.to_string(),
                    source,
                };
                let listener = TcpListener::bind(address).await.map_err(failed)?;
                Some((listener, Arc::clone(secret)))
            }
            None => None,
        };
        let failed = |source| AgentError::Listen {
            at: config.socket.display().to_string(),
            source,
        };
        let activated = ListenFd::from_env().take_unix_listener(0);
        if let Some(listener) = activated.map_err(failed)? {
            listener.set_nonblocking(true).map_err(failed)?;
            let unix = UnixListener::from_std(listener).map_err(failed)?;
            return Ok(Self {
                unix,
                tcp,
                path: None,
            });
        }
        let path = &config.socket;
        if UnixStream::connect(path).await.is_ok() {
            return Err(AgentError::InUse(path.clone()));
        }
        // Left by one that was killed.
        if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
            fs::remove_file(path).map_err(failed)?;
        }
        let unix = UnixListener::bind(path).map_err(failed)?;
        // Who may ask is judged by the kernel's word for each connection, not by the file's mode.
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).map_err(failed)?;
        Ok(Self {
            unix,
            tcp,
            path: Some(path.clone()),
        })
    }

    fn accept(self, agent: Arc<Agent>, most: usize) -> Accepting {
        let connections = Arc::new(Connections {
            agent,
            most,
            turns: Arc::new(Semaphore::new(most)),
            shares: Mutex::default(),
            graceful: GracefulShutdown::new(),
        });
        let mut tasks = Vec::new();
        if let Some((tcp, secret)) = self.tcp {
            let connections = Arc::clone(&connections);
            tasks.push(tokio::spawn(async move {
                loop {
                    let turn = connections.turn().await;
                    if let Some((stream, _)) = accepted(tcp.accept()).await {
                        // Small messages should not wait for others.
                        let _ = stream.set_nodelay(true);
                        connections.begin(stream, Peer::Tcp(Arc::clone(&secret)), turn);
                    }
                }
            }));
        }
        let (unix, of_unix) = (self.unix, Arc::clone(&connections));
        tasks.push(tokio::spawn(async move {
            loop {
                let turn = of_unix.turn().await;
                let Some((stream, _)) = accepted(unix.accept()).await else {
                    continue;
                };
                if let Ok(peer) = stream.peer_cred() {
                    of_unix.begin(stream, Peer::User(peer.uid()), turn);
                }
            }
        }));
        Accepting {
            tasks,
            connections,
            path: self.path,
        }
    }
}

async fn accepted<T>(accept: impl Future<Output = io::Result<T>>) -> Option<T> {
    match accept.await {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            tracing::warn!(%error, "a connection was not accepted");
            // Where descriptors have run out, one must be closed first.
            sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

struct Connections {
    agent: Arc<Agent>,
    most: usize,
    turns: Arc<Semaphore>,
    /// What is left to each who may ask, and to all others together.
    shares: Mutex<BTreeMap<Option<Requester>, Arc<Semaphore>>>,
    graceful: GracefulShutdown,
}

impl Connections {
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        Arc::clone(&self.turns).acquire_owned().await.ok()
    }

    /// One user's connections leave room for those of others.
    fn share(&self, peer: &Peer) -> Option<OwnedSemaphorePermit> {
        let who = match peer {
            Peer::User(uid) => Some(Requester::User(*uid)).filter(|_| self.agent.knows(*uid)),
            Peer::Tcp(_) => Some(Requester::Bearer),
        };
        let part = who.map_or(PART_OF_OTHERS, |_| PART_OF_ONE);
        let mut shares = lock(&self.shares);
        let share = shares.entry(who);
        let share = share.or_insert_with(|| Arc::new(Semaphore::new(self.most / part)));
        Arc::clone(share).try_acquire_owned().ok()
    }

    fn begin<S>(&self, mut stream: S, peer: Peer, turn: Option<OwnedSemaphorePermit>)
    where
        S: Stream + 'static,
    {
        let Some(share) = self.share(&peer) else {
            tracing::debug!(?peer, "too many connections");
            self.agent.shared.metrics.turned_away.inc();
            let problem = Problem::unavailable("busy", "this user has too many connections");
            stream::send(&mut stream, &problem);
            return;
        };
        let agent = Arc::clone(&self.agent);
        let connection = Connection::new(stream);
        let stream = HttpStream::new(Arc::clone(&connection));
        let service = service_fn(move |request| {
            connection.is_under_way.store(true, Ordering::Relaxed);
            let asked = (peer.clone(), Arc::clone(&connection));
            routes::answer(Arc::clone(&agent), asked, request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_LIMIT)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        let connection = self.graceful.watch(connection);
        let open = self.agent.shared.metrics.connections.clone();
        tokio::spawn(async move {
            open.inc();
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
            open.dec();
            drop((turn, share));
        });
    }
}

struct Accepting {
    tasks: Vec<tokio::task::JoinHandle<()>>,
    connections: Arc<Connections>,
    path: Option<PathBuf>,
}

impl Accepting {
    /// Accepts nothing more, and lets what is under way end.
    async fn drain(self) {
        for task in &self.tasks {
            task.abort();
        }
        for task in self.tasks {
            // It was aborted.
            let _ = task.await;
        }
        if let Some(path) = self.path {
            // It may be gone with its folder.
            let _ = fs::remove_file(path);
        }
        let is_ending = &self.connections.agent.shared.is_ending;
        is_ending.store(true, Ordering::Relaxed);
        sleep(LAST_CALL).await;
        if let Some(connections) = Arc::into_inner(self.connections)
            && timeout(
                DRAIN.saturating_sub(LAST_CALL),
                connections.graceful.shutdown(),
            )
            .await
            .is_err()
        {
            tracing::warn!("some requests did not end in time");
        }
    }
}
