//! The core: what `prepare` and `attach_to` do, without the verification.

use privyseal_core::cert::{Chain, RsaLinks};
use privyseal_core::encoding::base64::Base64UrlSink;
use privyseal_core::encoding::sink::{Sink, SliceSink};
use privyseal_core::{
    AssertionRequest, Audience, ClientId, Credential, Jti, UnixTime, limits, scheme,
};

use super::subject::{AUDIENCE, CLIENT_ID, JTI, NOW};

pub(crate) fn credential(chain: &[&[u8]]) -> Credential<Vec<u8>> {
    let chain = Chain::order(chain)
        .expect("a chain")
        .prove(&RsaLinks)
        .expect("a good chain");
    let key = chain.leaf().expect("a leaf").rsa_key().expect("an RSA key");
    let client_id = ClientId::new(CLIENT_ID).expect("a client id");
    let header = vec![0; limits::MAX_HEADER];
    Credential::new(&scheme::ISHARE, client_id, &chain, &key, header).expect("a credential")
}

/// Validates what is given, encodes and hashes the claims, and writes the whole token.
pub(crate) fn token<'b>(
    credential: &Credential<Vec<u8>>,
    signature: &[u8],
    buffer: &'b mut [u8],
) -> &'b [u8] {
    let request = AssertionRequest {
        audience: Some(Audience::new(AUDIENCE).expect("an audience")),
        ..AssertionRequest::new(
            UnixTime::from_secs(NOW).expect("a moment"),
            Jti::new(JTI).expect("a jti"),
        )
    };
    let input = credential.prepare(&request).expect("a good request");
    // What the signer is given.
    std::hint::black_box(input.digest());

    let mut sink = SliceSink::new(buffer);
    input.write_to(&mut sink).expect("it fits");
    sink.write(b".").expect("it fits");
    let mut encoder = Base64UrlSink::new(&mut sink);
    encoder.write(signature).expect("it fits");
    encoder.finish().expect("it fits");
    sink.finish().expect("it fits")
}
