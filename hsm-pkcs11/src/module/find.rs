//! Which library a URI means: its `module-path`; the one that p11-kit knows by its `module-name`; or else p11-kit's
//! proxy, which has all modules of the machine.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::limits::MAX_MODULE_FILE;
use crate::uri::Pkcs11Uri;

/// Where p11-kit and distributions put modules.
const LIBRARIES: &[&str] = if cfg!(target_os = "macos") {
    &["/opt/homebrew/lib/pkcs11", "/usr/local/lib/pkcs11"]
} else {
    &[
        "/usr/lib/x86_64-linux-gnu/pkcs11",
        "/usr/lib/aarch64-linux-gnu/pkcs11",
        "/usr/lib64/pkcs11",
        "/usr/lib/pkcs11",
    ]
};

/// Where they are configured, beside the user's folder; the system's settings first.
const CONFIGURATION: &[&str] = if cfg!(target_os = "macos") {
    &[
        "/opt/homebrew/etc/pkcs11/modules",
        "/usr/local/etc/pkcs11/modules",
        "/opt/homebrew/share/p11-kit/modules",
        "/usr/local/share/p11-kit/modules",
    ]
} else {
    &["/etc/pkcs11/modules", "/usr/share/p11-kit/modules"]
};

/// Where vendors put modules on Windows, which has no p11-kit.
const INSTALLED: &[(&str, &str)] = if cfg!(windows) {
    &[
        (
            "opensc-pkcs11",
            r"C:\Program Files\OpenSC Project\OpenSC\pkcs11\opensc-pkcs11.dll",
        ),
        ("softhsm2", r"C:\SoftHSM2\lib\softhsm2-x64.dll"),
        (
            "libykcs11",
            r"C:\Program Files\Yubico\Yubico PIV Tool\bin\libykcs11.dll",
        ),
    ]
} else {
    &[]
};

pub(super) fn library(uri: &Pkcs11Uri) -> PathBuf {
    match (&uri.module_path, &uri.module_name) {
        (Some(path), _) => path.into(),
        (None, Some(name)) => configured(name).unwrap_or_else(|| bare(name)),
        (None, None) => bare("p11-kit-proxy"),
    }
}

