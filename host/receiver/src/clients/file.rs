//! Clients as a file lists them.

use core::ops::Range;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use privyseal::Certificates;
use privyseal::base::display::escape_for_display;
use privyseal::base::file::{InputFile, check_regular};
use privyseal::base::toml::{self, Spanned, TomlError, TomlFileError};
use privyseal::jose::jwk::KeySet;
use privyseal_check::KnownKey;
use privyseal_core::ClientId;
use privyseal_core::cert::Certificate;
use privyseal_core::rsa::VerifyingKey;
use privyseal_core::scheme::{KeyReference, SchemeRules};
use serde::Deserialize;

use super::{Registered, RegisteredClients};

/// The largest file that is read: some ten thousand clients.
const MAX_FILE: usize = 4 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientsFile {
    #[serde(default)]
    client: BTreeMap<Spanned<String>, ClientTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientTable {
    #[serde(default)]
    certificates: Vec<Spanned<PathBuf>>,
    jwks: Option<Spanned<PathBuf>>,
}

/// Where something is wrong, and what.
type Fault = (Range<usize>, String);

impl RegisteredClients {
    /// Those that a TOML file lists for `scheme`, nobody where it is empty. Paths in it are relative to it.
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
    /// [`TomlFileError`]: it, or a file that it names, cannot be read or holds something else; or a client has no key by
    /// which the scheme would let it in.
    pub fn from_file(path: &Path, scheme: &SchemeRules) -> Result<Self, TomlFileError> {
        check_regular(path)?;
        let text = InputFile::open(path)?.read_text(MAX_FILE)?;
        let read: ClientsFile = toml::from_str(&text).map_err(|error| error.of(path))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut clients = Self::default();
        for (id, table) in read.client {
            let client = table.read(&id, folder, scheme).map_err(|(span, why)| {
                let id = escape_for_display(id.get_ref());
                TomlError::at(&text, span, format!("client {id}: {why}")).of(path)
            })?;
            clients.clients.insert(id.into_inner(), client);
        }
        Ok(clients)
    }
}

/// What a client must have.
const fn key_of(scheme: &SchemeRules) -> &'static str {
    match scheme.key_reference().value() {
        KeyReference::Kid => "an RSA key of a JWK Set, with a kid and for signatures",
        KeyReference::X5tS256 => "the RSA key of a certificate, or one with x5t#S256",
        KeyReference::X5cWithRoot => "the RSA key of a certificate",
    }
}

impl ClientTable {
    fn read(
        &self,
        id: &Spanned<String>,
        folder: &Path,
        scheme: &SchemeRules,
    ) -> Result<Registered, Fault> {
        let fault = |why| Err((id.span(), why));
        let known = ClientId::new(id.get_ref()).and_then(|id| scheme.check_client_id(&id));
        if let Err(error) = known {
            return fault(error.to_string());
        }
        if id.get_ref().trim() != id.get_ref() {
            let why = "client_id begins or ends with a space, which no header keeps (RFC 9110 section 5.5)";
            return fault(why.to_owned());
        }
        let (title, key) = (scheme.title(), key_of(scheme));
        if let (Some(first), Some(jwks)) = (self.certificates.first(), &self.jwks) {
            let unused = match scheme.key_reference().value() {
                KeyReference::Kid => Some(first),
                KeyReference::X5cWithRoot => Some(jwks),
                KeyReference::X5tS256 => None,
            };
            if let Some(unused) = unused {
                return Err((unused.span(), format!("{title} looks at nothing but {key}")));
            }
        }
        let mut client = Registered::default();
        for file in &self.certificates {
            let fault = |why| (file.span(), why);
            let path = regular(folder, file)?;
            let given = Certificates::from_file(&path).map_err(|error| fault(error.to_string()))?;
            let is_leaf = |der: &&[u8]| Certificate::from_der(der).is_ok_and(|it| !it.is_ca());
            let mut leaves = given.iter().filter(is_leaf).peekable();
            if leaves.peek().is_none() {
                let why = format!("{} has no certificate of a client", path.display());
                return Err(fault(why));
            }
            leaves.for_each(|der| client.add(der));
        }
        if let Some(file) = &self.jwks {
            let fault = |why| (file.span(), why);
            let keys = KeySet::from_file(&regular(folder, file)?);
            client.keys = keys.map_err(|error| fault(error.to_string()))?;
            let mut kids: Vec<_> = client.keys.iter().filter_map(|(kid, _)| kid).collect();
            kids.sort_unstable();
            if let Some([kid, _]) = kids.windows(2).find(|pair| pair.first() == pair.last()) {
                let why = format!("two keys of the set have the kid {kid:?}");
                return Err(fault(why));
            }
        }
        if client.can_sign(scheme) {
            return Ok(client);
        }
        fault(format!("has no key that {title} accepts: {key}"))
    }
}

/// The path of a file that a client names, which may be read.
fn regular(folder: &Path, file: &Spanned<PathBuf>) -> Result<PathBuf, Fault> {
    let path = folder.join(file.get_ref());
    check_regular(&path).map_err(|error| (file.span(), error.to_string()))?;
    Ok(path)
}

impl Registered {
    /// Whether the scheme accepts an assertion that a key of this client signed.
    fn can_sign(&self, scheme: &SchemeRules) -> bool {
        let reference = scheme.key_reference().value();
        let is_named = |key: &KnownKey<'_>| match reference {
            KeyReference::Kid => key.kid.is_some(),
            KeyReference::X5tS256 => key.x5t_s256.is_some(),
            KeyReference::X5cWithRoot => {
                key.x5t_s256.is_some_and(|it| self.leaves.contains_key(it))
            }
        };
        let mut keys = self.keys(|_| true).into_iter();
        keys.any(|known| is_named(&known) && known.key.and_then(VerifyingKey::new).is_ok())
    }
}
