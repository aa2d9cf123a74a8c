//! What both ends of a gateway's line that tests hold have in common: frames, and what a device is provisioned with.

use std::convert::Infallible;

use privyseal_core::encoding::sink::Sink;
use privyseal_protocol::frame::MAX_CONTENT;
use privyseal_protocol::{CHUNK, MAX_DATA, Part, Provision, Request, Totals, write_frame};
use serde::Serialize;

/// Everything that a device is provisioned with.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Modulus and primes; nothing for a device that has made its key.
    pub key: Vec<u8>,
    /// The encoded policy.
    pub policy: Vec<u8>,
    /// Certificates, DER.
    pub chain: Vec<u8>,
    /// The seed; nothing for a device that has made its key.
    pub seed: Vec<u8>,
    /// The unlock secret, or nothing.
    pub unlock: Vec<u8>,
}

impl Upload {
    /// How much it is.
    ///
    /// # Panics
    /// If it is more than a message can say.
    pub fn totals(&self) -> Totals {
        let len = |bytes: &[u8]| u32::try_from(bytes.len()).expect("a length");
        Totals {
            key: len(&self.key),
            policy: len(&self.policy),
            chain: len(&self.chain),
            seed: len(&self.seed),
            unlock: len(&self.unlock),
        }
    }

    /// Sends it, up to the commit, which is left to the caller.
    ///
    /// # Errors
    /// That of a step.
    ///
    /// # Panics
    /// As [`Upload::totals`].
    pub fn send<E>(&self, mut step: impl FnMut(Provision<'_>) -> Result<(), E>) -> Result<(), E> {
        step(Provision::Begin(self.totals()))?;
        for (part, bytes) in [
            (Part::Key, &self.key),
            (Part::Policy, &self.policy),
            (Part::Chain, &self.chain),
            (Part::Seed, &self.seed),
            (Part::Unlock, &self.unlock),
        ] {
            let mut offset = 0;
            for bytes in bytes.chunks(CHUNK) {
                step(Provision::Chunk {
                    part,
                    offset,
                    bytes,
                })?;
                offset += u32::try_from(bytes.len()).expect("a length");
            }
        }
        Ok(())
    }
}

/// The requests that compose these bytes.
///
/// # Panics
/// If they are more than a message can say.
pub fn composing(bytes: &[u8]) -> impl Iterator<Item = Request<'_>> {
    (0_u16..)
        .step_by(MAX_DATA)
        .zip(bytes.chunks(MAX_DATA))
        .map(|(offset, bytes)| Request::Compose { offset, bytes })
}

struct Bytes(Vec<u8>);

impl Sink for Bytes {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// The frame of a request or a response.
///
/// # Panics
/// If it is longer than a message.
pub fn frame<M: Serialize>(id: u8, message: &M) -> Vec<u8> {
    let mut sink = Bytes(Vec::new());
    write_frame(id, message, &mut [0; MAX_CONTENT], &mut sink).expect("a message that fits");
    sink.0
}
