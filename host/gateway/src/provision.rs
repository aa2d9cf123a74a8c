//! Provisioning: everything is proved here before a byte is sent, sent in chunks, and read back.

use privyseal_core::cert::{Chain, RsaLinks};
use privyseal_core::kid::Kid;
use privyseal_core::limits::MAX_HEADER;
use privyseal_core::rsa::spki::spki_digest;
use privyseal_core::scheme::KeyReference;
use privyseal_core::{ClientId, Credential, RsaPublicKey, UnixTime};
use privyseal_protocol::{
    CHUNK, DeviceState, MAX_SEED, Origin, Part, Policy, Provision, Refusal, Request, Response,
    Totals,
};
use zeroize::Zeroizing;

use crate::device::{Device, Step};
use crate::error::{DeviceError, PackageError, untrue};
use crate::policy::GatewayPolicy;
use crate::private_key::PrivateKey;
use crate::unlock::UnlockSecret;

/// What goes into a device, proved: the chain, that its leaf is for the key, and that the key can serve
/// every scheme of the policy. Wiped when it is dropped.
pub struct Package {
    public_key: RsaPublicKey,
    policy: Vec<u8>,
    chain: Vec<u8>,
    /// With a seed, if it was made elsewhere.
    key: Option<(PrivateKey, Zeroizing<[u8; MAX_SEED]>)>,
    unlock: Option<UnlockSecret>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Bytes are sent.
    Uploading {
        /// Of which part.
        part: Part,
        /// How many the device has, of all parts.
        sent: u32,
        /// How many there are.
        total: u32,
    },
    /// The device proves all of it, signs once for a trial and locks itself.
    Committing,
    /// What the device has is read back and compared.
    Comparing,
}

impl Package {
    /// A key that was made elsewhere, and what it signs. That these belong together is proved, at `now`. The chain is
    /// needed where a scheme's header carries it, and only there.
    ///
    /// # Errors
    /// [`PackageError`] says what does not fit.
    pub fn import(
        policy: &GatewayPolicy,
        key: PrivateKey,
        chain: Option<&Chain<'_>>,
        now: UnixTime,
    ) -> Result<Self, PackageError> {
        let mut package = Self::install(policy, key.public_key(), chain, now)?;
        let mut seed = Zeroizing::new([0; MAX_SEED]);
        getrandom::fill(&mut *seed)?;
        package.key = Some((key, seed));
        Ok(package)
    }

    /// Has the device keep an imported key under this secret, which each start then needs. For a key of the device's own
    /// that was decided when it was made.
    #[must_use]
    pub fn kept_under(self, secret: UnlockSecret) -> Self {
        Self {
            unlock: Some(secret).filter(|_| self.key.is_some()),
            ..self
        }
    }

    /// What a key signs that a device has made; else as [`Package::import`].
    ///
    /// # Errors
    /// As for [`Package::import`].
    pub fn install(
        policy: &GatewayPolicy,
        key: &RsaPublicKey,
        chain: Option<&Chain<'_>>,
        now: UnixTime,
    ) -> Result<Self, PackageError> {
        match (policy.needs_chain(), chain) {
            (true, None) => return Err(PackageError::NoChain),
            (false, Some(_)) => return Err(PackageError::NeedlessChain),
            _ => {}
        }
        let policy = policy.encode(key, chain, now)?;
        prove(&policy, key, chain, now)?;
        Ok(Self {
            public_key: key.clone(),
            policy,
            chain: chain.map(concatenated).unwrap_or_default(),
            key: None,
            unlock: None,
        })
    }

    /// SHA-256 of the key's SubjectPublicKeyInfo.
    pub fn key_sha256(&self) -> [u8; 32] {
        spki_digest(&self.public_key)
    }

    /// Which policy it is, whenever it was made ([`Policy::fingerprint`]).
    pub fn fingerprint(&self) -> [u8; 32] {
        let policy = Policy::from_bytes(&self.policy).and_then(|policy| policy.fingerprint());
        // It was read when the package was made.
        policy.unwrap_or_default()
    }

