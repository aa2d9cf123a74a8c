//! Frames and fields: `command | length, 2 bytes | data`, all numbers big-endian.

/// Commands, by the names of Yubico's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[expect(missing_docs, reason = "each is the command of its name")]
pub enum Cmd {
    Echo = 0x01,
    CreateSession = 0x03,
    AuthenticateSession = 0x04,
    SessionMessage = 0x05,
    DeviceInfo = 0x06,
    CloseSession = 0x40,
    GetStorageInfo = 0x41,
    PutOpaque = 0x42,
    GetOpaque = 0x43,
    PutAuthenticationKey = 0x44,
    PutAsymmetricKey = 0x45,
    GenerateAsymmetricKey = 0x46,
    SignPkcs1 = 0x47,
    ListObjects = 0x48,
    GetLogEntries = 0x4d,
    GetObjectInfo = 0x4e,
    SetOption = 0x4f,
    GetOption = 0x50,
    GetPseudoRandom = 0x51,
    GetPublicKey = 0x54,
    DeleteObject = 0x58,
    DecryptOaep = 0x59,
    SignAttestationCertificate = 0x64,
    SetLogIndex = 0x67,
    BlinkDevice = 0x6b,
}

impl Cmd {
    /// All of them.
    pub const ALL: [Self; 25] = [
        Self::Echo,
        Self::CreateSession,
        Self::AuthenticateSession,
        Self::SessionMessage,
        Self::DeviceInfo,
        Self::CloseSession,
        Self::GetStorageInfo,
        Self::PutOpaque,
        Self::GetOpaque,
        Self::PutAuthenticationKey,
        Self::PutAsymmetricKey,
        Self::GenerateAsymmetricKey,
        Self::SignPkcs1,
        Self::ListObjects,
        Self::GetLogEntries,
        Self::GetObjectInfo,
        Self::SetOption,
        Self::GetOption,
        Self::GetPseudoRandom,
        Self::GetPublicKey,
        Self::DeleteObject,
        Self::DecryptOaep,
        Self::SignAttestationCertificate,
        Self::SetLogIndex,
        Self::BlinkDevice,
    ];

    pub(super) fn from_u8(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|cmd| cmd.byte() == byte)
    }

    pub(super) const fn byte(self) -> u8 {
        self as u8
    }
}

/// Codes of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Refusal {
    InvalidCommand = 0x01,
    InvalidData = 0x02,
    InvalidSession = 0x03,
    AuthenticationFailed = 0x04,
    SessionsFull = 0x05,
    WrongLength = 0x08,
    InsufficientPermissions = 0x09,
    LogFull = 0x0a,
    ObjectNotFound = 0x0b,
    InvalidId = 0x0c,
    ObjectExists = 0x11,
}

/// The result of a command: the data of the answer, or a refusal.
pub(super) type Outcome = Result<Vec<u8>, Refusal>;

/// A frame of a command or an answer.
pub(super) fn frame(command: u8, data: &[u8]) -> Vec<u8> {
    let len = u16::try_from(data.len()).expect("an answer is shorter than 64 KiB");
    let mut frame = vec![command];
    frame.extend(len.to_be_bytes());
    frame.extend_from_slice(data);
    frame
}

/// The answer to `command`.
pub(super) fn answer(command: u8, outcome: &Outcome) -> Vec<u8> {
    match outcome {
        Ok(data) => frame(command | 0x80, data),
        Err(refusal) => frame(0x7f, &[*refusal as u8]),
    }
}

/// Takes fields off the front of a command's data.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    /// A frame taken apart; its length must fit.
    pub(super) fn of_frame(frame: &'a [u8]) -> Result<(u8, Self), Refusal> {
        let mut fields = Self(frame);
        let command = fields.u8()?;
        let len = fields.u16()?;
        if fields.0.len() == usize::from(len) {
            Ok((command, fields))
        } else {
            Err(Refusal::WrongLength)
        }
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], Refusal> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Refusal::WrongLength)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        self.take(N)?.try_into().map_err(|_| Refusal::WrongLength)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Refusal> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Refusal> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Refusal> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), Refusal> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Refusal::WrongLength)
        }
    }
}
