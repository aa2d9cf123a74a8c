//! Text to URI.

use std::path::PathBuf;
use std::time::Duration;

use super::attribute::Attribute;
use super::error::{UriError, UriFault, UriPlace};
use super::{DEFAULT_AUTH_KEY, DEFAULT_HOST, DEFAULT_PORT, Endpoint, YubihsmUri, percent};
use crate::limits::{
    CALL_TIMEOUTS, MAX_CERTIFICATES, MAX_HOST, MAX_LABEL, MAX_PASSWORD, MAX_URI, SESSION_WAITS,
};
use crate::password::Password;

pub(super) fn parse(text: &str) -> Result<YubihsmUri, UriError> {
    let whole = |fault| UriError {
        place: UriPlace::Uri,
        fault,
    };
    if text.len() > MAX_URI {
        return Err(whole(UriFault::TooLong));
    }
    // Schemes are case-insensitive (RFC 3986 section 3.1).
    let rest = match text.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("yubihsm") => rest,
        _ => return Err(whole(UriFault::Scheme)),
    };
    let (path, query) = rest
        .split_once('?')
        .map_or((rest, ""), |(path, query)| (path, query));
    let mut found = Found::default();
    found.read(path, ';', UriPlace::PathPart)?;
    found.read(query, '&', UriPlace::QueryPart)?;
    found.finish()
}

/// What was read so far.
#[derive(Default)]
struct Found {
    seen: Vec<Attribute>,
    host: Option<String>,
    port: Option<u16>,
    serial: Option<String>,
    auth_key: Option<u16>,
    uri: YubihsmUri,
}

impl Found {
    fn read(
        &mut self,
        text: &str,
        separator: char,
        unknown: fn(usize) -> UriPlace,
    ) -> Result<(), UriError> {
        if text.is_empty() {
            return Ok(());
        }
        for (index, part) in text.split(separator).enumerate() {
            let (name, value) = part
                .split_once('=')
                .map_or((part, None), |(name, value)| (name, Some(value)));
            let attribute = Attribute::from_name(name).ok_or(UriError {
                place: unknown(index + 1),
                fault: UriFault::Unknown,
            })?;
            self.take(attribute, value, separator == '&')
                .map_err(|fault| UriError::attribute(attribute, fault))?;
        }
        Ok(())
    }

    fn take(
        &mut self,
        attribute: Attribute,
        value: Option<&str>,
        in_query: bool,
    ) -> Result<(), UriFault> {
        match (attribute.is_of_query(), in_query) {
            (true, false) => return Err(UriFault::OfQuery),
            (false, true) => return Err(UriFault::NotOfQuery),
            _ => {}
        }
        if self.seen.contains(&attribute) {
            return Err(UriFault::Duplicate);
        }
        self.seen.push(attribute);
        if attribute == Attribute::Usb {
            return if value.is_none() {
                Ok(())
            } else {
                Err(UriFault::Value)
            };
        }
        let value = percent::decode(value.ok_or(UriFault::NoValue)?)?;
        let value = value.as_str();
        if value.is_empty() {
            return Err(UriFault::Empty);
        }
        let uri = &mut self.uri;
        match attribute {
            Attribute::Host => self.host = Some(host(value)?),
            Attribute::Port => self.port = Some(port(value)?),
            Attribute::Serial => self.serial = Some(serial(value)?),
            Attribute::AuthKey => self.auth_key = Some(id(value)?),
            Attribute::KeyId => uri.key_id = Some(id(value)?),
            Attribute::CertIds => uri.cert_ids = ids(value)?,
            Attribute::CertLabel => uri.cert_label = Some(label(value)?),
            Attribute::PinSource => uri.pin_source = Some(no_nul(value)?.to_owned()),
            Attribute::PinValue => uri.pin_value = Some(password(value)?),
            Attribute::Timeout => uri.timeout = Some(seconds(value, CALL_TIMEOUTS)?),
            Attribute::SessionWait => uri.session_wait = Some(seconds(value, SESSION_WAITS)?),
            Attribute::AuditDir => uri.audit_dir = Some(PathBuf::from(no_nul(value)?)),
            Attribute::Usb => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<YubihsmUri, UriError> {
        let has = |attribute| self.seen.contains(&attribute);
        let wrong = if has(Attribute::Usb) {
            [Attribute::Host, Attribute::Port]
                .into_iter()
                .find(|it| has(*it))
        } else {
            has(Attribute::Serial).then_some(Attribute::Serial)
        };
        if let Some(attribute) = wrong {
            return Err(UriError::attribute(attribute, UriFault::Transport));
        }
        if has(Attribute::CertIds) && has(Attribute::CertLabel) {
            return Err(UriError::attribute(
                Attribute::CertLabel,
                UriFault::TwoChains,
            ));
        }
        let endpoint = if has(Attribute::Usb) {
            Endpoint::Usb {
                serial: self.serial,
            }
        } else {
            Endpoint::Http {
                host: self.host.unwrap_or_else(|| DEFAULT_HOST.into()),
                port: self.port.unwrap_or(DEFAULT_PORT),
            }
        };
        let auth_key = self.auth_key.unwrap_or(DEFAULT_AUTH_KEY);
        Ok(YubihsmUri {
            endpoint,
            auth_key,
            ..self.uri
        })
    }
}

fn host(value: &str) -> Result<String, UriFault> {
    if value.len() > MAX_HOST {
        return Err(UriFault::ValueTooLong);
    }
    let bare = value.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let fits = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => value
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || b".-_".contains(&it)),
    };
    if fits {
        Ok(value.to_owned())
    } else {
        Err(UriFault::Character)
    }
}

