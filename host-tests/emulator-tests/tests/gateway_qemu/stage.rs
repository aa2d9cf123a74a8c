//! A party with a key, a chain and a policy, and a gateway that is given them.

use privyseal_core::scheme::{EHEALTH, FIAM, ISHARE, ITSME, KeyReference};
use privyseal_test_base::clock::run_start;
use std::io::Write as _;
use std::process::{Command, Stdio};

use heapless::Vec as Bounded;
use privyseal_core::limits::{MAX_CERTIFICATES, MAX_CHAIN_DER};
use privyseal_protocol::{
    AllowedAudience, MAX_POLICY, Policy, Rate, SchemeId, SchemePolicy, Statement, UnlockSecret,
};
use privyseal_test_base::scratch::cache_dir;
use privyseal_test_judges::decode::Parts;
use privyseal_test_judges::openssl;
use privyseal_test_pki::{Authority, CertificateSpec, TestKey, TestPki, test_key};
use privyseal_test_simulators::emulator::{Emulator, Machine};
use privyseal_test_simulators::gateway::Gateway;
use privyseal_test_simulators::link::Upload;

/// What the party signs, as scheme, client id, audience.
pub(crate) const SERVED: [(SchemeId, &str, &str); 4] = [
    (
        SchemeId::of(&FIAM),
        "EU.EORI.NL123456789",
        "EU.EORI.NLKPNFIAMPROD",
    ),
    (
        SchemeId::of(&ISHARE),
        "did:ishare:EU.NL.NTRNL-12345678",
        "did:ishare:EU.NL.NTRNL-10000001",
    ),
    (
        SchemeId::of(&ITSME),
        "itsme-client",
        "https://idp.e2e.itsme.services/v2/token",
    ),
    (
        SchemeId::of(&EHEALTH),
        "nihii:hospital:12345678",
        "https://api-acpt.ehealth.fgov.be/auth/realms/M2M",
    ),
];
/// The audiences of requests.
pub(crate) const ISSUER: &str = "https://idp.e2e.itsme.services/v2";
pub(crate) const KID: &str = "gateway-1";
pub(crate) const SEED: &[u8; 48] = b"forty-eight bytes of a seed that nobody knows...";
pub(crate) const UNLOCK: UnlockSecret = UnlockSecret(*b"q7Zxk2Lm+9vWzE4pRtU8sYbA3dFgN6hJ");

/// Bytes by which each of four certificates is larger than it must be, so that all have 6,200.
const LARGER: usize = 640;
/// The same for the longest chain.
const LARGEST: usize = 1_780;

/// The party.
pub(crate) struct Party {
    pub(crate) pki: TestPki,
    pub(crate) key: TestKey,
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) policy: Policy<'static>,
    /// The secret that its key is kept under, or nothing.
    pub(crate) unlock: Vec<u8>,
}

impl Party {
    /// With the key of that name.
    pub(crate) fn new(key: &str) -> Self {
        Self::certified(key, TestPki::new(), &CertificateSpec::seal())
    }

    /// The same, with certificates as large as those of the public iSHARE chain, whose authorities have RSA-4096:
    /// they make a header of 11 KB. Padded, since keys of that size take long to make.
    pub(crate) fn with_large_certificates(key: &str) -> Self {
        let authority = |name, path_len| CertificateSpec::authority(name, path_len).padded(LARGER);
        let pki = TestPki::with_specs(
            authority("Test Root CA", None),
            authority("Test Sub CA", Some(1)),
            authority("Test Issuing CA", Some(0)),
        );
        Self::certified(key, pki, &CertificateSpec::seal().padded(LARGER))
    }

    /// The same, with its key kept under an unlock secret.
    pub(crate) fn with_unlock_secret(key: &str) -> Self {
        let mut party = Self::new(key);
        party.unlock = UNLOCK.0.to_vec();
        party
    }

    /// The same, with a key that unwraps content keys.
    pub(crate) fn unwrapping(key: &str) -> Self {
        let mut party = Self::new(key);
        (party.chain, party.policy.max_lifetime) = (Vec::new(), 0);
        party.policy.schemes.clear();
        party.policy.audiences.clear();
        party
    }

    /// A content key, encrypted to it by OpenSSL.
    pub(crate) fn wrapped(&self, digest: &str, plain: &[u8]) -> Vec<u8> {
        openssl::oaep(&self.key.spki_der(), digest, plain)
    }

