//! What every signer must do, written once.
//!
//! [`run`] takes any [`Signer`] and a chain for its key, and gives the tokens it made, so that a test
//! can compare them with another signer's. All values are fixed: two signers that hold the same key
//! must give the same bytes.
//!
//! And what to run it with:
//! - [`software_signer`]: a signer without hardware, for tests only;
//! - [`software_unwrapper`]: the same for what is encrypted to a key;
//! - [`unwrapping`]: what every unwrapper must do;
//! - [`softhsm`]: a throw-away SoftHSM token;
//! - [`kryoptic`]: a throw-away token of a second vendor, whose PIN really locks;
//! - [`tpm`]: a throw-away TPM in software behind tpm2-pkcs11;
//! - [`target`]: the token that tests of the PKCS #11 signer run against, SoftHSM's or your own;
//! - [`fault_shim`]: a PKCS #11 module before a real one, which breaks on demand and counts calls;
//! - [`minter`]: makes tokens with any signer and judges them without the core;
//! - [`flow`]: a client with its token, and runs of the command.

#![allow(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::missing_errors_doc,
    reason = "for tests, which nobody links to"
)]
#![allow(clippy::large_stack_arrays)] // Tests have the stack.

mod check;
pub mod fault_shim;
pub mod flow;
pub mod kryoptic;
pub mod minter;
pub mod softhsm;
pub mod software_signer;
pub mod software_unwrapper;
pub mod target;
pub mod tpm;
pub mod unwrapping;

use privyseal_core::cert::{Chain, RsaLinks};
use privyseal_core::limits::{MAX_COMPACT_JWS, MAX_HEADER};
use privyseal_core::{
    AssertionRequest, Audience, ClientId, Credential, Error, Jti, RsaPublicKey, Scheme, SignError,
    Signer, UnixTime,
};
use rsa::BoxedUint;
use rsa::pkcs8::EncodePublicKey as _;

pub use check::run;

/// One assertion to be made, all values fixed.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The rules.
    pub scheme: &'static Scheme,
    /// `iss` and `sub`.
    pub client_id: &'a str,
    /// `aud`; `None` for the scheme's default.
    pub audience: Option<&'a str>,
    /// Seconds since the epoch.
    pub now: u64,
    /// `jti`.
    pub jti: &'a str,
}

/// What the suite has every signer sign.
///
/// # Panics
/// If the clock shows a time before 1970.
pub fn cases(now: u64) -> [Case<'static>; 3] {
    let fiam = Case {
        scheme: &privyseal_core::scheme::FIAM,
        client_id: "EU.EORI.NL123456789",
        audience: None,
        now,
        jti: "378a47c4-2822-4ca5-a49a-7e5a1cc7ea59",
    };
    [
        fiam,
        // Every character that JSON escapes and a jti may have.
        Case {
            jti: r#"a"quote,a\slash,a/solidus"#,
            ..fiam
        },
        Case {
            scheme: &privyseal_core::scheme::ISHARE,
            client_id: "did:ishare:EU.NL.NTRNL-12345678",
            audience: Some("did:ishare:EU.NL.NTRNL-10000001"),
            ..fiam
        },
    ]
}

/// A credential for `key` with a chain (DER), which is ordered and proved.
pub fn credential(
    case: &Case<'_>,
    chain: &[Vec<u8>],
    key: &RsaPublicKey,
) -> Result<Credential<Vec<u8>>, Error> {
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let chain = Chain::order(&chain)?.prove(&RsaLinks)?;
    let client_id = ClientId::new(case.client_id)?;
    Credential::new(case.scheme, client_id, &chain, key, vec![0; MAX_HEADER])
}

/// The typed fields of a case.
pub fn request<'a>(case: &Case<'a>) -> Result<AssertionRequest<'a>, Error> {
    Ok(AssertionRequest {
        audience: case.audience.map(Audience::new).transpose()?,
        now: UnixTime::from_secs(case.now)?,
        backdate: 0,
        lifetime: None,
        jti: Jti::new(case.jti)?,
    })
}

/// Goes the whole way once: from a chain and a signer to a token.
pub fn mint<S: Signer>(
    signer: &mut S,
    case: &Case<'_>,
    chain: &[Vec<u8>],
) -> Result<String, SignError<S::Error>> {
    let credential = credential(case, chain, signer.public_key()).map_err(SignError::Token)?;
    let request = request(case).map_err(SignError::Token)?;
    let input = credential.prepare(&request).map_err(SignError::Token)?;
    let mut buffer = vec![0; MAX_COMPACT_JWS];
    Ok(input.sign(signer, &mut buffer)?.as_str().to_owned())
}

/// A public key as `SubjectPublicKeyInfo`, DER.
///
/// # Panics
/// Never: the core's keys are keys.
pub fn spki(key: &RsaPublicKey) -> Vec<u8> {
    let modulus = BoxedUint::from_be_slice_vartime(key.modulus());
    let exponent = BoxedUint::from_be_slice_vartime(&key.exponent().to_be_bytes());
    rsa::RsaPublicKey::new(modulus, exponent)
        .expect("a key of the core")
        .to_public_key_der()
        .expect("a key can be encoded")
        .into_vec()
}
