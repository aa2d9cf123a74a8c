//! Clients as a file lists them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use privyseal::Certificates;
use privyseal::base::BaseError;
use privyseal::base::file::InputFile;
use privyseal::base::toml::{self, TomlError};
use privyseal::jose::jwk::{JwkError, KeySet};
use privyseal::pki::PkiError;
use privyseal_core::cert::Certificate;
use serde::Deserialize;

use super::RegisteredClients;

/// The largest file that is read: some ten thousand clients.
const MAX_FILE: usize = 4 * 1024 * 1024;

/// Why a file lists no clients.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientsFileError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] BaseError),
    /// It does not hold what it should.
    #[error("{}, {error}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: TomlError,
    },
    /// The certificates of a client cannot be read.
    #[error("the certificates of client {client}: {error}")]
    Certificates {
        /// The client's id.
        client: String,
        /// Why.
        #[source]
        error: PkiError,
    },
    /// A file that a client names holds certificates of CAs only, or none that can be read.
    #[error("the certificates of client {client}: {} has none of a client", path.display())]
    NoLeaf {
        /// The client's id.
        client: String,
        /// The file.
        path: PathBuf,
    },
    /// The keys of a client cannot be read.
    #[error("the keys of client {client}: {error}")]
    Keys {
        /// The client's id.
        client: String,
        /// Why.
        #[source]
        error: JwkError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientsFile {
    #[serde(default)]
    client: BTreeMap<String, ClientTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientTable {
    #[serde(default)]
    certificates: Vec<PathBuf>,
    jwks: Option<PathBuf>,
}

impl RegisteredClients {
    /// Those that a TOML file lists, nobody where it is empty. Paths in it are relative to it.
    ///
    /// ```toml
    /// [client."EU.EORI.NL123456789"]
    /// certificates = ["seal.pem"] # PEM or DER; those of CAs beside it are left out
    ///
    /// [client.portal]
    /// jwks = "portal.json"        # the public keys, as a JWK Set
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClientsFileError`]: it, or a file that it names, cannot be read or holds something else.
    pub fn from_file(path: &Path) -> Result<Self, ClientsFileError> {
        let text = InputFile::open(path)?.read_text(MAX_FILE)?;
        let read = toml::from_str::<ClientsFile>(&text);
        let read = read.map_err(|error| ClientsFileError::Content {
            path: path.to_owned(),
            error,
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut clients = Self::default();
        for (client, table) in read.client {
            for file in &table.certificates {
                for leaf in leaves(&client, &folder.join(file))? {
                    clients = clients.certificate(&client, &leaf);
                }
            }
            if let Some(jwks) = &table.jwks {
                let keys = KeySet::from_file(&folder.join(jwks));
                let keys = keys.map_err(|error| ClientsFileError::Keys {
                    client: client.clone(),
                    error,
                })?;
                clients = clients.keys(client, keys);
            }
        }
        Ok(clients)
    }
}

fn leaves(client: &str, path: &Path) -> Result<Vec<Vec<u8>>, ClientsFileError> {
    let certificates = Certificates::from_file(path);
    let certificates = certificates.map_err(|error| ClientsFileError::Certificates {
        client: client.to_owned(),
        error,
    })?;
    let is_leaf = |der: &&[u8]| Certificate::from_der(der).is_ok_and(|it| !it.is_ca());
    let leaves: Vec<_> = certificates
        .iter()
        .filter(is_leaf)
        .map(<[u8]>::to_vec)
        .collect();
    if leaves.is_empty() {
        return Err(ClientsFileError::NoLeaf {
            client: client.to_owned(),
            path: path.to_owned(),
        });
    }
    Ok(leaves)
}
