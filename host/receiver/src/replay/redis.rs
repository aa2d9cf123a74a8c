//! What several receivers share: Valkey, Redis, or what speaks their protocol.
//!
//! One round trip for an assertion: `SET NX EX`. In the same trip it is asked since when this run of the server remembers: one
//! that was emptied or restarted says so by that, and what was made before is refused. (What a restarted server has loaded may
//! be older than its end.)

use core::num::NonZeroU16;
use core::time::Duration;
use std::io::{self, Read};
use std::sync::Mutex;
use std::time::Instant;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal::Certificates;
use privyseal::base::clock;
use privyseal::http::{Connection, Roots};
use privyseal_hsm::lock;
use redis::{
    ConnectionAddr, ErrorKind, FromRedisValue, IntoConnectionInfo as _, Parser, Pipeline,
    RedisConnectionInfo, RedisError, RedisResult, Value,
};

use super::{Presented, ReplayStore, SKEW, Seen, StoreError};

/// How long the server may take unless told otherwise, connecting included.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How many connections are kept.
const MAX_IDLE: usize = 32;

/// The longest answer to one command that is read, in bytes: that to `INFO` has some thousand.
const MAX_ANSWER: u64 = 64 * 1024;

/// After which time a new connection takes the place of one, and the server's settings are looked at.
const CHECKED_AFTER: Duration = Duration::from_secs(60);

/// Which server, and how long to wait for it.
#[derive(Clone)]
#[non_exhaustive]
pub struct RedisOptions {
    /// `redis://HOST:PORT/DB`, or `rediss:` for TLS; with user and password where it wants them. Not shown by `Debug`.
    pub url: String,
    /// How long the server may take for one assertion or token, connecting included.
    pub timeout: Duration,
    /// After which time it is looked again whether the server could forget what it is told.
    pub checked_after: Duration,
    /// What keys begin with: receivers that share it share their tokens. What they have seen is by audience alone.
    pub prefix: String,
    /// The certificates that vouch for the server of a `rediss:` URL; by default those of the machine.
    pub roots: Option<Certificates>,
}

/// A store on a server. When the server is away, nothing is accepted.
///
/// The server must not evict keys (`maxmemory-policy noeviction`): that is looked at when a connection is made, and each is
/// replaced after a minute. A replica that takes over without the last writes has forgotten them: give the store to one
/// server, or wait for replicas there.
pub struct RedisStore {
    address: (String, u16),
    settings: RedisConnectionInfo,
    /// Where it speaks TLS.
    roots: Option<Roots>,
    options: RedisOptions,
    idle: Mutex<Vec<Link>>,
}

/// A connection, which ends with the process that answers. It is not used again once it failed.
struct Link {
    connection: Connection,
    parser: Parser,
    made: Instant,
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
            checked_after: CHECKED_AFTER,
            prefix: "privyseal:".to_owned(),
            roots: None,
        }
    }
}

impl RedisStore {
    /// Reads the options. The server is asked when it is needed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Url`] and [`StoreError::Unfit`] if the URL is none, or roots are given for a server without TLS.
    pub fn new(options: RedisOptions) -> Result<Self, StoreError> {
        // The error may repeat the URL, which may hold a password.
        let none = StoreError::Unfit("its URL is none of redis:, rediss:, valkey: or valkeys:");
        let (scheme, address) = options.url.split_once(':').ok_or_else(|| none.clone())?;
        let is_tls = match &*scheme.to_ascii_lowercase() {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            _ => return Err(none),
        };
        if options.roots.is_some() && !is_tls {
            let why = "it has roots, and its URL is none of rediss:";
            return Err(StoreError::Unfit(why));
        }
        let place = address.strip_prefix("//").unwrap_or(address);
        let (server, database) = place.split_once('/').unwrap_or((place, ""));
        let (user, host) = server.rsplit_once('@').unwrap_or(("", server));
        let mut codes = user.split('%').skip(1).map(|it| it.get(..2));
        let is_code = |it: &str| it.bytes().all(|byte| byte.is_ascii_hexdigit());
        let has_codes = codes.all(|code| code.is_some_and(is_code));
        let port = host.rsplit_once(':').map_or("", |(_, port)| port);
        let is_port = port.is_empty() || port.ends_with(']') || port.parse::<NonZeroU16>().is_ok();
        let is_database = database.is_empty() || database.parse::<u32>().is_ok();
        let has_password = user.is_empty() || user.contains(':');
        let slash = "a / in the user or password, which is written %2F there";
        let faults = [
            // `#insecure` would turn the verification of certificates off.
            (address.contains('#'), "a fragment (#)"),
            (address.contains('?'), "a query (?)"),
            (database.contains('@'), slash),
            (!has_codes, "a % in the user or password that begins no %XX"),
            (host.is_empty() || host.starts_with(':'), "no host"),
            (!is_port, "a port that is no number from 1 to 65535"),
            (!is_database, "a database that is no number (after the /)"),
            (!has_password, "a user and no password"),
        ];
        if let Some((_, what)) = faults.into_iter().find(|(is_so, _)| *is_so) {
            return Err(StoreError::Url(what));
        }
        let roots = options.roots.clone();
        let roots = is_tls.then(|| roots.map_or_else(Roots::default, Roots::Only));
        let info = format!("redis:{address}").into_connection_info();
        let info = info.map_err(|_| none.clone())?;
        let ConnectionAddr::Tcp(host, port) = info.addr() else {
            return Err(none);
        };
        Ok(Self {
            address: (host.clone(), *port),
            settings: info.redis_settings().clone(),
            roots,
            options,
            idle: Mutex::default(),
        })
    }

