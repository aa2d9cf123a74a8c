//! The trait of buffers for a type of one's own.

use privyseal_core::credential::{HeaderBuffer, HeaderBytes};

struct Liar;

impl HeaderBytes for Liar {}

impl HeaderBuffer for Liar {}

fn main() {}
