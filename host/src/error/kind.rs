//! What kind of trouble an error is.

/// What went wrong, so far as a program may want to tell: whose business it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A rule is broken (of a scheme, a certificate chain, a claim), or a token was refused.
    Refused,
    /// What was given cannot be used as it is: a value, or a file.
    Input,
    /// Trouble with the key, its token or device, or the PIN.
    Key,
    /// Trouble with the server or the network.
    Server,
}
