//! A key that the device makes, and the certification request for it.

use core::time::Duration;
use std::thread::sleep;
use std::time::Instant;

use privyseal_core::cert::{KeyUsage, KeyUsages};
use privyseal_core::csr::{CertificationRequestInfo, Subject};
use privyseal_core::limits::MAX_CERTIFICATION_REQUEST;
use privyseal_protocol::{
    CsrRequest, DeviceState, Generate, Generation, MAX_SEED, Origin, Request, Response, SubjectPart,
};
use zeroize::Zeroizing;

use super::{Device, Pieces};
use crate::error::{ClientError, DeviceError, untrue};
use crate::unlock::UnlockSecret;

/// From one look at how far it is to the next.
const LOOK: Duration = Duration::from_millis(250);

impl Device {
    /// Has an empty device make an RSA key of `bits`, and waits until it is done; one that makes such a key already is
    /// waited for. `board_entropy` says whether the board's own random generator must take part; random bytes of this
    /// machine always do. With an unlock secret the key is kept under it, from the beginning and for good. `progress` is
    /// told after each look. Gives the SHA-256 of the key's SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// [`DeviceError::NotGenerated`] if it stops; [`DeviceError::Refused`] for a size that it does not make, without a
    /// generator that must take part, or if it has a key; [`DeviceError::Untrue`] for another key than was asked for.
    pub fn generate(
        &mut self,
        bits: u16,
        board_entropy: bool,
        unlock: Option<&UnlockSecret>,
        progress: &mut dyn FnMut(Generation),
    ) -> Result<[u8; 32], DeviceError> {
        let info = self.refresh()?;
        if info.generation.is_none_or(|begun| begun.bits != bits) {
            let mut seed = Zeroizing::new([0; MAX_SEED]);
            getrandom::fill(&mut *seed)?;
            let request = Request::Generate(Generate {
                bits,
                board_entropy,
                seed: &*seed,
                unlock: unlock.map(UnlockSecret::sent),
            });
            self.order("make a key", &request, |it| {
                matches!(it, Response::Accepted { .. })
            })?;
        }
        let end = Instant::now() + self.limits.generation;
        while let Some(generation) = self.generation()? {
            progress(generation);
            if Instant::now() > end {
                return untrue("it makes a key and has no end of it");
            }
            sleep(LOOK);
        }
        if self.info.state != DeviceState::Uncertified {
            return Err(DeviceError::NotGenerated);
        }
        let (key, origin) = (self.info.key, self.info.origin);
        let made = self.public_key()?;
        if made.bits() != usize::from(bits) || origin != Some(Origin::Generated) {
            return untrue("it has another key than it was asked to make");
        }
        self.info.check_unlock(unlock.is_some())?;
        key.ok_or(DeviceError::NoKey)
    }

    /// How far it is, as long as it is at it.
    fn generation(&mut self) -> Result<Option<Generation>, DeviceError> {
        let info = self.refresh()?;
        match (info.state, info.generation) {
            (DeviceState::Generating, None) => {
                untrue("it makes a key and does not say how far it is")
            }
            (DeviceState::Generating, generation) => Ok(generation),
            _ => Ok(None),
        }
    }

    /// A certification request for the key that the device has made, DER. It is what the core makes of this subject,
    /// these usages and the device's public key, with a signature that was verified.
    ///
    /// # Errors
    /// [`ClientError::Core`] for usages that such a key may not have; [`ClientError::Device`] if the device refuses, or
    /// signs another request.
    pub fn certification_request(
        &mut self,
        subject: &Subject<'_>,
        usages: KeyUsages,
    ) -> Result<Vec<u8>, ClientError> {
        let key = self.public_key()?;
        let info = CertificationRequestInfo::new(subject, usages, &key)?;
        let attributes = subject.attributes().iter();
        let request = Request::Csr(CsrRequest {
            subject: attributes
                .map(|attribute| SubjectPart {
                    arc: attribute.kind().arc(),
                    value: attribute.value(),
                })
                .collect(),
            digital_signature: usages.has(KeyUsage::DigitalSignature),
            non_repudiation: usages.has(KeyUsage::NonRepudiation),
        });
        let what = "sign a certification request";
        // Its engine is made for this one signature, which takes as long as three: 26 s of RSA-4096 at 16 MHz.
        let limit = self.limits.signature * 2;
        let asked = self.limits.of(what, limit, MAX_CERTIFICATION_REQUEST);
        let mut der = Pieces::new(what, MAX_CERTIFICATION_REQUEST);
        self.exchange
            .ask(asked, &request, |response| match response {
                Response::CertificationRequest {
                    total,
                    offset,
                    bytes,
                } => der.add(total, offset, bytes),
                _ => Err(DeviceError::Unexpected { asked: what }),
            })?;
        let der = der.bytes;
        let signature = der.len().checked_sub(key.modulus().len());
        let signature = signature.and_then(|at| der.get(at..)).unwrap_or(&[]);
        let mut buffer = [0; MAX_CERTIFICATION_REQUEST];
        match info.attach(signature, &mut buffer) {
            Ok(own) if own.as_der() == &**der => Ok(own.as_der().to_vec()),
            _ => Err(DeviceError::untrue(
                "its certification request is another one than was asked for, or its key has not signed it",
            )
            .into()),
        }
    }
}
