//! What a provisioned device has in RAM: the key ready to sign, and a credential for each scheme.

mod stored;

use der::{Reader, SliceReader};
use privyseal_core::cert::{Chain, ProvenChain, RsaLinks};
use privyseal_core::credential::{HeaderBytes, KeyName, Profile, encode_header};
use privyseal_core::jws::Algorithm;
use privyseal_core::kid::Kid;
use privyseal_core::limits::MAX_CERTIFICATES;
use privyseal_core::rsa::VerifyingKey;
use privyseal_core::scheme::KeyReference;
use privyseal_core::{ClientId, Error, RsaPublicKey};
use privyseal_firmware_rsa::{AnyEngine, MAX_MODULUS_LEN};
use privyseal_protocol::policy::MAX_SCHEMES;
use privyseal_protocol::{AtRest, Origin, Part, PartFault, Policy, Refusal, SchemePolicy};
use rand_core::TryRng as _;
use sha2::{Digest as _, Sha256};

use crate::at_rest::KeptUnder;
use crate::board::Board;
use crate::drbg::{Drbg, Exhausted};
use crate::flash::{FlashSink, aligned};
use crate::guarded::Guarded;
use crate::jti::RANDOM_LEN;
use crate::link::{Constants, constants};
use crate::vault::{self, HEADERS_AT, HEADERS_END, KeyRecord, Manifest, Place};

pub(crate) use stored::{generator, keep, kept_under, public_key, secrets, seeded, start_engine};

/// What the trial signature is of.
const TRIAL: &[u8] = b"privyseal: the trial signature of a device, made before it is ready";

/// Everything that signing needs.
pub(crate) struct Keyed<M> {
    pub(crate) drbg: Drbg,
    /// In the order of the policy.
    served: [Option<Served<M>>; MAX_SCHEMES],
    /// For the next `jti`: drawn while the host asks nothing.
    random: Option<[u8; RANDOM_LEN]>,
    /// Of the pieces that a token begins with whose header has the chain.
    pub(crate) constants: Constants,
    pub(crate) policy: M,
    pub(crate) chain: M,
    pub(crate) key: VerifyingKey,
    pub(crate) origin: Origin,
    pub(crate) at_rest: AtRest,
}

/// A scheme, ready.
pub(crate) struct Served<M> {
    pub(crate) profile: Profile<M>,
    /// Whether the chain is in it.
    pub(crate) has_chain: bool,
}

/// The refusal of an upload's part.
pub(crate) const fn bad(part: Part, fault: PartFault) -> Refusal {
    Refusal::Part { part, fault }
}

/// A part, where it lies.
fn mapped<B: Board>(board: &B, part: Part, len: u32) -> Result<B::Mapped, Refusal> {
    let mapped = vault::start(part).and_then(|at| board.mapped(at, len));
    mapped.ok_or(Refusal::Storage)
}

/// The policy, where it lies.
pub(crate) fn mapped_policy<B: Board>(
    board: &B,
    manifest: &Manifest,
) -> Result<B::Mapped, Refusal> {
    mapped(board, Part::Policy, manifest.policy)
}

#[inline]
fn read_policy(bytes: &[u8]) -> Result<Policy<'_>, Refusal> {
    Policy::from_bytes(bytes).ok_or(bad(Part::Policy, PartFault::Malformed))
}

/// Reads a policy and checks its rules.
pub(crate) fn policy_of(bytes: &[u8]) -> Result<Policy<'_>, Refusal> {
    let policy = read_policy(bytes)?;
    policy
        .check()
        .map_err(|_| bad(Part::Policy, PartFault::Rule))?;
    Ok(policy)
}