    fn parts(&self) -> [(Part, &[u8]); 5] {
        let (key, seed): (&[u8], &[u8]) = match &self.key {
            Some((key, seed)) => (key.numbers(), &**seed),
            None => (&[], &[]),
        };
        [
            (Part::Policy, &self.policy),
            (Part::Chain, &self.chain),
            (Part::Seed, seed),
            (
                Part::Unlock,
                self.unlock.as_ref().map_or(&[], UnlockSecret::as_bytes),
            ),
            // Last: it is sent only when everything else was accepted.
            (Part::Key, key),
        ]
    }

    fn totals(&self) -> Totals {
        // Each is far below the limit of its type: the core's limits are checked.
        let [policy, chain, seed, unlock, key] = self
            .parts()
            .map(|(_, bytes)| u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        Totals {
            key,
            policy,
            chain,
            seed,
            unlock,
        }
    }
}

impl Device {
    /// Provisions an empty device, or one that has made the package's key, and compares what it has then with what was
    /// sent. If anything goes wrong the upload is destroyed. `progress` is told after each step. Gives the SHA-256 of the key's
    /// SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// [`DeviceError`] if the device refuses, or has something else afterwards.
    pub fn provision(
        &mut self,
        package: &Package,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<[u8; 32], DeviceError> {
        self.abort_upload()?;
        let origin = match (&package.key, self.refresh()?.origin) {
            (None, Some(origin)) => origin,
            (None, None) => Origin::Generated,
            (Some(_), _) => Origin::Imported,
        };
        self.provision_step(Provision::Begin(package.totals()))?;
        let committed = self
            .upload(package, progress)
            .and_then(|()| self.commit(package, progress));
        if committed.is_err() {
            // Nothing of the key may stay. A commit that failed has destroyed it already.
            let _ = self.provision_step(Provision::Abort);
        }
        let key = committed.map_err(|error| match error {
            DeviceError::Refused {
                refusal: Refusal::State(DeviceState::Empty | DeviceState::Uncertified),
                ..
            } => DeviceError::UploadLost,
            error => error,
        })?;
        progress(Progress::Comparing);
        self.compare(package, origin)?;
        Ok(key)
    }

    /// Has the device forget an upload that somebody began and went away from, if there is one. What it was before, a key
    /// of its own included, it is again.
    ///
    /// # Errors
    /// As [`Device::refresh`].
    pub fn abort_upload(&mut self) -> Result<(), DeviceError> {
        if self.refresh()?.state == DeviceState::Provisioning {
            self.abort()?;
            self.refresh()?;
        }
        Ok(())
    }

    /// Has the device forget an upload that was begun, or a key that it makes, and that is not finished; `false` if there
    /// is none.
    ///
    /// # Errors
    /// As [`Device::refresh`].
    pub fn abort(&mut self) -> Result<bool, DeviceError> {
        let begun = matches!(
            self.refresh()?.state,
            DeviceState::Provisioning | DeviceState::Generating
        );
        if begun {
            self.provision_step(Provision::Abort)?;
        }
        Ok(begun)
    }

    fn upload(
        &mut self,
        package: &Package,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), DeviceError> {
        let totals = package.totals();
        let total = package
            .parts()
            .iter()
            .map(|(part, _)| totals.of(*part))
            .sum();
        let mut sent = 0;
        for (part, bytes) in package.parts() {
            let mut offset = 0;
            for chunk in bytes.chunks(CHUNK) {
                let step = Provision::Chunk {
                    part,
                    offset,
                    bytes: chunk,
                };
                // At most CHUNK.
                let len = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
                offset += len;
                if self.provision_step(step)? != Step::Accepted(offset) {
                    return untrue(format!(
                        "of the {part} it has another number of bytes than were sent"
                    ));
                }
                sent += len;
                progress(Progress::Uploading { part, sent, total });
            }
        }
        Ok(())
    }

    fn commit(
        &mut self,
        package: &Package,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<[u8; 32], DeviceError> {
        progress(Progress::Committing);
        match self.provision_step(Provision::Commit)? {
            Step::Provisioned(key) if key == package.key_sha256() => Ok(key),
            Step::Provisioned(_) => untrue("it says that it has another key than was sent"),
            Step::Accepted(_) => Err(DeviceError::Unexpected {
                asked: "be provisioned",
            }),
        }
    }

    /// Has a device give up policy and chain for those of the package, whose key it keeps: [`Device::provision`] comes
    /// next, after the unlock secret where the key is kept under one. `signature` is the authority's word
    /// ([`DeviceInfo::renewal_statement`](crate::DeviceInfo::renewal_statement)), which another policy than it has takes.
    ///
    /// # Errors
    /// [`DeviceError::Refused`] without that word; [`DeviceError::Untrue`] for a package of another key, or if the device does
    /// not wait with its key then.
    pub fn renew(
        &mut self,
        package: &Package,
        signature: Option<&[u8]>,
    ) -> Result<(), DeviceError> {
        if self.refresh()?.key != Some(package.key_sha256()) {
            return untrue("its key is another one than that of the certificate");
        }
        let request = Request::Renew {
            policy: package.fingerprint(),
            signature: signature.unwrap_or(&[]),
        };
        self.order("be renewed", &request, |it| {
            matches!(it, Response::Accepted { .. })
        })?;
        let info = self.refresh()?;
        let is_waiting = matches!(info.state, DeviceState::Uncertified | DeviceState::Locked);
        if !is_waiting || info.key != Some(package.key_sha256()) {
            return untrue(
                "it was to be renewed, and does not wait for policy and chain with its key now",
            );
        }
        Ok(())
    }

    fn compare(&mut self, package: &Package, origin: Origin) -> Result<(), DeviceError> {
        let info = self.refresh()?;
        if info.state != DeviceState::Ready || info.key != Some(package.key_sha256()) {
            return untrue("it took the key and is not ready with it now");
        }
        if info.origin != Some(origin) {
            return untrue("it says another thing of where its key comes from than is true");
        }
        if package.key.is_some() {
            info.check_unlock(package.unlock.is_some())?;
        }
        if self.public_key()? != package.public_key {
            return untrue("its public key is not that of the key");
        }
        if self.policy()? != package.policy {
            return untrue("its policy is not the one that was sent");
        }
        if self.chain()? != package.chain {
            return untrue("its chain is not the one that was sent");
        }
        Ok(())
    }
}

/// Makes a credential of each scheme, as the device will.
fn prove(
    policy: &[u8],
    key: &RsaPublicKey,
    chain: Option<&Chain<'_>>,
    now: UnixTime,
) -> Result<(), PackageError> {
    let policy = Policy::from_bytes(policy).ok_or(PackageError::PolicyTooLong)?;
    // The device proves RSA links only.
    let proven = chain.map(|chain| chain.clone().prove(&RsaLinks));
    let proven = proven.transpose().map_err(privyseal_core::Error::from)?;
    let mut header = vec![0; MAX_HEADER];
    for entry in &policy.schemes {
        let rules = entry.scheme.rules();
        let client_id = ClientId::new(entry.client_id).map_err(privyseal_core::Error::from)?;
        let header = header.as_mut_slice();
        let credential = match (rules.key_reference().value(), &proven, entry.kid) {
            (KeyReference::Kid, _, Some(kid)) => {
                let kid = Kid::new(kid).map_err(privyseal_core::Error::from)?;
                Credential::with_kid(rules, client_id, kid, key, header)?
            }
            (KeyReference::X5tS256, Some(chain), _) => {
                let leaf = chain.leaf().ok_or(PackageError::NoChain)?;
                Credential::with_certificate(rules, client_id, leaf, key, header)?
            }
            (_, Some(chain), _) => Credential::new(rules, client_id, chain, key, header)?,
            _ => return Err(PackageError::NoChain),
        };
        credential
            .check_clock(now)
            .map_err(privyseal_core::Error::Clock)?;
        let floor = UnixTime::from_secs(policy.time_floor).map(|floor| floor.max(now));
        if floor.is_ok_and(|floor| credential.check_clock(floor).is_err()) {
            let floor = policy.time_floor;
            return Err(PackageError::FloorBehindChain { floor });
        }
    }
    Ok(())
}

/// Leaf first.
fn concatenated(chain: &Chain<'_>) -> Vec<u8> {
    let certificates = chain.certificates().iter();
    certificates.flat_map(|one| one.as_der().to_vec()).collect()
}

privyseal_core::opaque_debug! { [] Package as it: public_key, imports = it.key.is_some(); }
