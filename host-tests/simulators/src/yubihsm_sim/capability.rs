//! What objects may be used for: bits, as Yubico numbers them.

pub(super) const GET_OPAQUE: u64 = 1;
pub(super) const PUT_OPAQUE: u64 = 1 << 0x01;
pub(super) const PUT_AUTHENTICATION_KEY: u64 = 1 << 0x02;
pub(super) const PUT_ASYMMETRIC: u64 = 1 << 0x03;
pub(super) const GENERATE_ASYMMETRIC_KEY: u64 = 1 << 0x04;
pub(super) const SIGN_PKCS: u64 = 1 << 0x05;
pub(super) const DECRYPT_OAEP: u64 = 1 << 0x0a;
pub(super) const SET_OPTION: u64 = 1 << 0x11;
pub(super) const GET_OPTION: u64 = 1 << 0x12;
pub(super) const GET_PSEUDO_RANDOM: u64 = 1 << 0x13;
pub(super) const GET_LOG_ENTRIES: u64 = 1 << 0x18;
pub(super) const SIGN_ATTESTATION_CERTIFICATE: u64 = 1 << 0x22;
pub(super) const DELETE_OPAQUE: u64 = 1 << 0x27;
pub(super) const DELETE_AUTHENTICATION_KEY: u64 = 1 << 0x28;
pub(super) const DELETE_ASYMMETRIC_KEY: u64 = 1 << 0x29;

/// The factory's authentication key has them all.
pub(super) const ALL: u64 = u64::MAX >> 8;
