//! The certification request for a key that the device has made: the one thing that such a key signs.

use core::hint::black_box;

use privyseal_core::RsaPublicKey;
use privyseal_core::cert::{KeyUsage, KeyUsages};
use privyseal_core::csr::{
    CertificationRequestInfo, Subject, SubjectAttribute, SubjectAttributeType,
};
use privyseal_core::limits::{MAX_CERTIFICATION_REQUEST, MAX_SUBJECT_ATTRIBUTES};
use privyseal_firmware_rsa::MAX_MODULUS_LEN;
use privyseal_protocol::{CsrRequest, Entry, Event, MAX_DATA, Rate, Refusal, Response};

use super::{Asked, Born, Machine, Mode};
use crate::board::Board;
use crate::guarded::Key;
use crate::keyed::{generator, public_key, start_engine};

/// How often: there is no policy yet that could say it.
pub(super) const REQUESTS: Rate = Rate {
    assertions: 10,
    seconds: 600,
};

impl<B: Board> Machine<B> {
    /// Makes the request and sends it. A refusal is in the log when this returns.
    #[inline(never)]
    pub(super) fn csr(&mut self, id: u8, asked: &CsrRequest<'_>) -> Result<(), Refusal> {
        let Mode::Uncertified(born) = &self.mode else {
            return Err(self.mode.refusal());
        };
        let born = born.clone();
        let outcome = self.try_csr(id, &born, asked);
        self.settle(outcome, Asked::default())
    }

    /// What leaves is made again after the signature, from what is asked and from the key in the flash then: as for an
    /// assertion, a fault in either makes another request than the other's, for which the signature is none.
    fn try_csr(&mut self, id: u8, born: &Born, asked: &CsrRequest<'_>) -> Result<(), Refusal> {
        let record = &born.record;
        let millis = self.board.millis();
        let debt = self.records.meter.one_more(REQUESTS, millis)?;
        let key = public_key(&self.board, record)?;
        let digest = with_info(asked, &key, |info| Ok(*info.digest()))?;
        let entry = self.entry(Event::Requested);
        self.write(Entry {
            debt,
            digest,
            ..entry
        })?;
        let mut signature = [0; MAX_MODULUS_LEN];
        let signature = self.sign_once(born, &digest, &mut signature)?;
        let key = public_key(&self.board, record)?;
        with_info(black_box(asked), &key, |info| {
            let mut der = [0; MAX_CERTIFICATION_REQUEST];
            let request = info
                .attach(signature, &mut der)
                .map_err(|_| Refusal::Fault)?;
            self.send_csr(id, request.as_der());
            Ok(())
        })
    }

    /// One signature by an engine that is gone when this returns.
    #[inline(never)]
    fn sign_once<'s>(
        &mut self,
        born: &Born,
        digest: &[u8; 32],
        signature: &'s mut [u8; MAX_MODULUS_LEN],
    ) -> Result<&'s [u8], Refusal> {
        let Born { record, under, .. } = born;
        let (nonce, board) = (self.nonce(), &mut self.board);
        let mut drbg = generator(board, record, under, record.board_entropy, &nonce)?;
        board.feed_watchdog();
        let signed = self.key.open(board, |board, place| {
            let engine = start_engine(board, record, under, place, &mut drbg);
            board.feed_watchdog();
            let engine = engine.map_err(|refusal| match refusal {
                Refusal::Entropy | Refusal::Storage => refusal,
                // The key was good when it was made.
                _ => Refusal::Fault,
            })?;
            let signed = engine.sign(digest, &mut drbg, signature);
            board.feed_watchdog();
            signed.map_err(|_| Refusal::Fault)
        });
        self.key.open(&mut self.board, |_, key| *key = Key::None);
        signed
    }

    fn send_csr(&mut self, id: u8, der: &[u8]) {
        let total = u32::try_from(der.len()).unwrap_or(u32::MAX);
        let mut offset = 0_u32;
        for bytes in der.chunks(MAX_DATA) {
            self.send(
                id,
                &Response::CertificationRequest {
                    total,
                    offset,
                    bytes,
                },
            );
            offset = offset.saturating_add(u32::try_from(bytes.len()).unwrap_or(0));
        }
    }
}

/// What is asked for, as the core's type.
#[inline(never)]
fn with_info<T>(
    asked: &CsrRequest<'_>,
    key: &RsaPublicKey,
    take: impl FnOnce(&CertificationRequestInfo<'_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let mut attributes = heapless::Vec::<_, MAX_SUBJECT_ATTRIBUTES>::new();
    for part in &asked.subject {
        let kind = SubjectAttributeType::by_arc(part.arc).ok_or(Refusal::Field)?;
        let attribute = SubjectAttribute::new(kind, part.value).map_err(|_| Refusal::Field)?;
        attributes.push(attribute).map_err(|_| Refusal::Field)?;
    }
    let subject = Subject::new(&attributes).map_err(|_| Refusal::Field)?;
    let usages = [
        (asked.digital_signature, KeyUsage::DigitalSignature),
        (asked.non_repudiation, KeyUsage::NonRepudiation),
    ];
    let usages: KeyUsages = usages
        .into_iter()
        .filter_map(|(is_asked, usage)| is_asked.then_some(usage))
        .collect();
    let info = CertificationRequestInfo::new(&subject, usages, key).map_err(|_| Refusal::Field)?;
    take(&info)
}
