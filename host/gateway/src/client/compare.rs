//! Compares a token that a device made with the one that was asked for.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal_core::UnixTime;
use privyseal_core::credential::AssertionRequest;
use privyseal_core::encoding::sink::Sink;
use privyseal_core::jws::JwsParts;
use privyseal_core::limits::{MAX_JTI, MAX_PAYLOAD};
use privyseal_core::{CompactJws, Credential, Error, Jti, SigningInput};
use privyseal_protocol::{Content, DeviceId, MAX_BEHIND_SECONDS, NONCE_LEN};
use serde_json::Value;

use super::ClientError;
use crate::error::DeviceError;
use crate::hex;

/// What a `jti` of this device for this request looks like: the device's id first, the nonce last.
pub(super) struct JtiForm {
    pub(super) device: DeviceId,
    pub(super) nonce: [u8; NONCE_LEN],
}

/// The statement of this content; without one, an assertion.
pub(super) fn prepare<'a>(
    credential: &'a Credential<Vec<u8>>,
    content: Option<&Content<'a>>,
    request: &AssertionRequest<'a>,
) -> Result<SigningInput<'a>, Error> {
    match content {
        None => credential.prepare(request),
        Some(content) => content.prepare(credential.bound(), request),
    }
}

/// Makes the token that was asked for, with the device's `jti` and the device's signature, in `buffer`.
/// An error if the device's token is any other, or the signature is not by the credential's key.
///
/// `asked` leaves nothing open but the `jti`; and the time, where the device's floor is a little later. A login hint has
/// neither.
pub(super) fn own_copy<'b>(
    credential: &Credential<Vec<u8>>,
    content: Option<&Content<'_>>,
    asked: &AssertionRequest<'_>,
    form: &JtiForm,
    token: &[u8],
    buffer: &'b mut [u8],
) -> Result<CompactJws<'b>, ClientError> {
    let parts = core::str::from_utf8(token).ok().and_then(JwsParts::split);
    let parts = parts.ok_or_else(|| untrue("what it gave is no token"))?;
    let payload = payload(parts.payload)?;
    let mut asked = *asked;
    if !matches!(content, Some(Content::LoginHint(_))) {
        let jti = payload.get("jti").and_then(Value::as_str).unwrap_or("");
        form.check(jti)?;
        (asked.jti, asked.now) = (Jti::new(jti)?, served_at(&asked, &payload));
    }
    let wanted = prepare(credential, content, &asked)?;

    if parts.header.as_bytes() != credential.header() {
        return Err(untrue(
            "its token has another header than its key and chain make",
        ));
    }
    let mut rest = Rest(parts.signing_input.as_bytes());
    if wanted.write_to(&mut rest).is_err() || !rest.0.is_empty() {
        return Err(untrue(difference(&wanted, &payload)));
    }
    let signature = decode(parts.signature, "signature")?;
    wanted
        .attach(&signature, buffer)
        .map_err(|error| untrue(format!("its token was not signed by its key: {error}")))
}

/// When the device has made it: as asked, or at its time floor, if this machine's clock is a little behind that.
fn served_at(asked: &AssertionRequest<'_>, payload: &Value) -> UnixTime {
    let issued = payload.get("iat").and_then(Value::as_u64);
    let served = issued.and_then(|issued| issued.checked_add(asked.backdate));
    let latest = asked.now.as_secs().saturating_add(MAX_BEHIND_SECONDS);
    served
        .filter(|served| (asked.now.as_secs()..=latest).contains(served))
        .and_then(|served| UnixTime::from_secs(served).ok())
        .unwrap_or(asked.now)
}

fn payload(encoded: &str) -> Result<Value, ClientError> {
    if encoded.len() > MAX_PAYLOAD {
        return Err(untrue("its token's payload is too long"));
    }
    serde_json::from_slice(&decode(encoded, "payload")?)
        .map_err(|_| untrue("its token's payload is not JSON"))
}

impl JtiForm {
    fn check(&self, jti: &str) -> Result<(), ClientError> {
        if !jti.starts_with(&format!("{}-", hex::encode(&self.device))) {
            return Err(untrue("the jti of its token does not begin with its id"));
        }
        let nonce = format!("-{}", hex::encode(&self.nonce));
        if jti.len() > MAX_JTI || !jti.ends_with(&nonce) {
            return Err(untrue(
                "the jti of its token does not end with this request's nonce: it is an old token, or \
                 another's",
            ));
        }
        Ok(())
    }
}

/// Takes exactly the bytes that it holds.
struct Rest<'a>(&'a [u8]);

impl Sink for Rest<'_> {
    type Error = ();

    fn write(&mut self, bytes: &[u8]) -> Result<(), ()> {
        self.0 = self.0.strip_prefix(bytes).ok_or(())?;
        Ok(())
    }
}

/// Which claim is not the one that was asked for.
fn difference(wanted: &SigningInput<'_>, found: &Value) -> String {
    let mut text = Vec::new();
    let Ok(()) = wanted.write_to(&mut text);
    let payload = text.rsplit(|&byte| byte == b'.').next().unwrap_or(&[]);
    let wanted: Value = core::str::from_utf8(payload)
        .ok()
        .and_then(|payload| Base64UrlUnpadded::decode_vec(payload).ok())
        .and_then(|json| serde_json::from_slice(&json).ok())
        .unwrap_or(Value::Null);
    let (Some(wanted), Some(found)) = (wanted.as_object(), found.as_object()) else {
        return "its token's payload is no JSON object".to_owned();
    };
    let names = wanted.keys().chain(found.keys());
    match names
        .into_iter()
        .find(|name| wanted.get(*name) != found.get(*name))
    {
        Some(name) => format!(
            "its token has another {} than was asked for",
            name.escape_default()
        ),
        None => "its token's payload is not written in canonical JSON (RFC 8785)".to_owned(),
    }
}

fn decode(part: &str, name: &str) -> Result<Vec<u8>, ClientError> {
    Base64UrlUnpadded::decode_vec(part)
        .map_err(|_| untrue(format!("its token's {name} is not base64url")))
}

fn untrue(what: impl Into<String>) -> ClientError {
    DeviceError::untrue(what).into()
}
