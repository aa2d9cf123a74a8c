//! A gateway at the other end of a line: every request of the protocol, typed.

mod generate;
mod limits;
mod pieces;
mod unlock;

use core::time::Duration;
use std::thread::sleep;
use std::time::Instant;

use privyseal_core::limits::{MAX_CHAIN_DER, MAX_COMPACT_JWS};
use privyseal_core::rsa::RsaPublicKey;
use privyseal_protocol::log::RECORD_LEN;
use privyseal_protocol::{
    Content, MAX_COMPOSED, MAX_DATA, MAX_POLICY, Part, Provision, Request, Response, SignRequest,
};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

pub use limits::Limits;
use pieces::Pieces;

use crate::error::{DeviceError, untrue};
use crate::exchange::{Answer, Asked, Exchange};
use crate::info::DeviceInfo;
use crate::line::Line;
use crate::log::{DeviceLog, LogBuilder};
use crate::uri::{DeviceUri, Place};

/// Entries of the log that are asked for at once.
const LOG_BATCH: u16 = 64;

/// Entries of a log that are read at most: far more than any flash of a gateway holds.
const MAX_LOG: usize = 1 << 16;

/// What it is asked to do with a content key.
pub(crate) const UNWRAP: &str = "unwrap a content key";

/// The longest SubjectPublicKeyInfo that is read, in bytes: RSA-4096 has 550.
const MAX_SPKI: usize = 1024;

/// A gateway that answered. Nothing it says is believed beyond what can be checked.
#[derive(Debug)]
pub struct Device {
    pub(crate) exchange: Exchange,
    limits: Limits,
    info: DeviceInfo,
}

impl Device {
    /// Opens the line and asks who is there.
    ///
    /// # Errors
    /// [`DeviceError`] if nobody answers there, or with another key than the URI names.
    pub fn open(uri: &DeviceUri, limits: Limits) -> Result<Self, DeviceError> {
        let limits = match uri.place() {
            Place::Serial { baud, .. } => limits.at(*baud),
            Place::Unix(_) => limits,
        };
        let device = Self::begin(open_line(uri, limits.wait)?, limits)?;
        if uri.device_id().is_some_and(|id| *id != device.info.device) {
            return untrue("its id is not the one that device of the URI names");
        }
        match (uri.key_sha256(), device.info.key) {
            (Some(expected), Some(found)) if *expected != found => {
                untrue("its key is not the one that key-sha256 of the URI names")
            }
            (Some(_), None) => Err(DeviceError::NoKey),
            _ => Ok(device),
        }
    }

    /// Over a socket that is connected already: a bridge, or a test.
    ///
    /// # Errors
    /// [`DeviceError`] if nobody answers.
    #[cfg(unix)]
    pub fn over(
        stream: std::os::unix::net::UnixStream,
        limits: Limits,
    ) -> Result<Self, DeviceError> {
        let line = Line::of_stream(stream).map_err(|source: std::io::Error| DeviceError::Line {
            doing: "send",
            source,
        })?;
        Self::begin(line, limits)
    }

    fn begin(line: Line, limits: Limits) -> Result<Self, DeviceError> {
        let mut exchange = Exchange::begin(line)?;
        let info = info(&mut exchange, limits)?;
        Ok(Self {
            exchange,
            limits,
            info,
        })
    }

    /// What the device said of itself when it was last asked.
    pub const fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// How long it may take.
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// Asks again.
    ///
    /// # Errors
    /// [`DeviceError`], as each request: no answer in time, a refusal, or one that cannot be true.
    pub fn refresh(&mut self) -> Result<&DeviceInfo, DeviceError> {
        self.info = info(&mut self.exchange, self.limits)?;
        Ok(&self.info)
    }

    /// The policy, in the encoding of [`privyseal_protocol::Policy`].
    ///
    /// # Errors
    /// [`DeviceError::Refused`] without a key; else as [`Device::refresh`].
    pub fn policy(&mut self) -> Result<Vec<u8>, DeviceError> {
        self.read(Part::Policy, "read its policy", MAX_POLICY)
    }

    /// The certificates, DER, one after the other. Empty where no scheme needs them.
    ///
    /// # Errors
    /// As [`Device::policy`].
    pub fn chain(&mut self) -> Result<Vec<u8>, DeviceError> {
        let chain = self.read(Part::Chain, "read its certificate chain", MAX_CHAIN_DER);
        match chain {
            Err(DeviceError::Refused {
                refusal: privyseal_protocol::Refusal::NotReadable(Part::Chain),
                ..
            }) => Ok(Vec::new()),
            chain => chain,
        }
    }

