//! Chains out of files as people have them: in any order, with copies, strangers, cross and re-issued certificates.

use privyseal::Certificates;
use privyseal::pki::certificates::ChainOptions;
use privyseal::pki::path::{PathError, PathOptions};
use privyseal::pki::pem;
use privyseal::pki::revocation::RevocationOptions;
use privyseal_core::UnixTime;
use privyseal_core::scheme::ISHARE;
use privyseal_test_base::tool::{command, run};
use privyseal_test_pki::der::{element, elements};
use privyseal_test_pki::{Authority, CertificateSpec, TestPki, test_key};

const NOW: u64 = 1_800_000_000;
const YEAR: u64 = 365 * 24 * 3600;

fn now() -> UnixTime {
    UnixTime::from_secs(NOW).expect("a moment")
}

fn seal() -> CertificateSpec {
    CertificateSpec::seal().valid(NOW - YEAR, NOW + YEAR)
}

fn authority(name: &str) -> CertificateSpec {
    CertificateSpec::authority(name, None).valid(NOW - 2 * YEAR, NOW + 10 * YEAR)
}

/// Root, issuing CA and leaf.
struct Small {
    root: Authority,
    issuing: Authority,
    leaf: Vec<u8>,
}

impl Small {
    fn new() -> Self {
        let root = Authority::root(test_key("root", 2048), authority("Root"));
        let issuing = root.subordinate(test_key("issuing", 2048), authority("Issuing"));
        let leaf = issuing.issue(&test_key("leaf", 2048).spki_der(), &seal());
        Self {
            root,
            issuing,
            leaf,
        }
    }

    fn chain(&self) -> Vec<Vec<u8>> {
        vec![
            self.leaf.clone(),
            self.issuing.certificate.clone(),
            self.root.certificate.clone(),
        ]
    }
}

#[track_caller]
fn assert_chain(given: Vec<Vec<u8>>, expected: &[Vec<u8>]) {
    let reversed = given.iter().rev().cloned().collect::<Vec<_>>();
    for given in [given, reversed] {
        let given = Certificates::from(given);
        let chain = given.chain_for(&ChainOptions::at(now())).expect("a chain");
        let found: Vec<_> = chain
            .certificates()
            .iter()
            .map(|one| one.as_der().to_vec())
            .collect();
        assert!(found == expected, "{chain:#?}");
    }
}

#[test]
fn a_copy_does_not_matter() {
    let pki = Small::new();
    assert_chain([pki.chain(), pki.chain()].concat(), &pki.chain());
}

#[test]
fn a_stranger_does_not_matter() {
    let pki = Small::new();
    let stranger = Authority::root(test_key("sub", 2048), authority("Stranger"));
    assert_chain(
        [pki.chain(), vec![stranger.certificate]].concat(),
        &pki.chain(),
    );
}

#[test]
fn of_a_reissued_intermediate_the_valid_one_is_taken() {
    let pki = Small::new();
    let spec = authority("Issuing").valid(NOW - 2 * YEAR, NOW - YEAR);
    let expired = pki
        .root
        .subordinate(test_key("issuing", 2048), spec)
        .certificate;
    assert_chain([pki.chain(), vec![expired]].concat(), &pki.chain());
}

#[test]
fn of_an_intermediate_with_a_new_key_the_signer_is_taken() {
    let pki = Small::new();
    let rekeyed = pki
        .root
        .subordinate(test_key("sub", 2048), authority("Issuing"))
        .certificate;
    assert_chain([pki.chain(), vec![rekeyed]].concat(), &pki.chain());
}

#[test]
fn of_two_roots_of_one_name_the_signer_is_taken() {
    let pki = Small::new();
    let other = Authority::root(test_key("sub", 2048), authority("Root")).certificate;
    assert_chain([pki.chain(), vec![other]].concat(), &pki.chain());
}

#[test]
fn a_root_renewed_with_the_same_key_is_found() {
    let pki = Small::new();
    let old = authority("Root").valid(NOW - 5 * YEAR, NOW - YEAR);
    let old = Authority::root(test_key("root", 2048), old).certificate;
    assert_chain([pki.chain(), vec![old.clone()]].concat(), &pki.chain());
    // Who trusts the old one trusts its name and key.
    let given = Certificates::from(pki.chain());
    given
        .prove(
            &vec![old].into(),
            &PathOptions::at(now()),
            RevocationOptions::default(),
        )
        .unwrap();
}

#[test]
fn a_cross_certificate_leads_to_the_other_root() {
    let pki = Small::new();
    let other = Authority::root(test_key("sub", 2048), authority("Other root"));
    let cross = other.certify(&pki.root);
    let heap = Certificates::from(
        [
            vec![pki.leaf.clone(), cross, pki.root.certificate.clone()],
            pki.chain(),
        ]
        .concat(),
    );
    let trust = Certificates::from(vec![other.certificate]);
    let path = heap
        .prove(
            &trust,
            &PathOptions::at(now()),
            RevocationOptions::default(),
        )
        .unwrap();
    assert_eq!(path.len(), 3);
    let trust = Certificates::from(vec![pki.root.certificate]);
    let path = heap
        .prove(
            &trust,
            &PathOptions::at(now()),
            RevocationOptions::default(),
        )
        .unwrap();
    assert_eq!(
        path.len(),
        2,
        "the shorter one, to the root that is trusted"
    );
}

