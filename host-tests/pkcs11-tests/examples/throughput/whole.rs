//! Whole tokens, as a host application makes them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use privyseal_core::cert::{Chain, RsaLinks};
use privyseal_core::limits::{MAX_COMPACT_JWS, MAX_HEADER};
use privyseal_core::{
    AssertionRequest, ClientId, Credential, Jti, Signature, Signer as _, UnixTime, scheme,
};
use privyseal_pkcs11::Pkcs11Pool;

use crate::measure::{Failure, Work};

pub(crate) struct Whole<'p> {
    pool: &'p Pkcs11Pool,
    credential: Credential<Vec<u8>>,
    now: UnixTime,
    tokens: AtomicU64,
}

/// Verifications that are timed.
const VERIFICATIONS: usize = 2000;

impl<'p> Whole<'p> {
    pub(crate) fn new(pool: &'p Pkcs11Pool) -> Result<Self, Failure> {
        let chain = pool.certificates()?;
        let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
        let chain = Chain::order(&chain)?.prove(&RsaLinks)?;
        let client_id = ClientId::new("EU.EORI.NL123456789")?;
        let buffer = vec![0; MAX_HEADER];
        let key = pool.public_key();
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        Ok(Self {
            pool,
            credential: Credential::new(&scheme::FIAM, client_id, &chain, key, buffer)?,
            now: UnixTime::from_secs(now)?,
            tokens: AtomicU64::new(0),
        })
    }

    pub(crate) fn worker(&self) -> Result<Work<'_>, Failure> {
        let mut signer = self.pool.signer()?;
        let mut buffer = vec![0; MAX_COMPACT_JWS];
        Ok(Box::new(move || {
            let number = self.tokens.fetch_add(1, Ordering::Relaxed);
            let jti = format!("{number:032x}");
            let input = self.credential.prepare(&AssertionRequest {
                audience: None,
                now: self.now,
                backdate: 0,
                lifetime: None,
                jti: Jti::new(&jti)?,
            })?;
            input.sign(&mut signer, &mut buffer)?;
            Ok(())
        }))
    }

    /// How long the part takes that no pipeline can leave out: the verification of one signature, with
    /// the token put together. The fastest of many, in microseconds.
    pub(crate) fn verification(&self) -> Result<f64, Failure> {
        let input = self.credential.prepare(&AssertionRequest {
            audience: None,
            now: self.now,
            backdate: 0,
            lifetime: None,
            jti: Jti::new("00000000000000000000000000000000")?,
        })?;
        let mut signature = Signature::new();
        self.pool.signer()?.sign(&input, &mut signature)?;
        let mut buffer = vec![0; MAX_COMPACT_JWS];
        let mut fastest = Duration::MAX;
        for _ in 0..VERIFICATIONS {
            let begin = Instant::now();
            input.attach(signature.as_bytes(), &mut buffer)?;
            fastest = fastest.min(begin.elapsed());
        }
        Ok(fastest.as_secs_f64() * 1e6)
    }
}
