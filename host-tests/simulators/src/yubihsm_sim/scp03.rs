//! The cryptography of a session: GlobalPlatform SCP03 as the YubiHSM 2 uses it.

use aes::Aes128;
use aes::cipher::{Block, BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};
use cmac::{Cmac, Mac as _};
use rsa::sha2::Sha256;

/// An AES-128 key, an initialization vector or a whole MAC.
pub(super) type Block16 = [u8; 16];

/// The two keys of an authentication key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StaticKeys {
    pub(super) enc: Block16,
    pub(super) mac: Block16,
}

impl StaticKeys {
    pub(super) fn from_password(password: &str) -> Self {
        let mut both = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), b"Yubico", 10_000, &mut both);
        Self::from_bytes(&both)
    }

    pub(super) fn from_bytes(both: &[u8; 32]) -> Self {
        let (mut enc, mut mac) = ([0; 16], [0; 16]);
        enc.copy_from_slice(&both[..16]);
        mac.copy_from_slice(&both[16..]);
        Self { enc, mac }
    }
}

/// The state of an SCP03 channel.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    enc: Block16,
    mac: Block16,
    rmac: Block16,
    context: [u8; 16],
    chain: Block16,
    counter: u32,
}

impl Channel {
    pub(super) fn new(keys: &StaticKeys, host: [u8; 8], card: [u8; 8]) -> Self {
        let mut context = [0; 16];
        context[..8].copy_from_slice(&host);
        context[8..].copy_from_slice(&card);
        Self {
            enc: derive(&keys.enc, 0x04, &context, 0x80),
            mac: derive(&keys.mac, 0x06, &context, 0x80),
            rmac: derive(&keys.mac, 0x07, &context, 0x80),
            context,
            chain: [0; 16],
            counter: 0,
        }
    }

    pub(super) fn card_cryptogram(&self) -> [u8; 8] {
        first_half(derive(&self.mac, 0x00, &self.context, 0x40))
    }

    pub(super) fn host_cryptogram(&self) -> [u8; 8] {
        first_half(derive(&self.mac, 0x01, &self.context, 0x40))
    }

    /// Checks the MAC (the last 8 bytes) of a command's frame; if it is right, it becomes the chain.
    #[must_use]
    pub(super) fn accept(&mut self, frame: &[u8]) -> bool {
        let Some((body, mac)) = frame.split_last_chunk::<8>() else {
            return false;
        };
        let whole = cmac(&self.mac, &[&self.chain, body]);
        if first_half(whole) != *mac {
            return false;
        }
        self.chain = whole;
        true
    }

    /// After the login.
    pub(super) fn start_counting(&mut self) {
        self.counter = 1;
    }

    /// The inner frame of a session message.
    pub(super) fn decrypt(&self, ciphertext: &[u8]) -> Option<Vec<u8>> {
        if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(16) {
            return None;
        }
        let cipher = Aes128::new(&self.enc.into());
        let mut previous = self.iv();
        let mut plain = Vec::with_capacity(ciphertext.len());
        for chunk in ciphertext.chunks_exact(16) {
            let mut block = Block::<Aes128>::try_from(chunk).expect("a block");
            cipher.decrypt_block(&mut block);
            plain.extend(block.iter().zip(previous).map(|(byte, mask)| byte ^ mask));
            previous.copy_from_slice(chunk);
        }
        let end = plain.iter().rposition(|&byte| byte != 0)?;
        (plain[end] == 0x80).then(|| plain[..end].to_vec())
    }

    pub(super) fn encrypt(&self, inner: &[u8]) -> Vec<u8> {
        let mut plain = inner.to_vec();
        plain.push(0x80);
        plain.resize(plain.len().next_multiple_of(16), 0);
        let cipher = Aes128::new(&self.enc.into());
        let mut previous = self.iv();
        let mut out = Vec::with_capacity(plain.len());
        for chunk in plain.chunks_exact(16) {
            let mut block = Block::<Aes128>::try_from(chunk).expect("a block");
            block
                .iter_mut()
                .zip(previous)
                .for_each(|(byte, mask)| *byte ^= mask);
            cipher.encrypt_block(&mut block);
            previous.copy_from_slice(&block);
            out.extend_from_slice(&block);
        }
        out
    }

    /// The MAC of an answer's frame; then the exchange is over.
    pub(super) fn finish(&mut self, body: &[u8]) -> [u8; 8] {
        self.counter += 1;
        first_half(cmac(&self.rmac, &[&self.chain, body]))
    }

    fn iv(&self) -> Block16 {
        let mut block = Block::<Aes128>::default();
        block[12..].copy_from_slice(&self.counter.to_be_bytes());
        Aes128::new(&self.enc.into()).encrypt_block(&mut block);
        block.into()
    }
}

/// NIST SP 800-108 in counter mode, as SCP03 section 4.1.5 has it; `bits` is 0x80 or 0x40.
fn derive(key: &Block16, constant: u8, context: &[u8; 16], bits: u16) -> Block16 {
    let [high, low] = bits.to_be_bytes();
    cmac(key, &[&[0; 11], &[constant, 0, high, low, 1], context])
}

fn cmac(key: &Block16, parts: &[&[u8]]) -> Block16 {
    let mut mac = <Cmac<Aes128> as cmac::KeyInit>::new(&(*key).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn first_half(block: Block16) -> [u8; 8] {
    let mut half = [0; 8];
    half.copy_from_slice(&block[..8]);
    half
}