#[test]
fn the_missing_issuer_is_named() {
    let pki = TestPki::new();
    let mut chain = pki.seal_chain(&test_key("leaf", 2048));
    chain.remove(2);
    let error = Certificates::from(chain.clone())
        .chain_for(&ChainOptions::at(now()))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("CN=Test Sub CA, O=Privyseal Test Trust, C=NL, is missing"),
        "{error}"
    );
    let trust = Certificates::from(vec![chain.pop().unwrap()]);
    let error = Certificates::from(chain)
        .prove(
            &trust,
            &PathOptions::at(now()),
            RevocationOptions::default(),
        )
        .unwrap_err();
    assert!(matches!(error, PathError::MissingIssuer { .. }), "{error}");
}

#[test]
fn of_several_leaves_for_one_key_the_one_of_today_and_of_the_schemes_usage() {
    let pki = Small::new();
    let key = test_key("leaf", 2048);
    let issue = |spec: &CertificateSpec| pki.issuing.issue(&key.spki_der(), spec);
    let next_month = issue(&CertificateSpec::seal().valid(NOW + YEAR / 12, NOW + 3 * YEAR));
    let expired = issue(&CertificateSpec::seal().valid(NOW - 2 * YEAR, NOW - YEAR));
    let encipherment = issue(
        &seal()
            .usage(&[privyseal_test_pki::Usage::KeyEncipherment])
            .valid(NOW - YEAR, NOW + 2 * YEAR),
    );
    // As a token's attestation, of another issuer and longer.
    let attestation = Authority::root(test_key("sub", 2048), authority("Attestation"));
    let attestation = attestation.issue(&key.spki_der(), &seal().valid(NOW - YEAR, NOW + 9 * YEAR));
    let heap = [
        vec![next_month, expired, encipherment, attestation],
        pki.chain(),
    ]
    .concat();
    let public = key.public_key();
    let mut wanted = ChainOptions::at(now());
    wanted.key = Some(&public);
    wanted.scheme = Some(&ISHARE);
    let heap = Certificates::from(heap);
    let chain = heap.chain_for(&wanted).unwrap();
    assert_eq!(chain.leaf().unwrap().as_der(), pki.leaf);
    assert!(chain.has_root());
}

#[test]
fn leaves_of_several_keys_are_told_apart_by_the_key_alone() {
    let pki = Small::new();
    let other = pki
        .issuing
        .issue(&test_key("registry", 2048).spki_der(), &seal());
    let heap = Certificates::from([pki.chain(), vec![other]].concat());
    let error = heap.chain_for(&ChainOptions::at(now())).unwrap_err();
    assert!(
        error.to_string().contains("which one is the leaf"),
        "{error}"
    );
    let key = test_key("leaf", 2048).public_key();
    let mut wanted = ChainOptions::at(now());
    wanted.key = Some(&key);
    assert_eq!(
        heap.chain_for(&wanted).unwrap().leaf().unwrap().as_der(),
        pki.leaf
    );
}

#[test]
fn a_maze_of_cas_of_one_name_ends() {
    let pki = Small::new();
    let mut heap = pki.chain();
    for level in 0..4 {
        for copy in 0..12_u64 {
            let key = test_key(["root", "issuing", "sub", "registry"][level], 2048);
            let spec = authority("Maze").valid(NOW - YEAR - copy, NOW + YEAR);
            heap.push(Authority::root(key, spec).certificate);
        }
    }
    let maze = Authority::root(test_key("sub", 2048), authority("Maze"));
    heap[0] = maze.issue(&test_key("leaf", 2048).spki_der(), &seal());
    let trust = Certificates::from(vec![pki.root.certificate]);
    assert!(
        Certificates::from(heap)
            .prove(
                &trust,
                &PathOptions::at(now()),
                RevocationOptions::default()
            )
            .is_err()
    );
}

