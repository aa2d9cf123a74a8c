//! `privyseal device list`.

#[cfg(unix)]
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::thread::ScopedJoinHandle;
use std::{fs, thread};

use clap::Args;
use privyseal::keys::KeyUriError;
use privyseal_gateway::{Device as Gateway, DeviceInfo, DeviceUri, Limits};
use serde_json::{Value, json};

use crate::error::CliError;
use crate::output::{print_json, print_line};

/// Ask who answers at each serial port of a folder, by default those that udev names as gateways
///
/// Each port gets a request of some bytes, also one that belongs to something else. Of a folder those are asked that are
/// sockets, USB-serial adapters, or links to a terminal's device. Prints the URI of each device for
/// --key or --device, bound to this device and key, with its state; or why there is none.
#[derive(Args)]
pub(crate) struct List {
    /// Ports, sockets, and folders of them, such as /dev/serial/by-id
    #[arg(value_name = "PATH", default_value = "/dev/privyseal")]
    places: Vec<PathBuf>,
    /// Report as JSON
    #[arg(long)]
    json: bool,
}

/// What came of one port.
struct Found {
    uri: String,
    answer: Result<DeviceInfo, String>,
}

impl List {
    pub(super) fn run(self) -> Result<(), CliError> {
        let mut ports = Vec::new();
        for place in self.places {
            ports.extend(ports_in(&place).map_err(|error| {
                let reason = format!(
                    "names {}, which cannot be read: {error} (/dev/privyseal is made where udev knows an adapter as a \
                     gateway's, docs/gateway.md; /dev/serial/by-id has them all)",
                    place.display()
                );
                CliError::option("PATH", reason)
            })?);
        }
        let found: Vec<Found> = thread::scope(|scope| {
            let asked = ports.iter().map(|port| scope.spawn(|| Found::at(port)));
            let asked: Vec<_> = asked.collect();
            asked.into_iter().flat_map(ScopedJoinHandle::join).collect()
        });
        if self.json {
            return print_json(&found.iter().map(Found::to_json).collect());
        }
        let lines: Vec<_> = found.iter().map(Found::line).collect();
        print_line(lines.join("\n").as_bytes())
    }
}

/// The ports of a folder in their order, or the one that is no folder.
fn ports_in(place: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !fs::metadata(place)?.is_dir() {
        return Ok(vec![place.to_owned()]);
    }
    let entries = fs::read_dir(place)?.map(|entry| entry.map(|entry| entry.path()));
    let mut ports = entries.collect::<Result<Vec<_>, _>>()?;
    ports.retain(|path| is_port(path));
    ports.sort();
    Ok(ports)
}

/// To open other devices than these, or to make a console's terminal raw, does harm.
fn is_port(path: &Path) -> bool {
    let Ok(file) = fs::metadata(path).map(|file| file.file_type()) else {
        return false;
    };
    let device = fs::canonicalize(path).unwrap_or_default();
    let name = device.file_name().and_then(|name| name.to_str());
    let begins = |prefix| name.is_some_and(|name| name.starts_with(prefix));
    let is_adapter = begins("ttyUSB") || begins("ttyACM");
    file.is_socket()
        || (file.is_char_device() && (is_adapter || (path.is_symlink() && begins("tty"))))
}

impl Found {
    fn at(port: &Path) -> Self {
        let is_socket = fs::metadata(port).is_ok_and(|it| it.file_type().is_socket());
        let kind = if is_socket { "unix:" } else { "" };
        let uri = format!("device:{kind}{}", port.display());
        match ask(&uri) {
            Ok((uri, info)) => Self {
                uri: uri.to_string(),
                answer: Ok(info),
            },
            Err(error) => Self {
                uri,
                answer: Err(error.to_string()),
            },
        }
    }

    fn line(&self) -> String {
        match &self.answer {
            Ok(info) => format!("{}  {}", self.uri, info.state),
            Err(error) => format!("{}  {error}", self.uri),
        }
    }

    fn to_json(&self) -> Value {
        match &self.answer {
            Ok(info) => json!({ "uri": self.uri, "info": info.to_json() }),
            Err(error) => json!({ "uri": self.uri, "error": error }),
        }
    }
}

fn ask(uri: &str) -> Result<(DeviceUri, DeviceInfo), CliError> {
    let uri: DeviceUri = uri.parse().map_err(KeyUriError::Uri)?;
    let info = Gateway::open(&uri, Limits::default())?.info().clone();
    let uri = uri.with_device(info.device);
    let uri = match info.key {
        Some(key) => uri.with_key(key),
        None => uri,
    };
    Ok((uri, info))
}

/// Windows has neither among its files.
#[cfg(not(unix))]
trait FileTypeExt {
    fn is_socket(&self) -> bool {
        false
    }

    fn is_char_device(&self) -> bool {
        false
    }
}

#[cfg(not(unix))]
impl FileTypeExt for fs::FileType {}
