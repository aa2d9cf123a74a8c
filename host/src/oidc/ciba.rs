//! Authentication of a person through their phone: CIBA (OpenID Connect Client-Initiated Backchannel
//! Authentication 1.0), in poll and in ping mode, and itsme's user discovery before it.
//!
//! ```text
//! user discovery       who: a QR code, until the person's phone has seen it     -> user_identifier_token
//! authentication       the signed request; the person confirms on their phone   -> auth_req_id
//! polling, or a ping   until that is done                                       -> tokens
//! id_token, userinfo   decrypted, verified, judged                              -> claims
//! ```
//!
//! Each request to the provider carries an assertion of its own. What is decided (when to ask again, when
//! to stop, what a response means) is decided by a [`CibaFlow`], without any input or output; [`Ciba`] does what it
//! says, with a clock that tests replace.

mod discovery;
mod flow;
mod machine;
mod ping;
mod polling;
mod response;

use core::time::Duration;

use privyseal_core::named;
use serde_json::{Map, Value};

use crate::oauth::AccessToken;
use crate::oidc::OidcError;

pub use discovery::QrImage;
pub use flow::Ciba;
pub use machine::{CibaEvent, CibaFlow, CibaRequest, CibaResponse, CibaStep};
pub use ping::{NotificationToken, PingFault, PingListener};
pub use polling::BESIDE_PING;

named! {
    /// What a flow is doing.
    #[non_exhaustive]
    pub enum State {
        /// Nobody has scanned the QR code yet.
        Discovery = "waiting for the QR code to be scanned",
        /// The person is known, and has not confirmed yet.
        Authentication = "waiting for the person to confirm",
        /// The person has confirmed: tokens are fetched and judged.
        Tokens = "fetching the tokens",
    }
}

/// Is told what happens.
pub trait Watcher {
    /// The QR code to show from now on, instead of any before.
    ///
    /// # Errors
    ///
    /// Why it cannot be shown; the flow ends with it.
    fn qr_code(&mut self, image: &QrImage)
    -> Result<(), Box<dyn core::error::Error + Send + Sync>>;

    /// The flow has come to `state`, and stays in it for `left` at most. Called at each change and about
    /// once a second in between.
    fn waiting(&mut self, state: State, left: Duration);
}

/// What is known about a person, from one authentication. `Debug` shows no claims.
#[non_exhaustive]
pub struct Identity {
    /// The access token; the id_token came in the same response, encrypted mostly.
    pub access: AccessToken,
    /// The claims of the id_token; without one, those of the UserInfo response are all there is.
    pub id_token: Option<Map<String, Value>>,
    /// Why they are missing, where an id_token came: nothing is wrong with it, but it could not be judged.
    pub id_token_error: Option<OidcError>,
    /// The claims of the UserInfo response, if it was asked.
    pub userinfo: Option<Map<String, Value>>,
    /// Why they are missing, where it was asked. The id_token counts all the same: the person has confirmed, and
    /// cannot be asked again for nothing.
    pub userinfo_error: Option<OidcError>,
}

impl Identity {
    /// `sub`: the person's permanent identifier.
    pub fn subject(&self) -> &str {
        let claims = self.id_token.as_ref().or(self.userinfo.as_ref());
        let sub = claims.and_then(|claims| claims.get("sub")?.as_str());
        sub.unwrap_or_default()
    }
}

privyseal_core::opaque_debug! { [] Identity: id_token_error, userinfo_error; }

/// Why there are no claims about a person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CibaError {
    /// The provider cannot be asked, it refused, or what it says is not accepted.
    #[error("{0}")]
    Oidc(#[source] OidcError),
    /// The person did not do in time what was waited for.
    #[error("{state}: the time is over")]
    TimedOut {
        /// What was waited for.
        state: State,
    },
    /// The watcher cannot show the QR code.
    #[error("the QR code cannot be shown: {0}")]
    QrCode(#[source] Box<dyn core::error::Error + Send + Sync>),
}

impl<E: Into<OidcError>> From<E> for CibaError {
    fn from(error: E) -> Self {
        Self::Oidc(error.into())
    }
}
