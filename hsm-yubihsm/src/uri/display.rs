//! URI to text, ready to paste between single quotes.

use std::fmt;

use super::attribute::Attribute;
use super::{Endpoint, YubihsmUri, percent};

impl fmt::Display for YubihsmUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut path = Vec::new();
        match &self.endpoint {
            Endpoint::Http { host, port } => {
                path.push(format!("{}={host}", Attribute::Host));
                path.push(format!("{}={port}", Attribute::Port));
            }
            Endpoint::Usb { serial } => {
                path.push(Attribute::Usb.to_string());
                path.extend(
                    serial
                        .iter()
                        .map(|it| format!("{}={it}", Attribute::Serial)),
                );
            }
        }
        path.push(format!("{}={}", Attribute::AuthKey, self.auth_key));
        path.extend(self.key_id.map(|id| format!("{}={id}", Attribute::KeyId)));
        if !self.cert_ids.is_empty() {
            let ids: Vec<_> = self.cert_ids.iter().map(u16::to_string).collect();
            path.push(format!("{}={}", Attribute::CertIds, ids.join(",")));
        }
        if let Some(label) = &self.cert_label {
            path.push(format!(
                "{}={}",
                Attribute::CertLabel,
                percent::encode(label, false)
            ));
        }

        let mut query = Vec::new();
        if let Some(source) = &self.pin_source {
            query.push(format!(
                "{}={}",
                Attribute::PinSource,
                percent::encode(source, true)
            ));
        }
        if let Some(timeout) = self.timeout {
            query.push(format!("{}={}", Attribute::Timeout, timeout.as_secs()));
        }
        if let Some(wait) = self.session_wait {
            query.push(format!("{}={}", Attribute::SessionWait, wait.as_secs()));
        }
        // The parser took it from UTF-8, so nothing is lost.
        if let Some(dir) = self.audit_dir.as_ref().and_then(|dir| dir.to_str()) {
            query.push(format!(
                "{}={}",
                Attribute::AuditDir,
                percent::encode(dir, true)
            ));
        }

        write!(f, "yubihsm:{}", path.join(";"))?;
        if query.is_empty() {
            Ok(())
        } else {
            write!(f, "?{}", query.join("&"))
        }
    }
}

/// As a message names a device.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { host, port } => write!(f, "http://{host}:{port}"),
            Self::Usb {
                serial: Some(serial),
            } => write!(f, "usb serial {serial}"),
            Self::Usb { serial: None } => f.write_str("usb"),
        }
    }
}