    /// Whether the server is there and fit now. Its memory begins now, if it has none: what is made later needs not wait for the
    /// first assertion.
    ///
    /// # Errors
    ///
    /// [`StoreError`], if it is not.
    pub fn check(&self) -> Result<(), StoreError> {
        let now = clock::now().map_err(|error| StoreError::Away(error.to_string()))?;
        let (_,): (Value,) = self.run(|commands, begins| begin(commands, begins, now.as_secs()))?;
        Ok(())
    }

    /// What the server answers to these commands, one after the other, in time. A connection that was kept may have been closed
    /// meanwhile: then they are sent once more. What they do may be done twice, and only makes an assertion known.
    pub(crate) fn run<T: FromRedisValue>(
        &self,
        fill: impl Fn(&mut Pipeline, &str),
    ) -> Result<T, StoreError> {
        let end = Instant::now() + self.options.timeout;
        loop {
            let mut idle = lock(&self.idle);
            idle.retain(|link| link.made.elapsed() < self.options.checked_after);
            let kept = idle.pop();
            drop(idle);
            let is_new = kept.is_none();
            let mut link = kept.map_or_else(|| self.link(end), Ok)?;
            let mut commands = redis::pipe();
            fill(&mut commands, &link.begins);
            let answers = link.ask(&commands, end);
            let mut idle = lock(&self.idle);
            match answers {
                Ok(answers) => {
                    idle.push(link);
                    idle.truncate(MAX_IDLE);
                    return Ok(answers);
                }
                Err(error) => {
                    // No kept connection is better; and a new one to a server that hangs is not, either.
                    if error.is_io_error() {
                        idle.clear();
                    }
                    if is_new || error.is_timeout() || !error.is_io_error() {
                        return Err(away(error));
                    }
                }
            }
        }
    }

    pub(crate) fn named(&self, name: &str) -> String {
        format!("{}{name}", self.options.prefix)
    }

    /// A new connection to a server that does its work.
    fn link(&self, end: Instant) -> Result<Link, StoreError> {
        let (host, port) = &self.address;
        let connection = Connection::open(host, *port, self.roots.as_ref(), end);
        let mut link = Link {
            connection: connection.map_err(|error| StoreError::Away(no_connection(&error)))?,
            parser: Parser::new(),
            made: Instant::now(),
            begins: String::new(),
        };
        let settings = &self.settings;
        let (user, database) = (settings.username(), settings.db());
        if let Some(password) = settings.password() {
            let known: RedisResult<Value> =
                link.ask(redis::pipe().cmd("AUTH").arg(user).arg(password), end);
            known.map_err(unfit("it has no password, and the URL has one"))?;
        }
        if database != 0 {
            let known: RedisResult<Value> =
                link.ask(redis::pipe().cmd("SELECT").arg(database), end);
            known.map_err(unfit("it has no database of the number in the URL"))?;
        }
        let info = link.ask(redis::pipe().cmd("INFO"), end);
        let (info,): (String,) = info.map_err(away)?;
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
        link.begins = self.named(&format!("begins:{run}"));
        Ok(link)
    }
}