/// The certificates of an upload, in order and proved; `None` if there are none and none are needed.
fn proved<'a>(policy: &Policy<'_>, bytes: &'a [u8]) -> Result<Option<ProvenChain<'a>>, Refusal> {
    if !policy.needs_chain() && bytes.is_empty() {
        return Ok(None);
    }
    let malformed = bad(Part::Chain, PartFault::Malformed);
    let mut certificates: [&[u8]; MAX_CERTIFICATES] = [&[]; MAX_CERTIFICATES];
    let mut count = 0_usize;
    let mut reader = SliceReader::new(bytes).map_err(|_| malformed)?;
    while !reader.is_finished() {
        let place = certificates.get_mut(count).ok_or(malformed)?;
        *place = reader.tlv_bytes().map_err(|_| malformed)?;
        count = count.saturating_add(1);
    }
    let certificates = certificates.get(..count).unwrap_or(&[]);
    let chain = Chain::order(certificates).map_err(|_| malformed)?;
    let proven = chain
        .prove(&RsaLinks)
        .map_err(|_| bad(Part::Chain, PartFault::Rule))?;
    Ok(Some(proven))
}

/// How the header of a scheme names the key.
fn key_name<'a>(
    entry: &SchemePolicy<'a>,
    chain: Option<&'a ProvenChain<'a>>,
) -> Result<KeyName<'a>, Refusal> {
    if let Some(kid) = entry.kid {
        return Kid::new(kid)
            .map(KeyName::kid)
            .map_err(|_| bad(Part::Policy, PartFault::Rule));
    }
    let missing = bad(Part::Chain, PartFault::Size { min: 1, max: 0 });
    let chain = chain.ok_or(missing)?;
    match entry.scheme.rules().key_reference().value() {
        KeyReference::X5tS256 => chain.leaf().map(KeyName::digest).ok_or(missing),
        _ => Ok(KeyName::chain(chain)),
    }
}

/// Encodes the headers of all schemes into the flash and notes in the manifest where.
pub(crate) fn encode_headers<B: Board>(
    board: &mut B,
    manifest: &mut Manifest,
) -> Result<(), Refusal> {
    let policy_bytes = mapped_policy(board, manifest)?;
    let policy = policy_of(policy_bytes.as_ref())?;
    let chain_bytes = mapped(board, Part::Chain, manifest.chain)?;
    let chain = proved(&policy, chain_bytes.as_ref())?;
    let mut at = HEADERS_AT;
    let mut shared = None;
    for (place, entry) in manifest.headers.iter_mut().zip(&policy.schemes) {
        let name = key_name(entry, chain.as_ref())?;
        if let (true, Some(written)) = (name.is_chain(), shared) {
            *place = written;
            continue;
        }
        let mut sink = FlashSink::new(board.provision(), at, HEADERS_END);
        let len = encode_header(name, &mut sink).map_err(|_| Refusal::Storage)?;
        sink.finish().map_err(|_| Refusal::Storage)?;
        let len = u32::try_from(len).map_err(|_| Refusal::Storage)?;
        *place = Place { at, len };
        at = aligned(at.saturating_add(len));
        if name.is_chain() {
            shared = Some(*place);
        }
    }
    Ok(())
}

impl<M: AsRef<[u8]> + HeaderBytes> Keyed<M> {
    /// Makes all of it from the flash but the engine, and proves it again: the chain, the headers byte by byte, and the
    /// key against the leaf. `nonce` never comes twice. [`Keyed::start_engine`] comes next, where this stays.
    #[inline(never)]
    pub(crate) fn load<B: Board<Mapped = M>>(
        board: &mut B,
        manifest: &Manifest,
        key: &KeyRecord,
        under: &KeptUnder,
        nonce: &[u8],
    ) -> Result<Self, Refusal> {
        board.feed_watchdog();
        let public_key = public_key(board, key)?;
        let policy = mapped_policy(board, manifest)?;
        let served = served(board, manifest, policy.as_ref(), &public_key)?;
        let with_chain = served.iter().flatten().find(|served| served.has_chain);
        let constants = with_chain.map_or(Constants::new(), |served| {
            constants(served.profile.header())
        });
        let board_entropy = policy_of(policy.as_ref())?.board_entropy;
        let drbg = generator(board, key, under, board_entropy, nonce)?;
        board.feed_watchdog();
        Ok(Self {
            drbg,
            served,
            random: None,
            constants,
            policy,
            chain: mapped(board, Part::Chain, manifest.chain)?,
            origin: key.origin,
            at_rest: key.at_rest,
            key: VerifyingKey::new(public_key).map_err(|_| bad(Part::Key, PartFault::Rule))?,
        })
    }

