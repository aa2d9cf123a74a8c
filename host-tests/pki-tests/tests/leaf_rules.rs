//! A certification request is judged as the leaf that OpenSSL makes of it is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;

use privyseal::pki::certificates::Certificates;
use privyseal::report::{ChainCheckOptions, ChainReport, Report, RequestReport, Verdict};
use privyseal_core::cert::Chain;
use privyseal_core::scheme::ISHARE;
use privyseal_core::{SchemeRules, UnixTime};
use privyseal_test_base::tool::{command, run};
use privyseal_test_pki::test_key;

/// What is broken or worth a note about the leaf, of the request and of the certificate.
fn judged(
    subject: &str,
    extensions: &[&str],
    scheme: Option<&'static SchemeRules>,
) -> [Vec<String>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (key, request, leaf) = (path("key.pem"), path("request.pem"), path("leaf.pem"));
    fs::write(&key, test_key("leaf", 2048).pkcs8_pem()).unwrap();
    fs::write(path("ca-key.pem"), test_key("root", 2048).pkcs8_pem()).unwrap();
    let openssl = |words: &[&str]| run(&mut command("openssl", words));
    let mut words = vec![
        "req", "-new", "-key", &key, "-subj", subject, "-out", &request,
    ];
    words.extend(extensions.iter().flat_map(|it| ["-addext", *it]));
    openssl(&words);
    let (ca, ca_key) = (path("ca.pem"), path("ca-key.pem"));
    openssl(&[
        "req", "-x509", "-new", "-key", &ca_key, "-subj", "/CN=Root", "-out", &ca,
    ]);
    openssl(&[
        "x509",
        "-req",
        "-in",
        &request,
        "-CA",
        &ca,
        "-CAkey",
        &ca_key,
        "-copy_extensions",
        "copyall",
        "-out",
        &leaf,
    ]);
    let asked = RequestReport::read(&fs::read(&request).unwrap(), scheme)
        .unwrap()
        .unwrap();
    let ders: Vec<_> = [&leaf, &ca]
        .iter()
        .flat_map(|path| {
            let read = Certificates::from_bytes(&fs::read(path).unwrap()).unwrap();
            read.iter().map(<[u8]>::to_vec).collect::<Vec<_>>()
        })
        .collect();
    let ders: Vec<_> = ders.iter().map(Vec::as_slice).collect();
    let chain = Chain::in_order(&ders).unwrap();
    let mut options = ChainCheckOptions::at(UnixTime::from_secs(1_780_272_000).unwrap());
    options.scheme = scheme;
    let given = ChainReport::new(&chain, options);
    let texts = |report: &Report| -> Vec<_> {
        let findings = report.findings().iter();
        let found = findings.filter(|it| it.verdict != Verdict::Passed);
        let texts = found
            .filter_map(|it| it.text.as_deref())
            .filter(|it| it.contains("leaf") || it.contains("certificate 0"));
        let texts = texts.map(|it| {
            it.replace("certificate 0", "the leaf")
                .replace("as it is asked for, ", "")
        });
        texts
            .filter(|it| !it.contains("is valid from") && !it.contains("expired"))
            .collect()
    };
    [texts(&asked.report), texts(&given.report)]
}

#[test]
fn a_request_is_judged_as_the_certificate_would_be() {
    let usage = "keyUsage=nonRepudiation";
    for (extensions, said) in [
        (&[usage][..], ""),
        (&["basicConstraints=critical,CA:TRUE"], "the leaf is a CA"),
        (
            &[usage, "1.3.6.1.5.5.7.1.3=critical,DER:3000"],
            "critical extension",
        ),
        (&[usage, "noCheck=critical,ignored"], "critical extension"),
        (&[usage, "1.2.3.4=critical,DER:0500"], "critical extension"),
        (
            &[usage, "policyConstraints=critical,requireExplicitPolicy:0"],
            "constraints",
        ),
        (&["keyUsage=keyCertSign,digitalSignature"], "keyCertSign"),
    ] {
        let [asked, given] = judged("/CN=a", extensions, None);
        assert_eq!(asked, given, "{extensions:?}");
        let all = asked.join("; ");
        assert!(
            all.contains(said) && all.is_empty() == said.is_empty(),
            "{all}"
        );
    }
}

#[test]
fn a_leaf_names_its_party_where_the_scheme_derives_it() {
    let usage = ["keyUsage=nonRepudiation"];
    for (subject, said) in [
        ("/organizationIdentifier=NTRNL-12345678/CN=a", ""),
        ("/CN=a", "no organizationIdentifier"),
        ("/organizationIdentifier=ntrnl-1/CN=a", "ntrnl-1"),
        (
            "/organizationIdentifier=NTRNL-12345678/organizationIdentifier=NTRNL-87654321/CN=a",
            "2 organizationIdentifiers",
        ),
    ] {
        let [asked, given] = judged(subject, &usage, Some(ISHARE.rules()));
        assert_eq!(asked, given, "{subject}");
        let all = asked.join("; ");
        assert!(
            all.contains(said) && all.is_empty() == said.is_empty(),
            "{all}"
        );
    }
}

#[test]
fn the_key_usages_that_would_do_are_named() {
    let [_, none] = judged(
        "/organizationIdentifier=NTRNL-1/CN=a",
        &[],
        Some(ISHARE.rules()),
    );
    assert!(
        none.iter()
            .any(|it| it.contains("the leaf has no key usage")),
        "{none:?}"
    );
    let other = ["keyUsage=keyAgreement"];
    let [asked, given] = judged(
        "/organizationIdentifier=NTRNL-1/CN=a",
        &other,
        Some(ISHARE.rules()),
    );
    for said in [asked, given] {
        let all = said.join("; ");
        let accepted = ISHARE.leaf_key_usage().value();
        assert!(
            accepted.iter().all(|usage| all.contains(usage.name())),
            "{all}"
        );
        assert!(all.contains("(keyAgreement)"), "{all}");
    }
}
