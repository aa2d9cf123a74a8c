//! What a simulator can be told to do wrong.

use std::time::Duration;

use super::wire::Cmd;

/// Something that goes wrong with one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misbehaviour {
    /// The device forgets the session before it sees the command.
    DropSession,
    /// No session is free. For [`Cmd::CreateSession`].
    SessionsFull,
    /// The command is refused with this code, inside of the session.
    Refuse(u8),
    /// The answer's MAC is wrong.
    BadMac,
    /// The answer is cut off after this many bytes of its frame.
    CutFrame(usize),
    /// The answer is to another question.
    WrongCommand,
    /// The HTTP answer comes in three pieces.
    SplitWrites,
    /// The HTTP answer is so long that the `yubihsm` crate 0.42 panics on it.
    OversizeHttp,
    /// The connector answers 502.
    HttpError,
    /// No answer for this long, then the connection is closed. The command was done.
    Hang(Duration),
    /// The connection is closed instead of an answer. The command was done.
    Reset,
    /// The first entry of the list is of a kind that nobody knows. For [`Cmd::ListObjects`].
    UnknownObjectType,
    /// The second entry of the log is of a command that nobody knows. For [`Cmd::GetLogEntries`].
    UnknownLogEntry,
    /// A digest of the log is wrong. For [`Cmd::GetLogEntries`].
    BrokenLogChain,
    /// The signature is one byte shorter. For [`Cmd::SignPkcs1`].
    ShortSignature,
    /// The signature is one byte longer. For [`Cmd::SignPkcs1`].
    LongSignature,
    /// One bit of the signature is wrong. For [`Cmd::SignPkcs1`].
    WrongSignature,
    /// The answer is these bytes, under a good MAC.
    Say(&'static [u8]),
}

/// When to misbehave.
#[derive(Debug)]
pub(super) struct Armed {
    pub(super) what: Misbehaviour,
    pub(super) command: Cmd,
    pub(super) times: u32,
}

/// Takes those whose time has come.
pub(super) fn due(armed: &mut [Armed], command: Cmd) -> Vec<Misbehaviour> {
    let due = armed
        .iter_mut()
        .filter(|it| it.command == command && it.times > 0);
    due.map(|it| {
        it.times -= 1;
        it.what
    })
    .collect()
}

/// Changes the data of an answer.
pub(super) fn spoil(what: Misbehaviour, data: &mut Vec<u8>) {
    match what {
        Misbehaviour::ShortSignature => {
            data.pop();
        }
        Misbehaviour::LongSignature => data.insert(0, 0),
        Misbehaviour::WrongSignature => {
            if let Some(byte) = data.last_mut() {
                *byte ^= 1;
            }
        }
        Misbehaviour::Say(bytes) => *data = bytes.to_vec(),
        Misbehaviour::UnknownObjectType => {
            data.splice(0..0, [0x12, 0x34, 0x3c, 0x00]);
        }
        Misbehaviour::UnknownLogEntry => {
            if let Some(command) = data.get_mut(5 + 32 + 2) {
                *command = 0x76;
            }
        }
        Misbehaviour::BrokenLogChain => {
            if let Some(byte) = data.last_mut() {
                *byte ^= 1;
            }
        }
        _ => {}
    }
}