    /// With as many certificates as a chain may have, nearly as large as they may be.
    pub(crate) fn with_the_longest_chain(key: &str) -> Self {
        let authority = |name, path_len| CertificateSpec::authority(name, path_len).padded(LARGEST);
        let root = Authority::root(test_key("root", 2048), authority("Test Root CA", None));
        let mut issuers = vec![root];
        for (path_len, name, key) in [
            (3, "Test CA 1", "sub"),
            (2, "Test CA 2", "gateway-2"),
            (1, "Test CA 3", "gateway-3"),
            (0, "Test CA 4", "issuing"),
        ] {
            let above = issuers.last().expect("a root");
            let spec = authority(name, Some(path_len));
            issuers.push(above.subordinate(test_key(key, 2048), spec));
        }
        let mut party = Self::new(key);
        let leaf = CertificateSpec::seal().padded(LARGEST);
        let issuing = issuers.last().expect("a root");
        party.chain = vec![issuing.issue(&party.key.spki_der(), &leaf)];
        let above = issuers.iter().rev();
        party.chain.extend(above.map(|ca| ca.certificate.clone()));
        assert_eq!(party.chain.len(), MAX_CERTIFICATES);
        let len = party.chain.concat().len();
        assert!(
            (MAX_CHAIN_DER - 512..=MAX_CHAIN_DER).contains(&len),
            "{len}"
        );
        party
    }

    fn certified(key: &str, pki: TestPki, leaf: &CertificateSpec) -> Self {
        let key = test_key(key, 2048);
        let chain = pki.chain(&key.spki_der(), leaf);
        Self {
            pki,
            key,
            chain,
            policy: policy(),
            unlock: Vec::new(),
        }
    }

    /// Gives all of it to the gateway.
    pub(crate) fn provision(&self, gateway: &mut Gateway) {
        let endowed = gateway.provision(&Upload {
            key: self.key.numbers(),
            policy: encoded(&self.policy),
            chain: self.chain.concat(),
            seed: SEED.to_vec(),
            unlock: self.unlock.clone(),
        });
        endowed.unwrap_or_else(|refusal| panic!("{refusal}"));
    }

    /// Whether openssl finds the signature good.
    pub(crate) fn openssl_verifies(&self, token: &str) {
        openssl_verifies(token, &self.key.spki_der());
    }
}

/// The policy's bytes.
pub(crate) fn encoded(policy: &Policy<'_>) -> Vec<u8> {
    let mut buffer = [0; MAX_POLICY];
    policy.to_bytes(&mut buffer).expect("it fits").to_vec()
}

/// Whether openssl finds the signature to be by this key.
pub(crate) fn openssl_verifies(token: &str, spki: &[u8]) {
    let parts = Parts::of(token);
    let dir = tempfile::Builder::new()
        .prefix("openssl-")
        .tempdir_in(cache_dir("tmp"))
        .expect("target/ can be written");
    let (key, signature) = (dir.path().join("key"), dir.path().join("signature"));
    std::fs::write(&key, spki).expect("target/ can be written");
    std::fs::write(&signature, &parts.signature).expect("target/ can be written");
    let mut child = Command::new("openssl")
        .args(["dgst", "-sha256", "-keyform", "DER", "-verify"])
        .arg(&key)
        .arg("-signature")
        .arg(&signature)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl: run `cargo xtask setup`");
    let mut stdin = child.stdin.take().expect("piped");
    stdin
        .write_all(parts.signing_input.as_bytes())
        .expect("openssl reads");
    drop(stdin);
    let output = child.wait_with_output().expect("openssl ends");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.trim(), "Verified OK");
}

/// All that is served, generously.
fn policy() -> Policy<'static> {
    let mut policy = Policy {
        schemes: Bounded::new(),
        audiences: Bounded::new(),
        max_lifetime: 300,
        rate: Rate {
            assertions: 1000,
            seconds: 60,
        },
        time_floor: run_start(),
        max_jump: 86_400,
        authority: None,
        presence: None,
        board_entropy: false,
        unlock: false,
    };
    for (scheme, client_id, audience) in SERVED {
        let by_kid = scheme.rules().key_reference().value() == KeyReference::Kid;
        let entry = SchemePolicy {
            scheme,
            client_id,
            kid: by_kid.then_some(KID),
        };
        policy.schemes.push(entry).expect("room");
        let allowed = AllowedAudience::of_assertions(scheme, audience);
        policy.audiences.push(allowed).expect("room");
    }
    let requests = AllowedAudience {
        statement: Statement::AuthenticationRequest,
        ..AllowedAudience::of_assertions(SchemeId::of(&ITSME), ISSUER)
    };
    policy.audiences.push(requests).expect("room");
    policy
}

/// A fresh gateway on a board, provisioned.
pub(crate) fn provisioned(machine: Machine, party: &Party) -> (Emulator, Gateway) {
    let emulator = Emulator::gateway(machine);
    let mut gateway = Gateway::new(emulator.connect());
    party.provision(&mut gateway);
    (emulator, gateway)
}
