//! What a run of the command ended with, for scripts.

/// The exit codes of `privyseal`. The order is the order of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// 0: what was asked for is done.
    Done = 0,
    /// 1: a rule is broken (of a scheme, a certificate chain, a claim), or a token was refused.
    Refused = 1,
    /// 2: the command line or a file that it names cannot be used as it is.
    Usage = 2,
    /// 3: trouble with the key, its token or device, or the PIN.
    Key = 3,
    /// 4: trouble with the server or the network.
    Server = 4,
}

impl Exit {
    /// The number that the process returns.
    pub const fn code(self) -> u8 {
        self as u8
    }
}