    /// The public key, and that it is the one that its information names.
    ///
    /// # Errors
    /// [`DeviceError::NoKey`]; [`DeviceError::Untrue`] if it is another key than the device says.
    pub fn public_key(&mut self) -> Result<RsaPublicKey, DeviceError> {
        let digest = self.info.key.ok_or(DeviceError::NoKey)?;
        let spki = self.read(Part::PublicKey, "read its public key", MAX_SPKI)?;
        if <[u8; 32]>::from(Sha256::digest(&spki)) != digest {
            return untrue("its public key is another one than it says");
        }
        RsaPublicKey::from_spki(&spki)
            .map_err(|error| DeviceError::untrue(format!("its public key {error}")))
    }

    /// A token, as it came: not verified, so for this library's eyes only. Without a content, of an assertion.
    pub(crate) fn sign(
        &mut self,
        request: SignRequest<'_>,
        content: Option<&Content<'_>>,
        presence: Option<u8>,
    ) -> Result<Zeroizing<Vec<u8>>, DeviceError> {
        let (what, request) = match content {
            None => ("sign an assertion", Request::Sign(request)),
            Some(content) => {
                let what = match content {
                    Content::LoginHint(_) => "sign a login hint",
                    Content::Authentication(_) => "sign an authentication request",
                    _ => "sign an authorization request",
                };
                self.compose(what, content)?;
                (what, Request::SignComposed(request))
            }
        };
        let limit = self.limits.with_key(presence);
        let mut asked = self.limits.of(what, limit, MAX_COMPACT_JWS);
        // The caller asks again, with the time of then.
        asked.wait = Duration::ZERO;
        let mut token = Pieces::new(what, MAX_COMPACT_JWS);
        self.exchange
            .ask(asked, &request, |response| match response {
                Response::Token {
                    total,
                    offset,
                    bytes,
                } => token.add(total, offset, bytes),
                _ => Err(DeviceError::Unexpected { asked: what }),
            })?;
        Ok(token.bytes)
    }

    /// A content key. Nothing tells whether it is the one that was encrypted, but its length.
    pub(crate) fn unwrap(
        &mut self,
        ciphertext: &[u8],
        presence: Option<u8>,
    ) -> Result<Zeroizing<Vec<u8>>, DeviceError> {
        let limit = self.limits.with_key(presence);
        let asked = self.limits.of(UNWRAP, limit, 0);
        let request = Request::Unwrap { ciphertext };
        let key = self
            .exchange
            .ask_once(asked, &request, |response| match response {
                Response::ContentKey { bytes } => Some(Zeroizing::new(bytes.to_vec())),
                _ => None,
            })?;
        match key.len() {
            16 | 24 | 32 | 48 | 64 => Ok(key),
            len => untrue(format!("no content key has {len} bytes, and it gave one")),
        }
    }

    /// Sends what the next statement says, in pieces.
    fn compose(&mut self, what: &'static str, content: &Content<'_>) -> Result<(), DeviceError> {
        let mut buffer = Zeroizing::new([0; MAX_COMPOSED]);
        let bytes = content.to_bytes(&mut buffer);
        let bytes = bytes.ok_or(DeviceError::TooLong { asked: what })?;
        let asked = self.limits.of(what, self.limits.answer, 0);
        let mut sent = 0;
        for piece in bytes.chunks(MAX_DATA) {
            let request = Request::Compose {
                offset: sent,
                bytes: piece,
            };
            // Never more than MAX_COMPOSED, which fits.
            sent += u16::try_from(piece.len()).unwrap_or(u16::MAX);
            self.exchange
                .ask_once(asked, &request, |response| match response {
                    Response::Accepted { received } if received == u32::from(sent) => Some(()),
                    _ => None,
                })?;
        }
        Ok(())
    }

    /// The log from entry `from` on, its chain verified. See [`DeviceLog`] for what that proves.
    ///
    /// # Errors
    /// [`DeviceError::Untrue`] if an entry is changed or left out; else as [`Device::refresh`].
    pub fn log(&mut self, from: u32) -> Result<DeviceLog, DeviceError> {
        let batch = RECORD_LEN * usize::from(LOG_BATCH);
        let asked = self.limits.of("give its log", self.limits.answer, batch);
        let mut log = LogBuilder::new(self.info.device, from);
        loop {
            let before = log.len();
            let request = Request::Log {
                from: log.next_wanted(),
                max: LOG_BATCH,
            };
            let mut end = None;
            self.exchange
                .ask(asked, &request, |response| match response {
                    Response::Entry { record } if log.len() - before < LOG_BATCH.into() => {
                        log.add(record)?;
                        Ok(Answer::Continues)
                    }
                    Response::LogEnd { first, next, head } => {
                        end = Some((first, next, head));
                        Ok(Answer::Ends)
                    }
                    _ => Err(DeviceError::Unexpected { asked: asked.what }),
                })?;
            let Some((first, next, head)) = end else {
                return Err(DeviceError::Unexpected { asked: asked.what });
            };
            if log.len() > MAX_LOG {
                return untrue("its log has no end");
            }
            // A batch that is not full was the last one.
            if log.len() - before < LOG_BATCH.into() {
                return log.finish(first, next, head);
            }
        }
    }

