//! NIST's Public Key Interoperability Test Suite: paths, policies and revocation, each case with its verdict.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::HashMap;

use der::asn1::ObjectIdentifier;
use privyseal::pki::Certificates;
use privyseal::pki::crl::Crl;
use privyseal::pki::links::HostLinks;
use privyseal::pki::path::{PathOptions, PolicyInputs};
use privyseal::pki::pem;
use privyseal::pki::revocation::RevocationOptions;
use privyseal_core::UnixTime;
use privyseal_core::cert::Chain;
use privyseal_test_base::tool::{command, output};
use privyseal_test_pki::pkits::{Case, NOW, suite};

/// Valid ones that are refused, with the reason.
const WRONGLY_REFUSED: [(&str, &str); 3] = [
    ("4.1.4", "DSA"),
    ("4.1.5", "DSA, with parameters of the CA above"),
    ("4.2.3", "notBefore in 1950, which no date of `der` can be"),
];

/// Where OpenSSL's verdict is another than ours, and why.
const OPENSSL_DIFFERS: [(&str, &str); 4] = [
    (
        "valid_dsa_signatures_test4",
        "it verifies DSA, without parameters of the CA above",
    ),
    (
        "valid_pre2000_utc_notbefore_date_test3",
        "it knows the year 1950",
    ),
    (
        "valid_basicconstraints_not_critical_test4",
        "-x509_strict wants the extension critical, which section 4.2.1.9 tells CAs and not verifiers",
    ),
    (
        "valid_crlissuer_test30",
        "the list's signer is covered by the list that it signs, which OpenSSL does not follow",
    ),
];

fn judge(case: &Case, files: &HashMap<String, Vec<u8>>) -> Result<(), String> {
    let given = core::iter::once(&case.leaf).chain(&case.others);
    let given: Vec<_> = given.map(|name| files[name].clone()).collect();
    let trust = Certificates::from(vec![files["TrustAnchorRootCertificate.crt"].clone()]);
    // A list that cannot be read is a list that nobody has.
    let lists = case.crls.iter().map(String::as_str);
    let lists = lists.chain(["TrustAnchorRootCRL.crl"]);
    let lists: Vec<_> = lists
        .filter_map(|name| Crl::from_der(files[name].clone()).ok())
        .collect();
    let now = UnixTime::from_secs(NOW).unwrap();
    let mut policies = PolicyInputs::default();
    let accepted = case.policy.user_initial_policy_set.as_ref();
    policies.accepted = accepted.map(|set| {
        set.iter()
            .map(|oid| ObjectIdentifier::new_unwrap(oid))
            .collect()
    });
    policies.require_explicit = case.policy.initial_explicit_policy;
    policies.inhibit_mapping = case.policy.initial_policy_mapping_inhibit;
    policies.inhibit_any = case.policy.initial_any_policy_inhibit;
    let mut options = PathOptions::at(now);
    options.policies = policies;
    let lists = RevocationOptions::files(&lists);
    let path = Certificates::from(given)
        .prove(&trust, &options, lists)
        .map(|_| ());
    path.map_err(|error| error.to_string())
}

#[test]
fn nothing_is_wrongly_accepted_and_three_old_cases_are_refused() {
    let (suite, files) = suite();
    assert_eq!(suite.cases.len(), 246);
    let mut refused = Vec::new();
    for case in &suite.cases {
        let name = format!("{} {}", case.test, case.name);
        match (judge(case, &files), case.valid) {
            (Ok(()), false) => panic!("wrongly accepted: {name}"),
            (Err(error), true) => refused.push((case.test.as_str(), format!("{name}: {error}"))),
            _ => {}
        }
    }
    let expected = WRONGLY_REFUSED.map(|(test, _)| test);
    let found: Vec<_> = refused.iter().map(|(test, _)| *test).collect();
    assert_eq!(found, expected, "{refused:#?}");
}

/// Names (4.3), required policies (4.9) and name constraints (4.13) in chains that the core proves with the host's verifier.
#[test]
fn the_core_proves_names_and_constraints_with_the_hosts_verifier() {
    let (suite, files) = suite();
    let sections = ["4.3.", "4.9.", "4.13."];
    let cases = suite.cases.iter().filter(|case| {
        sections
            .iter()
            .any(|section| case.test.starts_with(section))
    });
    for case in cases {
        let root = "TrustAnchorRootCertificate.crt".to_owned();
        let chain = core::iter::once(&case.leaf)
            .chain(case.others.iter().rev())
            .chain([&root]);
        let chain: Vec<_> = chain.map(|name| files[name].as_slice()).collect();
        let chain = Chain::in_order(&chain).unwrap();
        let proven = chain.prove(&HostLinks).map(|_| ());
        let name = format!("{} {}", case.test, case.name);
        assert_eq!(proven.is_ok(), case.valid, "{name}: {proven:?}");
    }
}

