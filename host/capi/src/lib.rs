#![doc = include_str!("../README.md")]
#![warn(clippy::undocumented_unsafe_blocks)]
// A C ABI is made of raw pointers and of names that a linker sees: every function here says what it expects of them,
// and touches memory of its caller in `pointers` only.
#![allow(unsafe_code)]

mod pointers;

use core::ffi::c_char;
use core::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use privyseal::profile::{Profile, ProfileError, Profiles};
use privyseal::{Error, ErrorKind, Server};

use pointers::{give, text};

/// How a call ended.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It did what it says.
    Ok = 0,
    /// A rule is broken (of a scheme, a certificate chain, a claim), or a server refused.
    Refused = 1,
    /// What was given cannot be used as it is: an argument, a profile, a file.
    Usage = 2,
    /// The key, its token or device, or its PIN.
    Key = 3,
    /// The server or the network.
    Server = 4,
    /// A defect of this library; nothing was returned, and the client can be used on.
    Defect = 7,
}

// The header has the numbers; the library says what they are.
const _: () = assert!(
    Status::Refused as u8 == ErrorKind::Refused.number()
        && Status::Usage as u8 == ErrorKind::Input.number()
        && Status::Key as u8 == ErrorKind::Key.number()
        && Status::Server as u8 == ErrorKind::Server.number()
);

/// A client: one scheme and one key. Opened by `privyseal_open`, closed by `privyseal_close`.
#[derive(Debug)]
pub struct Client {
    client: privyseal::Client,
    profile: Profile,
    /// None where the profile names none.
    server: Option<Server>,
}

/// The version of this library, such as `0.1.0`. It is never freed.
#[unsafe(no_mangle)]
pub extern "C" fn privyseal_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Opens the client that a profile describes: finds the key, logs in, proves the certificate chain.
///
/// `config` is the path of a configuration file; null: `/etc/privyseal/config.toml` and the user's own. `profile` is a
/// name in it; null: the one in `PRIVYSEAL_PROFILE`. On success `*client` is to be closed by `privyseal_close`. Otherwise,
/// where `error` is not null, `*error` is a sentence to be freed by `privyseal_free`. At most one PIN try is spent, and
/// never the last.
///
/// # Safety
///
/// `config` and `profile` are null or texts; `client` can be written; `error` is null or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn privyseal_open(
    config: *const c_char,
    profile: *const c_char,
    client: *mut *mut Client,
    error: *mut *mut c_char,
) -> Status {
    // SAFETY: what this function demands of its caller.
    let (config, profile) = unsafe { (text(config), text(profile)) };
    let open = || {
        let profiles = match config? {
            Some(path) => Profiles::from_file(Path::new(path))?,
            None => Profiles::load()?,
        };
        let profile = profiles.profile(profile?)?;
        let server = match profile.server() {
            Ok(server) => Some(server),
            // It is said when a token is asked for.
            Err(ProfileError::Missing { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let client = profile.open()?;
        Ok(Box::into_raw(Box::new(Client {
            client,
            profile,
            server,
        })))
    };
    // SAFETY: what this function demands of its caller.
    unsafe { ended(open, client, error) }
}

/// Has the key sign once, something that is no assertion and is discarded. Nothing happens where a gateway signs.
///
/// # Safety
///
/// `client` comes from `privyseal_open` and is not closed; `error` is null or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn privyseal_self_test(
    client: *const Client,
    error: *mut *mut c_char,
) -> Status {
    // SAFETY: what this function demands of its caller.
    let client = unsafe { pointers::reference(client) };
    let test = || Ok(client?.client.self_test()?);
    let mut nothing = ();
    // SAFETY: what this function demands of its caller.
    unsafe { ended(test, &raw mut nothing, error) }
}

/// Makes a new assertion (a compact JWS), as the profile says: signed, verified, good once, mostly for 30 s.
///
/// `audience` takes the place of the profile's; null: the profile's, or the scheme's own. On success `*assertion` is to be
/// freed by `privyseal_free`; it is a credential.
///
/// # Safety
///
/// `client` comes from `privyseal_open` and is not closed; `audience` is null or a text; `assertion` can be written;
/// `error` is null or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn privyseal_assertion(
    client: *const Client,
    audience: *const c_char,
    assertion: *mut *mut c_char,
    error: *mut *mut c_char,
) -> Status {
    // SAFETY: what this function demands of its caller.
    let (client, audience) = unsafe { (pointers::reference(client), text(audience)) };
    let make = || {
        let client = client?;
        let options = match audience? {
            Some(audience) => client.profile.assertion_options_with(audience)?,
            None => client.profile.assertion_options()?,
        };
        Ok(give(client.client.assertion(&options)?.as_str()))
    };
    // SAFETY: what this function demands of its caller.
    unsafe { ended(make, assertion, error) }
}

/// Gets an access token of the profile's server that is good for some time yet: the one that came last, or a new one.
/// However many threads ask, one request is under way.
///
/// On success `*token` is to be freed by `privyseal_free`; it is a credential.
///
/// # Safety
///
/// `client` comes from `privyseal_open` and is not closed; `token` can be written; `error` is null or can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn privyseal_token(
    client: *const Client,
    token: *mut *mut c_char,
    error: *mut *mut c_char,
) -> Status {
    // SAFETY: what this function demands of its caller.
    let client = unsafe { pointers::reference(client) };
    let get = || {
        let client = client?;
        let token = match &client.server {
            Some(server) => client.client.token(server)?,
            None => client.client.token(&client.profile.server()?)?,
        };
        Ok(give(token.expose()))
    };
    // SAFETY: what this function demands of its caller.
    unsafe { ended(get, token, error) }
}