impl ReplayStore for RedisStore {
    fn remember(&self, presented: &Presented) -> Result<Seen, StoreError> {
        // By audience, whatever the scheme (RFC 7523 section 3, point 7).
        let digest = Base64UrlUnpadded::encode_string(&presented.key);
        let key = format!("privyseal:jti:{digest}");
        let now = presented.now.as_secs();
        let left = presented.until.as_secs().saturating_sub(now);
        let (_, first, begins): (Value, Value, u64) = self.run(|commands, begins| {
            begin(commands, begins, now);
            let left = left.saturating_add(SKEW).max(1);
            let first = commands.cmd("SET").arg(&key).arg(1).arg("NX");
            first.arg("EX").arg(left);
            commands.get(begins);
        })?;
        match first {
            Value::Okay | Value::Nil if presented.issued.as_secs() <= begins => {
                Ok(Seen::MayBeForgotten)
            }
            Value::Okay => Ok(Seen::First),
            Value::Nil => Ok(Seen::Again),
            // Whether it is stored is not said: not with `QUEUED`, either.
            _ => Err(StoreError::Away(
                "what it answers is no answer to SET".to_owned(),
            )),
        }
    }
}

impl Link {
    /// What the server answers to these commands. The library's own connection has no bound for it.
    fn ask<T: FromRedisValue>(&mut self, commands: &Pipeline, end: Instant) -> RedisResult<T> {
        let parser = &mut self.parser;
        let read = |stream: &mut dyn Read| {
            let answers = (0..commands.len()).map(|_| {
                let mut bounded = (&mut *stream).take(MAX_ANSWER);
                let answer = parser.parse_value(&mut bounded);
                if bounded.limit() == 0 {
                    return Err((ErrorKind::Client, "an answer is too long").into());
                }
                answer
            });
            answers.collect::<RedisResult<_>>()
        };
        let answers = self
            .connection
            .ask(&commands.get_packed_pipeline(), end, read)??;
        Ok(T::from_redis_value(Value::Array(answers).extract_error()?)?)
    }
}

/// Has the memory of this run of a server begin, unless it has.
fn begin(commands: &mut Pipeline, begins: &str, now: u64) {
    let set = commands.cmd("SET").arg(begins);
    set.arg(now.saturating_add(SKEW)).arg("NX");
}

/// Why it is, where it says no more than that the command is wrong.
fn unfit(why: &'static str) -> impl Fn(RedisError) -> StoreError {
    move |error| match error.code() {
        Some("ERR") => StoreError::Unfit(why),
        _ => away(error),
    }
}

const TOO_LATE: &str = "no answer in time";

fn no_connection(error: &io::Error) -> String {
    match error.kind() {
        // Said by what waits for TLS alone.
        io::ErrorKind::TimedOut if error.get_ref().is_some() => {
            format!("TLS fails: {error} in time, as by a server without TLS")
        }
        io::ErrorKind::TimedOut => TOO_LATE.to_owned(),
        io::ErrorKind::ConnectionRefused => "nobody listens at its address".to_owned(),
        // A server without TLS answers with something else, or ends the connection.
        io::ErrorKind::InvalidData => format!("TLS fails: {error}"),
        io::ErrorKind::UnexpectedEof => "TLS fails: it ends the connection".to_owned(),
        _ => format!("no connection: {error}"),
    }
}

/// Not what the server wrote: the kind of failure, or the code of its error, says enough.
fn away(error: RedisError) -> StoreError {
    let kind = match error.kind() {
        ErrorKind::Io if error.is_timeout() => TOO_LATE.to_owned(),
        ErrorKind::Io => "it ends the connection without an answer".to_owned(),
        ErrorKind::Client => "an answer has more than 64 KiB, which are not read".to_owned(),
        ErrorKind::Parse => "what answers there speaks TLS, or is no Valkey or Redis".to_owned(),
        _ => error.category().to_owned(),
    };
    let errors = error.into_server_errors().unwrap_or_default();
    let is_code = |code: &&str| code.len() <= 16 && code.bytes().all(|it| it.is_ascii_uppercase());
    let code = errors
        .first()
        .map(|(_, error)| error.code())
        .filter(is_code);
    StoreError::Away(code.map_or(kind, |code| format!("it answers {code}")))
}

privyseal_core::opaque_debug! {
    [] RedisOptions: timeout, prefix;
    [] RedisStore: options;
}