/// Only digits: the parser of the standard library would let a `+` pass.
fn decimal<T: std::str::FromStr>(value: &str) -> Result<T, UriFault> {
    if !value.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(UriFault::Number);
    }
    value.parse().map_err(|_| UriFault::Number)
}

fn port(value: &str) -> Result<u16, UriFault> {
    decimal(value).and_then(|port| {
        if port == 0 {
            Err(UriFault::Number)
        } else {
            Ok(port)
        }
    })
}

fn serial(value: &str) -> Result<String, UriFault> {
    decimal::<u32>(value)?;
    if value.len() == 10 {
        Ok(value.to_owned())
    } else {
        Err(UriFault::Number)
    }
}

/// 0 means "choose one" to the device, 0xffff is reserved.
fn id(value: &str) -> Result<u16, UriFault> {
    let id = match value.strip_prefix("0x") {
        Some(hex) if hex.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            u16::from_str_radix(hex, 16).map_err(|_| UriFault::Number)?
        }
        Some(_) => return Err(UriFault::Number),
        None => decimal(value)?,
    };
    if matches!(id, 0 | u16::MAX) {
        Err(UriFault::Number)
    } else {
        Ok(id)
    }
}

fn ids(value: &str) -> Result<Vec<u16>, UriFault> {
    let ids: Vec<u16> = value.split(',').map(id).collect::<Result<_, _>>()?;
    if ids.len() > MAX_CERTIFICATES {
        Err(UriFault::ValueTooLong)
    } else {
        Ok(ids)
    }
}

fn label(value: &str) -> Result<String, UriFault> {
    if value.len() > MAX_LABEL {
        return Err(UriFault::ValueTooLong);
    }
    no_nul(value).map(str::to_owned)
}

fn no_nul(value: &str) -> Result<&str, UriFault> {
    if value.contains('\0') {
        Err(UriFault::Character)
    } else {
        Ok(value)
    }
}

fn password(value: &str) -> Result<Password, UriFault> {
    if value.len() > MAX_PASSWORD {
        return Err(UriFault::ValueTooLong);
    }
    Password::new(value).map_err(|_| UriFault::Character)
}

fn seconds(value: &str, (shortest, longest): (Duration, Duration)) -> Result<Duration, UriFault> {
    let duration = Duration::from_secs(decimal(value)?);
    if (shortest..=longest).contains(&duration) {
        Ok(duration)
    } else {
        Err(UriFault::Number)
    }
}
