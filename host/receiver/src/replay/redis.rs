//! What several receivers share: Valkey, Redis, or what speaks their protocol.
//!
//! One round trip for an assertion: `SET NX EX`. In the same trip it is asked since when this run of the server remembers: one
//! that was emptied or restarted says so by that, and what was made before is refused. (What a restarted server has loaded may
//! be older than its end.)

use core::fmt;
use core::time::Duration;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal::Certificates;
use privyseal::pki::pem;
use redis::{
    Client, Connection, ErrorKind, FromRedisValue, IntoConnectionInfo as _, Pipeline, RedisError,
    RedisResult, TlsCertificates, Value,
};

use super::{Presented, ReplayStore, Seen, StoreError};

/// How long the server may take unless told otherwise, connecting included.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How many connections are kept.
const MAX_IDLE: usize = 32;

/// Seconds by which the clocks of receivers that share a store may differ.
const SKEW: u64 = 5;

/// Which server, and how long to wait for it.
#[derive(Clone)]
#[non_exhaustive]
pub struct RedisOptions {
    /// `redis://HOST:PORT/DB`, or `rediss:` for TLS; with user and password where it wants them. Not shown by `Debug`.
    pub url: String,
    /// How long the server may take for one assertion or token, connecting included.
    pub timeout: Duration,
    /// What keys begin with: receivers that share it share what they have seen.
    pub prefix: String,
    /// The certificates that vouch for the server of a `rediss:` URL; by default those of the machine.
    pub roots: Option<Certificates>,
}

/// A store on a server. When the server is away, nothing is accepted.
///
/// The server must not evict keys (`maxmemory-policy noeviction`): that is looked at when a connection is made. A replica
/// that takes over without the last writes has forgotten them: give the store to one server, or wait for replicas there.
pub struct RedisStore {
    client: Client,
    options: RedisOptions,
    idle: Mutex<Vec<Link>>,
}

/// A connection, which ends with the process that answers.
pub(crate) struct Link {
    connection: Connection,
    /// The key under which stands since when that process remembers. A server has another name for its process (`run_id`)
    /// after each start.
    begins: String,
}

impl RedisOptions {
    /// The server at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            timeout: TIMEOUT,
            prefix: "privyseal:".to_owned(),
            roots: None,
        }
    }

    /// Believes a server of a `rediss:` URL by these certificates alone.
    #[must_use]
    pub fn roots(mut self, roots: Certificates) -> Self {
        self.roots = Some(roots);
        self
    }

    /// Waits that long.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// With keys that begin so.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }
}

impl RedisStore {
    /// Reads the options. The server is asked when it is needed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unfit`] if the URL is none, or roots are given for a server without TLS.
    pub fn new(options: RedisOptions) -> Result<Self, StoreError> {
        // The error may repeat the URL, which may hold a password.
        let no_url = |_| StoreError::Unfit("its URL is none of redis: or rediss:");
        // `#insecure` would turn the verification of certificates off.
        if options.url.contains('#') {
            return Err(StoreError::Unfit("its URL has a fragment (#)"));
        }
        let info = options.url.as_str().into_connection_info();
        let info = info.map_err(no_url)?;
        // What it says of itself there would be one answer more to wait for.
        let settings = info.redis_settings().clone().set_skip_set_lib_name();
        let info = info.set_redis_settings(settings);
        let client = match &options.roots {
            None => Client::open(info).map_err(no_url)?,
            Some(_) if !is_tls(&options.url) => {
                let why = "it has roots, and its URL is none of rediss:";
                return Err(StoreError::Unfit(why));
            }
            Some(roots) => {
                let roots = roots.iter().map(|der| pem::encode("CERTIFICATE", der));
                let certificates = TlsCertificates {
                    client_tls: None,
                    root_cert: Some(roots.collect::<String>().into_bytes()),
                };
                let why = "its URL or the certificates that vouch for it cannot be read";
                let client = Client::build_with_tls(info, certificates);
                client.map_err(|_| StoreError::Unfit(why))?
            }
        };
        Ok(Self {
            client,
            options,
            idle: Mutex::default(),
        })
    }

