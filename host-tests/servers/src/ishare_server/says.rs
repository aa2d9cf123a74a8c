//! What a registry says about parties and CAs, in iSHARE's words.

use serde_json::{Value, json};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use privyseal_test_judges::assertion_judge::Refusal;
use privyseal_test_judges::decode::{to_base64, to_hex};

/// SHA-256 of a certificate, in lower-case hexadecimal.
pub fn fingerprint(der: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, der);
    to_hex(digest.as_ref())
}

/// An entry of the trusted list for a CA that may issue.
///
/// # Panics
/// If `der` is no certificate.
pub fn list_entry(der: &[u8]) -> Value {
    json!({
        "subject": subject(der),
        "certificate_fingerprint": fingerprint(der).to_uppercase(),
        "validity": "valid",
        "status": "granted",
    })
}

/// What iSHARE 2.1 says about a party with one certificate, whose chain this is.
///
/// # Panics
/// If `chain` is empty or holds no certificates.
pub fn party_info(id: &str, status: &str, chain: &[Vec<u8>]) -> Value {
    let x5c: Vec<_> = chain.iter().map(|der| to_base64(der)).collect();
    json!({
        "party_id": id,
        "party_name": "Test Party",
        "registrar_id": super::REGISTRY,
        "adherence": {
            "status": status,
            "start_date": "2026-01-31T00:00:00.000Z",
            "end_date": "2036-02-01T00:00:00.000Z",
        },
        "certificates": [{
            "subject_name": subject(&chain[0]),
            "certificate_type": "eSEAL",
            "enabled_from": "2026-01-31T00:00:00.000Z",
            "x5c": x5c,
            "x5t#s256": fingerprint(&chain[0]),
        }],
        "roles": [],
    })
}

/// The party of that id.
pub(super) fn party<'p>(parties: &'p [Value], id: &str) -> Option<&'p Value> {
    parties.iter().find(|party| party["party_id"] == id)
}

/// The parties that an iSHARE 1.x query finds.
pub(super) fn found(parties: &[Value], query: &str) -> Result<Value, Refusal> {
    let value = |name: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.into_owned())
    };
    let eori =
        value("eori").ok_or_else(|| Refusal::bad_request("invalid_request", "eori is missing"))?;
    let subject = value("certificate_subject_name");
    let data: Vec<_> = parties
        .iter()
        .filter(|party| party["party_id"] == eori.as_str())
        .filter(|party| {
            let names = &party["certificates"][0]["subject_name"];
            subject
                .as_ref()
                .is_none_or(|subject| *names == subject.as_str())
        })
        .collect();
    Ok(json!({ "count": data.len(), "data": data }))
}

fn subject(der: &[u8]) -> String {
    let (_, certificate) = X509Certificate::from_der(der).expect("a certificate");
    certificate.subject().to_string()
}
