//! Something to sign that no credential made.

use privyseal_core::payload::Payload;
use privyseal_core::rsa::VerifyingKey;
use privyseal_core::SigningInput;

fn sealed<'a>(header: &'a [u8], key: &'a VerifyingKey, payload: Payload<'a>) -> SigningInput<'a> {
    SigningInput {
        header,
        payload,
        encoded: Default::default(),
        key,
        digest: [0; 32],
    }
}

fn main() {}