    fn connect(&self, began: Instant) -> Result<Link, StoreError> {
        // It has at most two answers to wait for: to the password, and to the number of the database.
        let left = self.left_since(began).map_err(|error| away(&error))? / 2;
        let connection = self.client.get_connection_with_timeout(left);
        let mut connection = connection.map_err(|error| away(&error))?;
        let info = self.ask(&mut connection, redis::pipe().cmd("INFO"), began);
        let (info,): (String,) = info.map_err(|error| away(&error))?;
        let says = |name: &str| {
            let mut lines = info.lines();
            lines.find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'))
        };
        if says("maxmemory") != Some("0") && says("maxmemory_policy") != Some("noeviction") {
            let why = "it evicts keys when it is full, and so forgets";
            return Err(StoreError::Unfit(why));
        }
        let run = says("run_id").filter(|run| !run.is_empty());
        let run = run.ok_or(StoreError::Unfit(
            "it has no run_id, and so could forget unseen",
        ))?;
        Ok(Link {
            begins: format!("{}begins:{run}", self.options.prefix),
            connection,
        })
    }

    /// What the server answers to these commands, one after the other, all within the timeout. A connection that was kept may
    /// have been closed meanwhile: then they are sent once more. What they do may be done twice, and only makes an assertion
    /// known.
    pub(crate) fn run<T: FromRedisValue>(
        &self,
        commands: impl Fn(&str) -> Pipeline,
    ) -> Result<T, StoreError> {
        let began = Instant::now();
        let idle = self.lock().pop();
        if let Some(mut link) = idle {
            match self.ask(&mut link.connection, &commands(&link.begins), began) {
                Ok(answers) => return Ok(self.keep(link, answers)),
                // No kept connection is better; a new one to a server that hangs is not, either.
                Err(error) if error.is_timeout() => {
                    self.lock().clear();
                    return Err(away(&error));
                }
                Err(error) if error.is_io_error() => self.lock().clear(),
                Err(error) => return Err(away(&error)),
            }
        }
        let mut link = self.connect(began)?;
        let answers = self.ask(&mut link.connection, &commands(&link.begins), began);
        let answers = answers.map_err(|error| away(&error))?;
        Ok(self.keep(link, answers))
    }

    /// The answers, in one trip. (`Pipeline::query` waits for each of them as long, also where none comes.)
    fn ask<T: FromRedisValue>(
        &self,
        connection: &mut Connection,
        commands: &Pipeline,
        began: Instant,
    ) -> RedisResult<T> {
        // The first write over TLS reads, too.
        let left = Some(self.left_since(began)?);
        connection.set_write_timeout(left)?;
        connection.set_read_timeout(left)?;
        connection.send_packed_command(&commands.get_packed_pipeline())?;
        let mut answers = Vec::new();
        for _ in 0..commands.len() {
            connection.set_read_timeout(Some(self.left_since(began)?))?;
            answers.push(connection.recv_response()?.extract_error()?);
        }
        Ok(redis::from_redis_value(Value::Array(answers))?)
    }

    /// What is left of the time, if any is.
    fn left_since(&self, began: Instant) -> RedisResult<Duration> {
        let left = self.options.timeout.checked_sub(began.elapsed());
        let left = left.filter(|left| !left.is_zero());
        left.ok_or_else(|| io::Error::from(io::ErrorKind::TimedOut).into())
    }

    fn keep<T>(&self, link: Link, done: T) -> T {
        let mut idle = self.lock();
        if idle.len() < MAX_IDLE {
            idle.push(link);
        }
        done
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Link>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn key(&self, kind: &str, digest: &[u8; 32]) -> String {
        let digest = Base64UrlUnpadded::encode_string(digest);
        format!("{}{kind}:{digest}", self.options.prefix)
    }
}

impl ReplayStore for RedisStore {
    fn remember(&self, presented: &Presented) -> Result<Seen, StoreError> {
        let key = self.key("jti", &presented.key);
        let now = presented.now.as_secs();
        let left = presented.until.as_secs().saturating_sub(now);
        let (_, first, begins): (Value, Option<String>, u64) = self.run(|begins| {
            let mut commands = redis::pipe();
            let left = left.saturating_add(SKEW).max(1);
            let set = commands.cmd("SET").arg(begins);
            set.arg(now.saturating_add(SKEW)).arg("NX");
            let first = commands.cmd("SET").arg(&key).arg(1).arg("NX");
            first.arg("EX").arg(left);
            commands.get(begins);
            commands
        })?;
        Ok(match first {
            _ if presented.issued.as_secs() <= begins => Seen::MayBeForgotten,
            Some(_) => Seen::First,
            None => Seen::Again,
        })
    }
}

fn is_tls(url: &str) -> bool {
    let mut schemes = ["rediss:", "valkeys:"].iter();
    schemes.any(|scheme| url.starts_with(scheme))
}

/// Not what the server wrote: the kind of failure says enough.
fn away(error: &RedisError) -> StoreError {
    StoreError::Away(match error.kind() {
        ErrorKind::Io => format!("no answer ({})", error.category()),
        _ => error.category().to_owned(),
    })
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("timeout", &self.timeout)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
