//! Other bytes in the place of a header, when it was checked and hashed.

use privyseal_core::credential::{BoundProfile, Profile};
use privyseal_core::rsa::VerifyingKey;

fn bind<'a>(profile: &'a Profile<[u8; 64]>, key: &'a VerifyingKey) -> BoundProfile<'a> {
    profile.bind(key, b"another header").unwrap()
}

fn overwrite(profile: &mut Profile<&'static mut [u8]>) {
    profile.header.fill(b'A');
}

fn overwrite_borrowed(profile: &Profile<[u8; 64]>) {
    profile.header()[0] = b'A';
}

fn main() {}