/// The library that bears the name with the prefix that a name lacks (RFC 7512 section 2.3).
pub(super) fn with_prefix(uri: &Pkcs11Uri) -> Option<PathBuf> {
    let name = uri.module_name.as_ref()?;
    uri.module_path
        .is_none()
        .then(|| bare(&format!("lib{name}")))
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

/// What is installed on Windows, under the names that p11-kit gives elsewhere.
fn installed() -> impl Iterator<Item = (&'static str, PathBuf)> {
    let all = INSTALLED.iter().map(|(name, path)| (*name, path.into()));
    all.filter(|(_, path): &(_, PathBuf)| path.exists())
}

/// Left to the system's loader.
fn bare(name: &str) -> PathBuf {
    format!("{name}{}", env::consts::DLL_SUFFIX).into()
}

/// The names of the modules that p11-kit is configured to use (pkcs11.conf(5)), for `module-name`; not of those that hold
/// the certificates that a system trusts. Empty where there is no p11-kit.
pub fn configured_modules() -> Vec<String> {
    let files = folders().into_iter().filter_map(|it| it.read_dir().ok());
    let names = files.flatten().filter_map(|file| {
        let name = file.ok()?.file_name().into_string().ok()?;
        name.strip_suffix(".module").map(str::to_owned)
    });
    let names: BTreeSet<String> = names.collect();
    let is_used = |name: &String| {
        let text = file(name).filter(|text| setting(text, "trust-policy") != Some("yes"));
        text.is_some_and(|text| module(&text).is_some())
    };
    let names = names.into_iter().filter(is_used);
    names
        .chain(installed().map(|(name, _)| name.to_owned()))
        .collect()
}

/// The library that p11-kit knows by this name, or that has it: without the system's affixes, and whatever the case (RFC 7512 section 2.3).
fn configured(name: &str) -> Option<PathBuf> {
    let of_file = |name: &str| module(&file(name)?);
    let vendors = |name: &str| installed().find(|(known, _)| *known == name);
    let library = |name: &str| of_file(name).or_else(|| Some(vendors(name)?.1));
    let plain = |name: &str| {
        let name = name.to_lowercase();
        name.strip_prefix("lib").map_or(name.clone(), str::to_owned)
    };
    let is_meant = |known: &String| {
        let path = library(known);
        let stem = path.as_deref().and_then(Path::file_stem);
        let names = [Some(known.as_str()), stem.and_then(OsStr::to_str)];
        names
            .into_iter()
            .flatten()
            .any(|it| plain(it) == plain(name))
    };
    library(name).or_else(|| library(&configured_modules().into_iter().find(is_meant)?))
}

/// p11-kit's file `NAME.module`: the first that is there.
fn file(name: &str) -> Option<String> {
    let file = format!("{name}.module");
    folders().iter().find_map(|it| read(&it.join(&file)))
}

/// The `module:` of such a file, which may also switch it off.
fn module(text: &str) -> Option<PathBuf> {
    let programs = |key| setting(text, key).map(|them| them.contains("privyseal"));
    if programs("enable-in") == Some(false) || programs("disable-in") == Some(true) {
        return None;
    }
    let value = setting(text, "module").filter(|value| !value.is_empty())?;
    // A relative one is in p11-kit's folder.
    let mut places = LIBRARIES.iter().map(|folder| Path::new(folder).join(value));
    places.find(|path| path.exists())
}

/// Where modules are configured, the user's first, as `user-config` of p11-kit's own configuration has it.
fn folders() -> Vec<PathBuf> {
    let home = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".config")));
    let user = home.map(|folder| folder.join("pkcs11"));
    let user = user.filter(|it| is_own(it) && env::var_os("P11_NO_USER_CONFIG").is_none());
    let user = user.map(|folder| folder.join("modules"));
    let mode = |folder: &Path| {
        let text = read(&folder.parent()?.join("pkcs11.conf"))?;
        setting(&text, "user-config").map(str::to_owned)
    };
    let system: Vec<PathBuf> = CONFIGURATION.iter().map(PathBuf::from).collect();
    let first = system.iter().find_map(|folder| mode(folder));
    let mode = match first.as_deref() {
        Some("none") => return system,
        system => user
            .as_deref()
            .and_then(mode)
            .or_else(|| system.map(str::to_owned)),
    };
    let system = system
        .into_iter()
        .filter(|_| mode.as_deref() != Some("only"));
    user.into_iter().chain(system).collect()
}

/// Who writes there chooses what is loaded: as after sudo, it may be another user's. p11-kit passes over all of root's.
#[cfg(unix)]
fn is_own(folder: &Path) -> bool {
    let owner = |path| fs::metadata(path).map(|it| std::os::unix::fs::MetadataExt::uid(&it));
    // Where the system shows who this process runs as.
    let own = owner("/proc/self".as_ref()).ok();
    owner(folder).is_ok_and(|owner| own.is_none_or(|own| own == owner))
}

#[cfg(not(unix))]
const fn is_own(_: &Path) -> bool {
    true
}

fn read(path: &Path) -> Option<String> {
    let small = fs::metadata(path).is_ok_and(|it| it.len() <= MAX_MODULE_FILE);
    fs::read_to_string(path).ok().filter(|_| small)
}

fn setting<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim())
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, chown};

    #[test]
    fn a_folder_of_another_user_configures_nothing() {
        let own = std::env::temp_dir().join(format!("privyseal-own-{}", std::process::id()));
        std::fs::create_dir_all(&own).unwrap();
        assert!(super::is_own(&own));
        let is_roots = std::fs::metadata(&own).unwrap().uid() == 0;
        if is_roots {
            chown(&own, Some(65534), None).unwrap();
        }
        let others = if is_roots {
            own.as_path()
        } else {
            "/".as_ref()
        };
        assert!(!super::is_own(others));
        assert!(!super::is_own(&own.join("none")));
        std::fs::remove_dir_all(&own).unwrap();
    }
}