    /// Gives the device the authority's word ([`privyseal_protocol::authority`]); answers with the new
    /// time floor, in seconds since the epoch.
    ///
    /// # Errors
    /// [`DeviceError::Refused`] if the word is not the authority's; else as [`Device::refresh`].
    pub fn set_time(&mut self, now: u64, signature: &[u8]) -> Result<u64, DeviceError> {
        let asked = self.writing("set the time");
        let request = Request::SetTime { now, signature };
        self.exchange
            .ask_once(asked, &request, |response| match response {
                Response::TimeSet { floor } => Some(floor),
                _ => None,
            })
    }

    /// Destroys the key and all that was provisioned.
    ///
    /// # Errors
    /// As [`Device::refresh`].
    pub fn wipe(&mut self) -> Result<(), DeviceError> {
        let device = self.info.device;
        self.order("wipe its key", &Request::Wipe { device }, |it| {
            matches!(it, Response::Wiped)
        })
    }

    /// A step of provisioning; answers with how many bytes of the part are there, or with the key's digest
    /// at the end.
    pub(crate) fn provision_step(&mut self, step: Provision<'_>) -> Result<Step, DeviceError> {
        let asked = self.writing("be provisioned");
        let request = Request::Provision(step);
        self.exchange
            .ask_once(asked, &request, |response| match response {
                Response::Accepted { received } => Some(Step::Accepted(received)),
                Response::Provisioned { key } => Some(Step::Provisioned(key)),
                _ => None,
            })
    }

    /// A request for which the device writes into its flash, and which it only confirms.
    pub(crate) fn order(
        &mut self,
        what: &'static str,
        request: &Request<'_>,
        confirms: impl Fn(Response<'_>) -> bool,
    ) -> Result<(), DeviceError> {
        let asked = self.writing(what);
        self.exchange
            .ask_once(asked, request, |response| confirms(response).then_some(()))
    }

    fn writing(&self, what: &'static str) -> Asked {
        self.limits.of(what, self.limits.flash, 0)
    }

    fn read(&mut self, part: Part, what: &'static str, max: usize) -> Result<Vec<u8>, DeviceError> {
        let asked = self.limits.of(what, self.limits.answer, MAX_DATA);
        let mut pieces = Pieces::new(what, max);
        loop {
            // Never longer than `max`, which fits.
            let offset = u16::try_from(pieces.offset()).unwrap_or(u16::MAX);
            let request = Request::Read { part, offset };
            let mut state = Answer::Continues;
            self.exchange
                .ask(asked, &request, |response| match response {
                    Response::Data {
                        part: found,
                        total,
                        offset,
                        bytes,
                    } if found == part => {
                        // A device gives as much as goes into a frame: so it ends.
                        if bytes.len() < MAX_DATA
                            && u64::from(offset) + bytes.len() as u64 != u64::from(total)
                        {
                            return untrue(format!(
                                "its answer to \"{what}\" comes in smaller pieces than it must"
                            ));
                        }
                        state = pieces.add(total, offset, bytes)?;
                        Ok(Answer::Ends)
                    }
                    _ => Err(DeviceError::Unexpected { asked: what }),
                })?;
            if state == Answer::Ends {
                return Ok(core::mem::take(&mut *pieces.bytes));
            }
        }
    }
}

/// Opens the line, after waiting so long at most for another program that has it.
fn open_line(uri: &DeviceUri, wait: Duration) -> Result<Line, DeviceError> {
    const LOOK: Duration = Duration::from_millis(50);
    let end = Instant::now() + wait;
    loop {
        match Line::open(uri) {
            Err(DeviceError::InUse { .. }) if Instant::now() + LOOK < end => sleep(LOOK),
            opened => return opened,
        }
    }
}

/// What a step of provisioning led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Accepted(u32),
    Provisioned([u8; 32]),
}

fn info(exchange: &mut Exchange, limits: Limits) -> Result<DeviceInfo, DeviceError> {
    let asked = limits.of("say who it is", limits.answer, 0);
    exchange.ask_once(asked, &Request::Info, |response| match response {
        Response::Info(info) => Some(DeviceInfo::from(info)),
        _ => None,
    })
}

const _: () = assert!(RECORD_LEN < MAX_DATA);