#[test]
fn a_certificate_with_an_element_too_many_is_not_der() {
    let pki = Small::new();
    let outer = elements(&pki.leaf);
    let fields = elements(&outer[0]);
    let extensions = fields.last().unwrap();
    let list = elements(&elements(extensions)[0]);
    let twice = [list.concat(), list[0].clone()].concat();
    let with = |fields: Vec<Vec<u8>>| {
        let tbs = element(0x30, &fields.concat());
        element(0x30, &[tbs, outer[1].clone(), outer[2].clone()].concat())
    };
    let trust = Certificates::from(vec![pki.issuing.certificate.clone()]);
    let prove = |leaf: Vec<u8>| {
        Certificates::from(vec![leaf])
            .prove(
                &trust,
                &PathOptions::at(now()),
                RevocationOptions::default(),
            )
            .map(|_| ())
    };
    assert_eq!(with(fields.clone()), pki.leaf);
    assert_eq!(prove(with(fields.clone())), Ok(()));
    let rest = || fields[..fields.len() - 1].to_vec();
    for (what, leaf) in [
        (
            "two [3]",
            with([fields.clone(), vec![extensions.clone()]].concat()),
        ),
        (
            "an element behind the last",
            with([fields.clone(), vec![vec![5, 0]]].concat()),
        ),
        (
            "an extension twice",
            with([rest(), vec![element(0xa3, &element(0x30, &twice))]].concat()),
        ),
        (
            "no extensions in a list",
            with([rest(), vec![vec![0xa3, 2, 0x30, 0]]].concat()),
        ),
        ("bytes behind it", [pki.leaf.as_slice(), &[5, 0]].concat()),
    ] {
        let error = prove(leaf).unwrap_err();
        assert!(
            matches!(error, PathError::Certificate { position: 0, .. }),
            "{what}: {error}"
        );
    }
}

/// What a trusted root says of itself does not count: a signature that is wrong, or by SHA-1.
#[test]
fn a_trusted_root_counts_by_its_name_and_key() {
    const SHA_256: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
    let pki = Small::new();
    let mut wrong = pki.root.certificate.clone();
    *wrong.last_mut().unwrap() ^= 1;
    let mut by_sha_1 = pki.root.certificate.clone();
    for at in 0..by_sha_1.len() - SHA_256.len() {
        if by_sha_1[at..].starts_with(&SHA_256) {
            by_sha_1[at + SHA_256.len() - 1] = 5;
        }
    }
    for root in [wrong, by_sha_1] {
        assert_ne!(root, pki.root.certificate);
        let trust = Certificates::from(vec![root.clone()]);
        for given in [&pki.chain()[..2], &[&pki.chain()[..2], &[root]].concat()] {
            let given = Certificates::from(given.to_vec());
            let proved = given.prove(
                &trust,
                &PathOptions::at(now()),
                RevocationOptions::default(),
            );
            assert!(proved.is_ok(), "{proved:?}");
        }
    }
}

/// CAs as public trust services have them, made by OpenSSL: their key, and how they sign.
const CAS: [(&[&str], &[&str]); 8] = [
    (&["-newkey", "rsa:2048"], &["-sha256"]),
    (&["-newkey", "rsa:2560"], &["-sha512"]),
    (
        &["-newkey", "rsa:2048"],
        &[
            "-sha384",
            "-sigopt",
            "rsa_padding_mode:pss",
            "-sigopt",
            "rsa_pss_saltlen:digest",
        ],
    ),
    (
        &["-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"],
        &["-sha256", "-sigopt", "rsa_pss_saltlen:digest"],
    ),
    (
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        &["-sha256"],
    ),
    (
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
        &["-sha384"],
    ),
    (
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
        &["-sha512"],
    ),
    (&["-newkey", "ed25519"], &[]),
];

#[test]
fn cas_of_other_algorithms_are_verified() {
    let leaf_key = test_key("leaf", 2048);
    for (key, signature) in CAS {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("leaf.key"), leaf_key.pkcs8_pem()).unwrap();
        let openssl = |arguments: &[&str]| {
            let mut openssl = command("openssl", arguments);
            run(openssl.args(signature).current_dir(folder.path()))
        };
        let root = [
            "req", "-x509", "-nodes", "-keyout", "ca.key", "-subj", "/CN=CA", "-days", "30",
        ];
        let root = [&root[..], key, &["-out", "ca.pem"]].concat();
        openssl(&root);
        let request = [
            "req", "-new", "-key", "leaf.key", "-subj", "/CN=leaf", "-out", "leaf.csr",
        ];
        run(command("openssl", request).current_dir(folder.path()));
        openssl(&[
            "x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "9",
            "-out", "leaf.pem",
        ]);
        let read = |name: &str| {
            let blocks = pem::blocks(&std::fs::read(folder.path().join(name)).unwrap()).unwrap();
            blocks
                .into_iter()
                .map(|block| block.der.to_vec())
                .collect::<Vec<_>>()
        };
        let (leaf, ca) = (read("leaf.pem"), read("ca.pem"));
        let options = PathOptions::at(privyseal::base::clock::now().unwrap());
        let prove = |leaf: Vec<Vec<u8>>| {
            Certificates::from(leaf)
                .prove(&ca.clone().into(), &options, RevocationOptions::default())
                .map(|_| ())
        };
        assert_eq!(prove(leaf.clone()), Ok(()), "{key:?} {signature:?}");
        // One bit of its signature.
        let mut forged = leaf[0].clone();
        *forged.last_mut().unwrap() ^= 1;
        assert!(prove(vec![forged]).is_err(), "{key:?} {signature:?}");
    }
}
