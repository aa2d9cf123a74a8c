//! Where the listener listens: `PORT`, `ADDRESS:PORT`, and perhaps `/path` behind it.

use core::fmt;
use core::str::FromStr;
use std::net::{Ipv4Addr, SocketAddr};

/// That of the example in itsme's document.
const DEFAULT_PATH: &str = "/cb";

/// The longest path, in bytes.
const MAX_PATH: usize = 256;

/// An address and a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    socket: SocketAddr,
    path: String,
}

/// Why a text is not such an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address is none of PORT, ADDRESS:PORT, PORT/path and ADDRESS:PORT/path")]
#[non_exhaustive]
pub struct ListenAddressError;

impl ListenAddress {
    /// The address.
    pub const fn socket(&self) -> SocketAddr {
        self.socket
    }

    /// The path at which requests are taken.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether nobody but this machine can reach it.
    pub const fn is_loopback(&self) -> bool {
        self.socket.ip().is_loopback()
    }
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, ListenAddressError> {
        let (socket, path) = match text.find('/') {
            Some(at) => text.split_at(at),
            None => (text, DEFAULT_PATH),
        };
        let port = socket.parse::<u16>();
        let socket = port
            .map(|port| (Ipv4Addr::LOCALHOST, port).into())
            .or_else(|_| socket.parse())
            .map_err(|_| ListenAddressError)?;
        let is_good = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#');
        if path.len() > MAX_PATH || !path.bytes().all(is_good) {
            return Err(ListenAddressError);
        }
        Ok(Self {
            socket,
            path: path.to_owned(),
        })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.socket, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_unless_an_address_is_given() {
        for (text, shown, is_loopback) in [
            ("8443", "127.0.0.1:8443/cb", true),
            ("0/itsme/cb", "127.0.0.1:0/itsme/cb", true),
            ("0.0.0.0:80", "0.0.0.0:80/cb", false),
            ("[::1]:80/", "[::1]:80/", true),
        ] {
            let address: ListenAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(address.is_loopback(), is_loopback);
        }
        for text in [
            "",
            "x",
            "localhost:80",
            "99999",
            "80/a b",
            "80/a?b",
            "http://127.0.0.1/",
        ] {
            assert_eq!(
                text.parse::<ListenAddress>(),
                Err(ListenAddressError),
                "{text}"
            );
        }
    }
}
