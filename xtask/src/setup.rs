//! Installs what is missing, once, and is quick and silent towards apt when nothing is.

mod apt;
mod keycloak;
mod node;
mod python;

use std::path::Path;

use crate::failure::Failure;
use crate::process::Run;
use crate::{paths, thumb};

/// What a command needs on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A software token and the tools around it.
    Token,
    /// Building kryoptic, the second PKCS#11 module that tests run against.
    Kryoptic,
    /// Python with the packages of `host-tests/python/requirements.txt`.
    Python,
    /// Node.js with the packages of `host-tests/node/package-lock.json`.
    Node,
    /// Keycloak, with Java to run it and Maven to get it.
    Keycloak,
    /// A library or a toolchain for Cortex-M.
    Thumb,
    /// Clippy for what is built with it: rustup's comes with its target, Debian's is a package.
    ThumbClippy,
    /// A Cortex-M in software.
    Emulator,
}

impl Need {
    /// Everything any command here needs.
    pub(crate) const ALL: [Self; 8] = [
        Self::Token,
        Self::Kryoptic,
        Self::Python,
        Self::Node,
        Self::Keycloak,
        Self::Thumb,
        Self::ThumbClippy,
        Self::Emulator,
    ];

    /// What to look for, and the Debian package that brings it.
    fn parts(self) -> &'static [Part] {
        match self {
            Self::Token => {
                const {
                    &[
                        part("softhsm2-util", "softhsm2", on_path),
                        part("libsofthsm2.so", "libsofthsm2", softhsm),
                        part("pkcs11-tool", "opensc", on_path),
                        part("openssl", "openssl", on_path),
                    ]
                }
            }
            Self::Kryoptic => {
                const {
                    &[
                        part("clang", "clang", on_path),
                        part("pkg-config", "pkg-config", on_path),
                        part("openssl", "libssl-dev", development_files),
                        part("sqlite3", "libsqlite3-dev", development_files),
                    ]
                }
            }
            Self::Python => {
                const {
                    &[
                        part("python3", "python3", on_path),
                        part("venv", "python3-venv", python_module),
                        part("ensurepip", "python3-venv", python_module),
                    ]
                }
            }
            Self::Node => const { &[part("npm", "npm", on_path)] },
            Self::Keycloak => {
                const {
                    &[
                        part("java 17 or newer", "default-jre-headless", keycloak::java),
                        part("javac", "default-jdk-headless", on_path),
                        part("mvn", "maven", on_path),
                        part("python3", "python3", on_path),
                    ]
                }
            }
            Self::Emulator => const { &[part("qemu-system-arm", "qemu-system-arm", on_path)] },
            Self::Thumb => {
                const {
                    &[
                        part("/usr/bin/rustc", "rustc-web", is_file),
                        part("/usr/bin/cargo", "cargo-web", is_file),
                        part(thumb::DEBIAN_SOURCE, "rust-web-src", is_file),
                        part("ld.lld", "lld", on_path),
                    ]
                }
            }
            Self::ThumbClippy => {
                const { &[part(thumb::DEBIAN_CLIPPY, "rust-web-clippy", is_file)] }
            }
        }
    }
}

/// One thing that must be there.
struct Part {
    what: &'static str,
    package: &'static str,
    is_there: fn(&str) -> bool,
}

const fn part(what: &'static str, package: &'static str, is_there: fn(&str) -> bool) -> Part {
    Part {
        what,
        package,
        is_there,
    }
}

/// Makes sure that the needs are met, or says what to do.
pub(crate) fn run(needs: &[Need]) -> Result<(), Failure> {
    let mut missing = Vec::new();
    for need in needs {
        // A rustup target makes the Debian toolchain unnecessary, and is the first thing to try.
        if *need == Need::Thumb && (thumb::has_rustup_target() || thumb::has_debian_toolchain()) {
            continue;
        }
        if *need == Need::ThumbClippy && thumb::has_rustup_target() {
            continue;
        }
        let absent: Vec<_> = need
            .parts()
            .iter()
            .filter(|p| !(p.is_there)(p.what))
            .collect();
        if *need == Need::Thumb && !absent.is_empty() && thumb::add_rustup_target() {
            continue;
        }
        missing.extend(absent.iter().map(|part| (part.what, part.package)));
    }
    if !missing.is_empty() {
        for (what, package) in &missing {
            println!("missing: {what} (Debian package {package})");
        }
        let mut packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
        packages.dedup();
        apt::install(&packages)?;
    }
    if needs.contains(&Need::Python) {
        python::install_packages()?;
    }
    if needs.contains(&Need::Node) {
        node::install_packages()?;
    }
    if needs.contains(&Need::Keycloak) {
        keycloak::install()?;
    }
    println!("set-up: all there");
    Ok(())
}

fn on_path(program: &str) -> bool {
    paths::on_path(program).is_some()
}

fn softhsm(_: &str) -> bool {
    paths::softhsm_module().is_ok()
}

fn development_files(library: &str) -> bool {
    let exists = Run::new("pkg-config").args(["--exists", library]);
    exists.capture().is_ok()
}

fn is_file(path: &str) -> bool {
    Path::new(path).is_file()
}

fn python_module(module: &str) -> bool {
    Run::new("python3")
        .args(["-c", &format!("import {module}")])
        .capture()
        .is_ok()
}
