//! The program as it lies in flash.
#![expect(unsafe_code, reason = "the linker says where the program lies")]

use core::{ptr, slice};

use sha2::{Digest as _, Sha256};

unsafe extern "C" {
    static __vector_table: u8;
    static __sidata: u8;
    static __sdata: u8;
    static __edata: u8;
}

/// SHA-256 of [`bytes`].
pub fn hash() -> [u8; 32] {
    Sha256::digest(bytes()).into()
}

/// Vectors, code, constants, and what statics start with: what `objcopy --output-target=binary` writes.
pub fn bytes() -> &'static [u8] {
    let start = ptr::addr_of!(__vector_table);
    let data = (ptr::addr_of!(__edata) as usize).saturating_sub(ptr::addr_of!(__sdata) as usize);
    let end = (ptr::addr_of!(__sidata) as usize).saturating_add(data);
    // Hidden from the compiler: on the mps2-an386 the program begins at address 0.
    let start = core::hint::black_box(start);
    // SAFETY: the linker's own symbols, all in flash, which does not change while the program runs.
    unsafe { slice::from_raw_parts(start, end.saturating_sub(start as usize)) }
}