/// Every byte of the leaf, of the other certificates and of the lists, in cases that have most of what can be in them.
#[test]
fn no_changed_byte_is_believed() {
    let (suite, mut files) = suite();
    for name in [
        "valid_dn_and_rfc822_nameconstraints_test27",
        "valid_policy_mapping_test13",
        "valid_idp_with_indirectcrl_test24",
    ] {
        let case = suite.cases.iter().find(|case| case.name == name);
        let case = case.unwrap_or_else(|| panic!("{name}"));
        judge(case, &files).unwrap();
        for file in core::iter::once(&case.leaf)
            .chain(&case.others)
            .chain(&case.crls)
        {
            for position in 0..files[file].len() {
                let bit = 1 << (position % 8);
                files.get_mut(file).unwrap()[position] ^= bit;
                let believed = judge(case, &files).is_ok();
                files.get_mut(file).unwrap()[position] ^= bit;
                assert!(!believed, "{name}: {file}, bit {bit} of byte {position}");
            }
        }
    }
}

/// What `openssl verify` says with its strictest options.
fn judge_by_openssl(case: &Case, files: &HashMap<String, Vec<u8>>) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, label: &str, ders: &[&String]| {
        let blocks = ders
            .iter()
            .map(|der| pem::encode(label, &files[*der]) + "\n");
        let path = folder.path().join(name);
        std::fs::write(&path, blocks.collect::<String>()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let root = "TrustAnchorRootCertificate.crt".to_owned();
    let root_list = "TrustAnchorRootCRL.crl".to_owned();
    let others: Vec<_> = case.others.iter().collect();
    let lists: Vec<_> = case.crls.iter().chain([&root_list]).collect();
    let mut arguments = vec![
        "verify",
        "-x509_strict",
        "-crl_check_all",
        "-extended_crl",
        "-use_deltas",
        "-policy_check",
    ];
    let now = NOW.to_string();
    arguments.extend(["-attime", &now]);
    let root = write("root.pem", "CERTIFICATE", &[&root]);
    arguments.extend(["-no-CApath", "-no-CAstore", "-CAfile", &root]);
    let lists = write("lists.pem", "X509 CRL", &lists);
    arguments.extend(["-CRLfile", &lists]);
    let others = write("others.pem", "CERTIFICATE", &others);
    if !case.others.is_empty() {
        arguments.extend(["-untrusted", &others]);
    }
    // OpenSSL takes no set for an empty one.
    let any = vec!["2.5.29.32.0".to_owned()];
    for policy in case.policy.user_initial_policy_set.as_ref().unwrap_or(&any) {
        arguments.extend(["-policy", policy]);
    }
    let switches = [
        (case.policy.initial_explicit_policy, "-explicit_policy"),
        (case.policy.initial_policy_mapping_inhibit, "-inhibit_map"),
        (case.policy.initial_any_policy_inhibit, "-inhibit_any"),
    ];
    arguments.extend(
        switches
            .into_iter()
            .filter(|(is_on, _)| *is_on)
            .map(|(_, switch)| switch),
    );
    let leaf = write("leaf.pem", "CERTIFICATE", &[&case.leaf]);
    arguments.push(&leaf);
    output(&mut command("openssl", arguments), b"")
        .status
        .success()
}

#[test]
fn openssl_says_the_same_but_where_it_is_known_why() {
    let (suite, files) = suite();
    let mut differs = Vec::new();
    for case in &suite.cases {
        let (ours, theirs) = (judge(case, &files).is_ok(), judge_by_openssl(case, &files));
        if ours != theirs {
            differs.push((
                case.name.as_str(),
                if theirs {
                    "openssl accepts"
                } else {
                    "openssl refuses"
                },
            ));
        }
    }
    let expected = OPENSSL_DIFFERS.map(|(name, _)| name);
    let found: Vec<_> = differs.iter().map(|(name, _)| *name).collect();
    assert_eq!(found, expected, "{differs:#?}");
}
