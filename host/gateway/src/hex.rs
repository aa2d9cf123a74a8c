//! Hexadecimal, as people read and paste it.

pub(crate) use privyseal_core::encoding::unhex as decode;

/// Lower-case digits.
pub(crate) fn encode(bytes: &[u8]) -> String {
    privyseal_core::encoding::hex(bytes).collect()
}