/// Forgets the access token that came last: for one that a resource server refused before it expired. Null is allowed.
///
/// # Safety
///
/// `client` is null, or comes from `privyseal_open` and is not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn privyseal_forget_token(client: *const Client) {
    // SAFETY: what this function demands of its caller.
    let client = unsafe { pointers::reference(client) };
    if let Ok(client) = client
        && let Some(server) = &client.server
    {
        client.client.forget_token(server);
    }
}

/// Wipes and frees a text that this library returned. Null is allowed.
///
/// # Safety
///
/// `text` is null, or was returned by this library and not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn privyseal_free(text: *mut c_char) {
    // SAFETY: what this function demands of its caller.
    unsafe { pointers::free(text) }
}

/// Closes a client. Null is allowed.
///
/// # Safety
///
/// `client` is null, or comes from `privyseal_open`, is not closed, and no call uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn privyseal_close(client: *mut Client) {
    // SAFETY: what this function demands of its caller.
    let client = unsafe { pointers::take(client) };
    // Nothing can be told, and nothing may cross.
    let _ = panic::catch_unwind(AssertUnwindSafe(|| drop(client)));
}

/// Why a call ends without a result.
#[derive(Debug)]
enum Failure {
    NoClient,
    NotText,
    Library(Error),
}

impl Failure {
    fn status(&self) -> Status {
        match self {
            Self::NoClient | Self::NotText => Status::Usage,
            Self::Library(error) => match error.kind() {
                ErrorKind::Input => Status::Usage,
                ErrorKind::Key => Status::Key,
                ErrorKind::Server => Status::Server,
                _ => Status::Refused,
            },
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoClient => f.write_str("there is no client: the pointer is null"),
            Self::NotText => f.write_str("an argument is not UTF-8, so it is no text"),
            Self::Library(error) => error.fmt(f),
        }
    }
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Library(error.into())
    }
}

/// Does the work, and writes what came of it. No panic gets past this.
///
/// # Safety
///
/// `result` and `error` are null or can be written.
unsafe fn ended<T>(
    work: impl FnOnce() -> Result<T, Failure>,
    result: *mut T,
    error: *mut *mut c_char,
) -> Status {
    let ended = if result.is_null() {
        Err((
            Status::Usage,
            "there is no place for the result: the pointer is null".to_owned(),
        ))
    } else {
        match panic::catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(failure)) => Err((failure.status(), failure.to_string())),
            Err(_) => Err((
                Status::Defect,
                "this library has a defect: please report it".to_owned(),
            )),
        }
    };
    match ended {
        Ok(value) => {
            // SAFETY: what this function demands of its caller.
            unsafe { pointers::write(result, value) };
            Status::Ok
        }
        Err((status, sentence)) => {
            if !error.is_null() {
                // SAFETY: what this function demands of its caller.
                unsafe { pointers::write(error, give(&sentence)) };
            }
            status
        }
    }
}

#[cfg(test)]
mod tests;
