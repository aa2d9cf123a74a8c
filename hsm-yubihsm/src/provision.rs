//! Sets a device up: a key that can do nothing but sign, and a password that can do nothing but use it.
//!
//! Three steps, because the certificate comes from a CA between the second and the third:
//! [`Device::generate_key`], [`Device::put_signing_auth_key`], [`Device::put_certificates`]. Each reads back
//! what is on the device then, and fails if it is not what was asked for. Nothing is ever exported.

use privyseal_hsm::{Secret, options, public_key};
use yubihsm::{AuditOption, Capability, Domain, authentication, object, opaque};

use crate::device::{Device, derive};
use crate::error::{CertificateError, Error};
use crate::key::{KeyFacts, rsa_of};
use crate::limits::{GENERATE_TIMEOUT, MAX_CERTIFICATES, MAX_LABEL, MAX_STORED};

/// Where a new object goes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewObject {
    /// Its id, from 1 to 65534.
    pub id: u16,
    /// Its label, at most 40 bytes.
    pub label: String,
    /// Its one domain, from 1 to 16. Key, authentication key and certificates must share it.
    pub domain: u8,
}

options! {
    /// What a new authentication key may do beside signing. By default nothing.
    pub struct ExtraCapabilities {
        /// `get-opaque`: read the chain from the device. Without it the chain must come from a file.
        read_certificates: bool = false,
        /// `get-log-entries`: drain the log. Without it another authentication key must do that.
        drain_log: bool = false,
    }
}

impl Device {
    /// Generates an RSA key on the device, with the capability `sign-pkcs` only.
    ///
    /// # Errors
    /// `new` cannot be on a device, the device refuses, or made something else.
    pub fn generate_key(&self, new: &NewObject, bits: u32) -> Result<KeyFacts, Error> {
        let (label, domain) = new.checked()?;
        let id = new.id;
        let algorithm = rsa_of(bits).ok_or_else(|| Error::Provision {
            object: format!("asymmetric key {id}"),
            reason: format!("would have {bits} bits; the device makes 2048, 3072 and 4096"),
        })?;
        let given = self.call_within(GENERATE_TIMEOUT, "GenerateAsymmetricKey", move |client| {
            client.generate_asymmetric_key(
                id,
                label.clone(),
                domain,
                Capability::SIGN_PKCS,
                algorithm,
            )
        })?;
        let facts = self.key(given)?;
        let right = given == new.id
            && facts.generated
            && facts.capabilities.0 == Capability::SIGN_PKCS
            && facts.domains == [new.domain]
            && facts.public_key.is_ok();
        if right {
            Ok(facts)
        } else {
            Err(new.differs("asymmetric key"))
        }
    }

    /// Puts an authentication key with the capability `sign-pkcs` only, and what `extra` adds. It can
    /// delegate nothing.
    ///
    /// # Errors
    /// `new` cannot be on a device, the device refuses, or stored something else.
    pub fn put_signing_auth_key(
        &self,
        new: &NewObject,
        password: &Secret,
        extra: ExtraCapabilities,
    ) -> Result<(), Error> {
        let (label, domain) = new.checked()?;
        let id = new.id;
        let capabilities = extra.capabilities();
        let key = derive(password);
        self.call("PutAuthenticationKey", move |client| {
            client.put_authentication_key(
                id,
                label.clone(),
                domain,
                capabilities,
                Capability::empty(),
                authentication::Algorithm::YubicoAes,
                key.clone(),
            )
        })?;
        let info = self.object_info(id, object::Type::AuthenticationKey)?;
        let right = info.is_some_and(|info| {
            info.capabilities == capabilities
                && info.delegated_capabilities == Capability::empty()
                && info.domains == domain
        });
        if right {
            Ok(())
        } else {
            Err(new.differs("authentication key"))
        }
    }

    /// Puts certificates (DER) into opaque objects from `first.id` on, all with `first.label`; gives
    /// their ids. What is no certificate, or has more than 1968 bytes, is refused before anything is written.
    ///
    /// # Errors
    /// A certificate cannot be read or there are too many, or the device refuses or stored something else.
    pub fn put_certificates(
        &self,
        first: &NewObject,
        certificates: &[Vec<u8>],
    ) -> Result<Vec<u16>, Error> {
        let (label, domain) = first.checked()?;
        let mut objects = Vec::new();
        for (offset, der) in (0..).zip(certificates) {
            let id = first.id.saturating_add(offset);
            if privyseal_core::cert::Certificate::from_der(der).is_err() {
                return Err(CertificateError::NotACertificate { id }.into());
            }
            if der.len() > MAX_STORED {
                let len = der.len();
                return Err(Error::Provision {
                    object: format!("opaque object {id}"),
                    reason: format!(
                        "would have {len} bytes, and one message to the device stores at most {MAX_STORED}; nothing was \
                         changed"
                    ),
                });
            }
            objects.push((id, der.clone()));
        }
        if objects.len() > MAX_CERTIFICATES {
            let count = objects.len();
            return Err(CertificateError::TooMany {
                label: first.label.clone(),
                count,
            }
            .into());
        }
        let mut ids = Vec::new();
        for (id, der) in objects {
            let (label, content) = (label.clone(), der.clone());
            self.call("PutOpaque", move |client| {
                client.put_opaque(
                    id,
                    label.clone(),
                    domain,
                    Capability::empty(),
                    opaque::Algorithm::X509Certificate,
                    content.clone(),
                )
            })?;
            let stored = self.object_info(id, object::Type::Opaque)?;
            if stored.is_none_or(|info| usize::from(info.length) != der.len()) {
                return Err(NewObject {
                    id,
                    ..first.clone()
                }
                .differs("opaque object"));
            }
            ids.push(id);
        }
        Ok(ids)
    }

