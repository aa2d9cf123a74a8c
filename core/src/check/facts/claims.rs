//! The payload, of whichever kind.

use super::{Moment, Text};
use crate::check::json::{Object, Value};
use crate::check::scratch::Scratch;

/// What the payload says.
pub(in crate::check) struct Claims<'t> {
    pub(in crate::check) object: Object<'t>,
    pub(in crate::check) iss: Text<'t>,
    pub(in crate::check) sub: Text<'t>,
    pub(in crate::check) aud: Text<'t>,
    pub(in crate::check) iat: Moment,
    pub(in crate::check) exp: Moment,
    pub(in crate::check) nbf: Moment,
    pub(in crate::check) jti: Text<'t>,
    pub(in crate::check) scope: Text<'t>,
    pub(in crate::check) login_hint_token: Text<'t>,
    /// The payload of the token in `login_hint_token`, if there is one.
    pub(in crate::check) login_hint: Option<Hint<'t>>,
    pub(in crate::check) acr_values: Text<'t>,
    pub(in crate::check) notification: Text<'t>,
    /// `type` and `value`, where the payload is itself that of a login hint.
    pub(in crate::check) own_hint: Hint<'t>,
}

/// The members of a `login_hint_token`.
#[derive(Clone, Copy, Debug)]
pub(in crate::check) struct Hint<'t> {
    pub(in crate::check) kind: Text<'t>,
    pub(in crate::check) value: Text<'t>,
}

impl<'t> Claims<'t> {
    pub(super) fn read(object: Object<'t>, scratch: &mut Scratch<'t>) -> Self {
        let mut text = |name| Text::read(&object, name, scratch);
        let login_hint_token = text("login_hint_token");
        Self {
            object,
            iss: text("iss"),
            sub: text("sub"),
            aud: text("aud"),
            iat: Moment::read(&object, "iat"),
            exp: Moment::read(&object, "exp"),
            nbf: Moment::read(&object, "nbf"),
            jti: text("jti"),
            scope: text("scope"),
            login_hint_token,
            acr_values: text("acr_values"),
            notification: text("client_notification_token"),
            own_hint: Hint::read(&object, scratch),
            login_hint: login_hint_token
                .value()
                .and_then(|token| Hint::of_token(token, scratch)),
        }
    }
}

impl<'t> Hint<'t> {
    fn read(object: &Object<'t>, scratch: &mut Scratch<'t>) -> Self {
        Self {
            kind: Text::read(object, "type", scratch),
            value: Text::read(object, "value", scratch),
        }
    }

    /// The payload of a compact JWS.
    fn of_token(token: &'t str, scratch: &mut Scratch<'t>) -> Option<Self> {
        let mut parts = token.split('.');
        let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let payload = core::str::from_utf8(scratch.base64url(payload)?).ok()?;
        match Value::parse(payload).ok()? {
            Value::Object(object) => Some(Self::read(&object, scratch)),
            _ => None,
        }
    }
}
