//! What the device signs is what the software signer signs.

use privyseal_core::cert::{Chain, RsaLinks};
use privyseal_core::kid::Kid;
use privyseal_core::limits::{MAX_COMPACT_JWS, MAX_HEADER};
use privyseal_core::scheme::FIAM;
use privyseal_core::{
    AssertionRequest, Audience, ClientId, Credential, Jti, RsaPublicKey, Signer as _, UnixTime,
};
use privyseal_protocol::{SchemeId, SignRequest};
use privyseal_test_base::clock::run_start;
use privyseal_test_simulators::device_host::{info, sign};
use privyseal_test_suite::software_signer::SoftwareSigner;

use crate::fixture::{chain, claim, key, policy, provisioned, requests};

/// The token that the software signer makes of the same fields and this `jti`.
fn software_token(request: &SignRequest<'_>, jti: &str) -> String {
    let policy = policy();
    let entry = policy.scheme(request.scheme).expect("in the policy");
    let rules = request.scheme.rules();
    let mut signer = SoftwareSigner::new(key());
    let public_key: &RsaPublicKey = &signer.public_key().clone();
    let client_id = ClientId::new(entry.client_id).expect("a client id");
    let ders: Vec<&[u8]> = chain().iter().map(Vec::as_slice).collect();
    let proven = Chain::order(&ders).expect("a chain").prove(&RsaLinks);
    let proven = proven.expect("a proven chain");
    let buffer = vec![0; MAX_HEADER];
    let credential = match entry.kid {
        Some(kid) => {
            let kid = Kid::new(kid).expect("a kid");
            Credential::with_kid(rules, client_id, kid, public_key, buffer)
        }
        None => Credential::new(rules, client_id, &proven, public_key, buffer),
    };
    let credential = credential.expect("a credential");
    let assertion = AssertionRequest {
        audience: request
            .audience
            .map(|text| Audience::new(text).expect("an audience")),
        now: UnixTime::from_secs(request.now).expect("a time"),
        backdate: request.backdate.into(),
        lifetime: request.lifetime.map(u64::from),
        jti: Jti::new(jti).expect("a jti"),
    };
    let mut buffer = vec![0; MAX_COMPACT_JWS];
    let input = credential.prepare(&assertion).expect("an assertion");
    let token = input.sign(&mut signer, &mut buffer).expect("a token");
    token.as_str().to_owned()
}

#[test]
fn every_byte_is_the_software_signers() {
    let mut device = provisioned(&policy());
    let varied = SignRequest {
        backdate: 3,
        lifetime: Some(45),
        nonce: Some(*b"8 bytes!"),
        ..requests()[3]
    };
    for request in requests().into_iter().chain([varied]) {
        let token = sign(&mut device, request).expect("a token");
        let jti = claim(&token, "jti");
        let jti = jti.as_str().expect("a jti");
        assert_eq!(token, software_token(&request, jti), "{:?}", request.scheme);
    }
}

#[test]
fn a_jti_names_device_counter_and_nonce() {
    let mut device = provisioned(&policy());
    let request = SignRequest {
        nonce: Some([0xc0; 8]),
        ..SignRequest::new(SchemeId::of(&FIAM), run_start())
    };
    for counter in 1..4 {
        let token = sign(&mut device, request).expect("a token");
        let jti = claim(&token, "jti");
        let parts: Vec<_> = jti.as_str().expect("a jti").split('-').collect();
        let [id, number, random, nonce] = parts[..] else {
            panic!("{jti}");
        };
        // "fake device!" in hexadecimal.
        assert_eq!(id, "66616b652064657669636521");
        assert_eq!(number, counter.to_string());
        assert_eq!(random.len(), 16);
        assert_eq!(nonce, "c0c0c0c0c0c0c0c0");
        assert_eq!(info(&mut device).counter, counter);
    }
}
