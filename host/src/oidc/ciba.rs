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
//! to stop, what an answer means) is decided in [`polling`], [`discovery`] and [`answer`] without any
//! input or output; [`flow`] does what they say, with a clock that tests replace.

pub mod answer;
pub mod discovery;
pub mod flow;
pub mod identity;
pub mod ping;
pub mod polling;
pub mod watcher;

pub use discovery::QrImage;
pub use flow::{Ciba, Delivery, Pending, Tokens};
pub use identity::Identity;
pub use ping::{PingAddress, PingListener};
pub use polling::{Polling, Step};
pub use watcher::{State, Watcher};