    /// Takes the key into its place, and shows that it signs.
    #[inline(never)]
    pub(crate) fn start_engine<B: Board<Mapped = M>>(
        &mut self,
        board: &mut B,
        record: &KeyRecord,
        under: &KeptUnder,
        guarded: &mut Guarded,
    ) -> Result<(), Refusal> {
        let Self { drbg, key, .. } = self;
        guarded.open(board, |board, place| {
            let engine = start_engine(board, record, under, place, drbg)?;
            board.feed_watchdog();
            trial(engine, drbg, key)?;
            board.feed_watchdog();
            Ok(())
        })
    }

    /// The policy. Its rules were checked when all of this was loaded, and nothing has been written there since:
    /// to check them for each request would cost more than to read it, and find nothing.
    #[inline]
    pub(crate) fn policy(&self) -> Result<Policy<'_>, Refusal> {
        read_policy(self.policy.as_ref())
    }

    /// The scheme in that place of the policy.
    pub(crate) fn served(&self, position: usize) -> Result<&Served<M>, Refusal> {
        let served = self.served.get(position).and_then(Option::as_ref);
        served.ok_or(Refusal::Scheme)
    }

    /// When the last of the certificates ends that a scheme sends.
    pub(crate) fn ends(&self) -> impl Iterator<Item = u64> {
        let served = self.served.iter().flatten();
        served.filter_map(|served| Some(served.profile.validity()?.not_after.as_secs()))
    }

    /// Draws the random bytes of the next `jti`, if there are none.
    pub(crate) fn draw_random(&mut self) {
        if self.random.is_none() {
            // Without them the next assertion is refused.
            self.random = self.take_random().ok();
        }
    }

    /// Random bytes for a `jti`.
    pub(crate) fn take_random(&mut self) -> Result<[u8; RANDOM_LEN], Exhausted> {
        if let Some(random) = self.random.take() {
            return Ok(random);
        }
        let mut random = [0; RANDOM_LEN];
        self.drbg.try_fill_bytes(&mut random)?;
        Ok(random)
    }
}

/// Signs once and verifies with the public key, by other arithmetic than the engine's.
fn trial(engine: &mut AnyEngine, drbg: &mut Drbg, key: &VerifyingKey) -> Result<(), Refusal> {
    let digest = Sha256::digest(TRIAL).into();
    let mut signature = [0; MAX_MODULUS_LEN];
    let signature = engine
        .sign(&digest, drbg, &mut signature)
        .map_err(|_| Refusal::PairwiseTest)?;
    let digest = Algorithm::Rs256.digest(TRIAL);
    key.verify(&digest, signature)
        .map_err(|_| Refusal::PairwiseTest)
}

type Schemes<B> = [Option<Served<<B as Board>::Mapped>>; MAX_SCHEMES];

#[inline(never)]
fn served<B: Board>(
    board: &B,
    manifest: &Manifest,
    policy: &[u8],
    public_key: &RsaPublicKey,
) -> Result<Schemes<B>, Refusal> {
    let policy = policy_of(policy)?;
    let chain_bytes = mapped(board, Part::Chain, manifest.chain)?;
    let chain = proved(&policy, chain_bytes.as_ref())?;
    let mut schemes = [const { None }; MAX_SCHEMES];
    let entries = policy.schemes.iter().zip(&manifest.headers);
    for (slot, (entry, &Place { at, len })) in schemes.iter_mut().zip(entries) {
        let name = key_name(entry, chain.as_ref())?;
        let header = board.mapped(at, len).ok_or(Refusal::Storage)?;
        let client_id =
            ClientId::new(entry.client_id).map_err(|_| bad(Part::Policy, PartFault::Rule))?;
        let rules = entry.scheme.rules();
        let profile = Profile::new(rules, client_id, name, public_key, header);
        let profile = profile.map_err(|error| match error {
            Error::KeyMismatch => bad(Part::Chain, PartFault::KeyMismatch),
            Error::Chain(_) | Error::Key(_) => bad(Part::Chain, PartFault::Rule),
            _ => bad(Part::Policy, PartFault::Rule),
        })?;
        *slot = Some(Served {
            profile,
            has_chain: name.is_chain(),
        });
    }
    Ok(schemes)
}