    /// Stores the certificates (DER, leaf first) of key `key_id` under its label, in its domain, and gives the ids of
    /// their objects. Those that are there already stay; other certificates with the label are removed if `replace`
    /// says so, after the new ones are there.
    ///
    /// # Errors
    /// There is no such key or it has no label, the first certificate is not for it, other certificates have its label, or
    /// the device refuses.
    pub fn put_chain(
        &self,
        key_id: u16,
        certificates: &[Vec<u8>],
        replace: bool,
    ) -> Result<Vec<u16>, Error> {
        let facts = self.key(key_id)?;
        let refused = |object: String, reason: &str| Error::Provision {
            object,
            reason: format!("{reason}; nothing was changed"),
        };
        let leaf = certificates.first().and_then(|leaf| public_key(leaf));
        if leaf.is_none() || leaf != facts.public_key.ok() {
            return Err(refused(
                "the first certificate".into(),
                "is not for the key",
            ));
        }
        if facts.label.is_empty() {
            let key = format!("asymmetric key {key_id}");
            return Err(refused(key, "has no label to find certificates by"));
        }
        let there = self.opaque_ids(Some(&facts.label))?;
        let stored = self.certificates(&there)?;
        if stored.iter().eq(certificates) {
            return Ok(there);
        }
        if let Some(id) = there.first().filter(|_| !replace) {
            return Err(refused(
                format!("opaque object {id}"),
                "has the key's label",
            ));
        }
        let taken = self.opaque_ids(None)?;
        let count = u16::try_from(certificates.len()).unwrap_or(u16::MAX);
        let is_free =
            |first: &u16| (*first..first.saturating_add(count)).all(|id| !taken.contains(&id));
        let id = (key_id.saturating_add(1)..u16::MAX.saturating_sub(count)).find(is_free);
        let first = NewObject {
            id: id.unwrap_or(u16::MAX),
            label: facts.label,
            domain: facts.domains.first().copied().unwrap_or(1),
        };
        let ids = self.put_certificates(&first, certificates)?;
        for id in there {
            self.call("DeleteObject", move |client| {
                client.delete_object(id, object::Type::Opaque)
            })?;
        }
        Ok(ids)
    }

    /// Switches force-audit on: the device then refuses commands rather than lose an entry of its log.
    ///
    /// # Errors
    /// The device refuses.
    pub fn force_audit(&self) -> Result<(), Error> {
        self.call("SetOption", |client| {
            client.set_force_audit_option(AuditOption::On)
        })
    }
}

impl ExtraCapabilities {
    fn capabilities(self) -> Capability {
        let mut capabilities = Capability::SIGN_PKCS;
        capabilities.set(Capability::GET_OPAQUE, self.read_certificates);
        capabilities.set(Capability::GET_LOG_ENTRIES, self.drain_log);
        capabilities
    }
}

impl NewObject {
    /// An object with this id and label, in this one domain.
    pub fn new(id: u16, label: impl Into<String>, domain: u8) -> Self {
        Self {
            id,
            label: label.into(),
            domain,
        }
    }

    fn checked(&self) -> Result<(object::Label, Domain), Error> {
        let refused = |reason: String| Error::Provision {
            object: format!("object {}", self.id),
            reason,
        };
        if matches!(self.id, 0 | u16::MAX) {
            return Err(refused("has no id from 1 to 65534".into()));
        }
        let label = object::Label::from_bytes(self.label.as_bytes())
            .map_err(|_| refused(format!("has a label longer than {MAX_LABEL} bytes")))?;
        let domain = Domain::at(self.domain.into())
            .map_err(|_| refused("has no domain from 1 to 16".into()))?;
        Ok((label, domain))
    }

    fn differs(&self, kind: &str) -> Error {
        Error::Provision {
            object: format!("{kind} {}", self.id),
            reason: "is on the device, but not as it was asked for; delete it".into(),
        }
    }
}
