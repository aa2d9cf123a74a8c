//! The payload, of whichever kind.

use super::{Moment, Text};
use crate::json::{Object, Value};
use crate::scratch::Scratch;

/// What the payload says.
pub(crate) struct Claims<'t> {
    pub(crate) object: Object<'t>,
    pub(crate) iss: Text<'t>,
    pub(crate) sub: Text<'t>,
    /// The one audience, as a string or alone in an array.
    pub(crate) aud: Text<'t>,
    pub(crate) is_aud_array: bool,
    pub(crate) iat: Moment,
    pub(crate) exp: Moment,
    pub(crate) nbf: Moment,
    pub(crate) jti: Text<'t>,
    pub(crate) scope: Text<'t>,
    pub(crate) login_hint_token: Text<'t>,
    /// The payload of the token in `login_hint_token`, if there is one.
    pub(crate) login_hint: Option<Hint<'t>>,
    pub(crate) acr_values: Text<'t>,
    pub(crate) notification: Text<'t>,
    /// `type` and `value`, where the payload is itself that of a login hint.
    pub(crate) own_hint: Hint<'t>,
}

/// The members of a `login_hint_token`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hint<'t> {
    pub(crate) kind: Text<'t>,
    pub(crate) value: Text<'t>,
}

impl<'t> Claims<'t> {
    pub(super) fn read(object: Object<'t>, scratch: &mut Scratch<'t>) -> Self {
        let listed = object.get("aud");
        let aud = match listed {
            Some(Value::Array(array)) if array.items().count() == 1 => array.items().next(),
            other => other,
        };
        let aud = Text::of(aud, scratch);
        let mut text = |name| Text::read(&object, name, scratch);
        let login_hint_token = text("login_hint_token");
        Self {
            object,
            iss: text("iss"),
            sub: text("sub"),
            aud,
            is_aud_array: matches!(listed, Some(Value::Array(_))),
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
