//! A finished token that nobody signed, and such a request.

use privyseal_core::{CertificationRequest, CompactJws};

fn token() -> CompactJws<'static> {
    CompactJws(b"a.b.c")
}

fn request() -> CertificationRequest<'static> {
    CertificationRequest(b"\x30\x00")
}

fn main() {}
