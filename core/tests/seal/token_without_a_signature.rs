//! A finished token that nobody signed, and a request likewise.

use privyseal_core::{CertificationRequest, CompactJws};

fn token() -> CompactJws<'static> {
    CompactJws(b"a.b.c")
}

fn request() -> CertificationRequest<'static> {
    CertificationRequest(b"\x30\x00")
}

fn main() {}
