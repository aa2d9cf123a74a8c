//! itsme's `login_hint_token`: says for which user an authentication is asked.

use crate::encoding::json::Object;
use crate::encoding::sink::Sink;
use crate::field::{Field, FieldError, check_text, is_graphic};
use crate::limits::MAX_USER_IDENTIFIER_TOKEN;

/// The payload `{"type":"user_identifier_token","value":".."}` (itsme, backchannel authentication,
/// login_hint_token).
#[derive(Clone, Copy)]
pub struct LoginHint<'a> {
    user_identifier_token: &'a str,
}

opaque_debug! { [] LoginHint<'_>; }

impl<'a> LoginHint<'a> {
    /// From the `user_identifier_token` that the discovery session gave: 1 to
    /// [`MAX_USER_IDENTIFIER_TOKEN`] characters of printable ASCII.
    pub(crate) fn new(user_identifier_token: &'a str) -> Result<Self, FieldError> {
        const SOURCE: &str = "itsme, backchannel authentication, login_hint_token";
        let (field, max) = (Field::LoginHintToken, MAX_USER_IDENTIFIER_TOKEN);
        check_text(field, user_identifier_token, max, is_graphic, SOURCE)?;
        Ok(Self {
            user_identifier_token,
        })
    }

    /// Writes the payload as canonical JSON.
    ///
    /// # Errors
    /// Whatever `sink` fails with.
    pub fn write_json<S: Sink>(&self, sink: S) -> Result<(), S::Error> {
        Object::new(sink)
            .string("type", "user_identifier_token")
            .string("value", self.user_identifier_token)
            .finish()
    }
}
