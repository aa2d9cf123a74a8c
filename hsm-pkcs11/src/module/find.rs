//! Which library a URI means: its `module-path`; the one that p11-kit knows by its `module-name`; or else p11-kit's
//! proxy, which has all modules of the machine.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::limits::MAX_MODULE_FILE;
use crate::uri::Pkcs11Uri;

/// Where p11-kit and distributions put modules.
const LIBRARIES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/pkcs11",
    "/usr/lib/aarch64-linux-gnu/pkcs11",
    "/usr/lib64/pkcs11",
    "/usr/lib/pkcs11",
];

/// Where they are configured, beside the user's folder.
const CONFIGURATION: [&str; 2] = ["/etc/pkcs11/modules", "/usr/share/p11-kit/modules"];

pub(super) fn library(uri: &Pkcs11Uri) -> PathBuf {
    match (&uri.module_path, &uri.module_name) {
        (Some(path), _) => path.into(),
        (None, Some(name)) => configured(name).unwrap_or_else(|| bare(name)),
        (None, None) => bare("p11-kit-proxy"),
    }
}

/// What to say if it cannot be loaded: that none was named, if that is so.
pub(super) fn unloaded(uri: &Pkcs11Uri, error: Error) -> Error {
    match error {
        Error::Module { .. } if uri.module_name.is_none() => match uri.module_path() {
            Err(missing) => missing.into(),
            Ok(_) => error,
        },
        error => error,
    }
}

/// Left to the system's loader.
fn bare(name: &str) -> PathBuf {
    format!("{name}{}", env::consts::DLL_SUFFIX).into()
}

/// The `module:` of p11-kit's file `NAME.module` (pkcs11.conf(5)).
fn configured(name: &str) -> Option<PathBuf> {
    let file = format!("{name}.module");
    let home = |folder| env::home_dir().map(|home| home.join(folder));
    let user = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let user = user.or_else(|| home(".config"));
    let mut folders = user
        .map(|folder| folder.join("pkcs11/modules"))
        .into_iter()
        .chain(CONFIGURATION.map(PathBuf::from));
    let text = folders.find_map(|folder| {
        let path = folder.join(&file);
        let small = fs::metadata(&path).is_ok_and(|it| it.len() <= MAX_MODULE_FILE);
        fs::read_to_string(path).ok().filter(|_| small)
    })?;
    let value = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == "module").then(|| value.trim())
    })?;
    // A relative one is in p11-kit's folder.
    let mut places = LIBRARIES.iter().map(|folder| Path::new(folder).join(value));
    places.find(|path| path.exists())
}
