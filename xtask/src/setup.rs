//! Installs what is missing, once, and is quick and silent towards apt when nothing is.

mod apt;
mod node;
mod python;
pub(crate) mod tools;

use std::path::Path;
use std::time::Duration;

use crate::failure::{Failure, fail};
use crate::process::Run;
use crate::{paths, thumb};

/// Mirrors can be slow, and toolchains are large.
pub(crate) const DOWNLOAD: Duration = Duration::from_secs(20 * 60);

/// What a browser runs.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// What a command needs on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A software token and the tools around it.
    Token,
    /// Building kryoptic, the second PKCS#11 module that tests run against.
    Kryoptic,
    /// Python with the packages of `host-tests/python/requirements.txt`.
    Python,
    /// What stands beside a receiver: a store that several share, and a proxy before it.
    Receiver,
    /// Node.js with the packages of `host-tests/node/package-lock.json`.
    Node,
    /// WebAssembly for the page: rustup's target, and a C compiler that knows it.
    Wasm,
    /// A browser for the tests of the page.
    Browser,
    /// Keycloak, with Java to run it and Maven to get it.
    Keycloak,
    /// What starts services, for tests of the agent.
    Services,
    /// Compilers of other languages, for programs that use the C ABI; Java comes with Keycloak.
    Languages,
    /// A library or a toolchain for Cortex-M.
    Thumb,
    /// Clippy for what is built with it: rustup's comes with its target, Debian's is a package.
    ThumbClippy,
    /// A Cortex-M in software.
    Emulator,
    /// cargo-deny.
    Deny,
    /// mdBook.
    Book,
    /// What makes packages and looks into them.
    Package,
    /// cargo-cyclonedx.
    Sbom,
    /// cargo-mutants.
    Mutants,
    /// What OpenSSL's library needs to be a judge of fuzzers.
    Fuzz,
    /// A C compiler for Windows.
    Windows,
    /// What applies a patch.
    Patch,
}

impl Need {
    /// What `cargo xtask test` needs.
    pub(crate) const TEST: &'static [Self] = &[
        Self::Token,
        Self::Kryoptic,
        Self::Python,
        Self::Receiver,
        Self::Node,
        Self::Wasm,
        Self::Browser,
        Self::Keycloak,
        Self::Languages,
        Self::Services,
        Self::Package,
        Self::Thumb,
        Self::ThumbClippy,
        Self::Emulator,
        Self::Patch,
    ];

    /// Everything that any command here needs.
    pub(crate) fn all() -> Vec<Self> {
        [
            Self::TEST,
            &[
                Self::Deny,
                Self::Book,
                Self::Sbom,
                Self::Windows,
                Self::Fuzz,
            ],
        ]
        .concat()
    }

    /// What to look for, and the Debian package that brings it.
    fn parts(self) -> &'static [Part] {
        const TOKEN: &[Part] = &[
            ("softhsm2-util", "softhsm2", on_path),
            ("libsofthsm2.so", "libsofthsm2", softhsm),
            ("pkcs11-tool", "opensc", on_path),
            ("openssl", "openssl", on_path),
            ("p11-kit", "p11-kit", on_path),
            ("p11-kit-client.so", "p11-kit-modules", pkcs11_module),
            ("libsoftokn3.so", "libnss3", library),
            ("swtpm", "swtpm", on_path),
            ("libtpm2_pkcs11.so.1", "libtpm2-pkcs11-1", library),
            ("libtss2-tcti-swtpm.so.0", "libtss2-tcti-swtpm0", library),
            ("tpm2_flushcontext", "tpm2-tools", on_path),
        ];
        const KRYOPTIC: &[Part] = &[
            ("clang", "clang", on_path),
            ("pkg-config", "pkg-config", on_path),
            ("openssl", "libssl-dev", development_files),
            ("sqlite3", "libsqlite3-dev", development_files),
        ];
        const PYTHON: &[Part] = &[
            ("python3", "python3", on_path),
            ("venv", "python3-venv", python_module),
            ("ensurepip", "python3-venv", python_module),
        ];
        const KEYCLOAK: &[Part] = &[
            ("java 17 or newer", "default-jre-headless", java),
            ("javac", "default-jdk-headless", on_path),
            ("mvn", "maven", on_path),
            ("python3", "python3", on_path),
        ];
        const LANGUAGES: &[Part] = &[
            ("cc", "gcc", on_path),
            ("go", "golang-go", on_path),
            ("pkg-config", "pkg-config", on_path),
            ("valgrind", "valgrind", on_path),
        ];
        const THUMB: &[Part] = &[
            ("/usr/bin/rustc", "rustc-web", is_file),
            ("/usr/bin/cargo", "cargo-web", is_file),
            (thumb::DEBIAN_SOURCE, "rust-web-src", is_file),
            ("ld.lld", "lld", on_path),
        ];
        const THUMB_CLIPPY: &[Part] = &[(thumb::DEBIAN_CLIPPY, "rust-web-clippy", is_file)];
        match self {
            Self::Token => TOKEN,
            Self::Kryoptic => KRYOPTIC,
            Self::Python => PYTHON,
            Self::Receiver => &[
                ("redis-server", "redis-server", on_path),
                ("nginx", "nginx-light", on_path),
            ],
            Self::Node => &[("npm", "npm", on_path)],
            Self::Wasm => &[("clang", "clang", on_path), ("llvm-ar", "llvm", on_path)],
            Self::Browser => &[("chromium", "chromium", on_path)],
            Self::Keycloak => KEYCLOAK,
            Self::Languages => LANGUAGES,
            Self::Services => &[
                ("systemd-analyze", "systemd", on_path),
                ("setpriv", "util-linux", on_path),
                ("faketime/libfaketimeMT.so.1", "libfaketime", library),
            ],
            // rustup's target makes the Debian toolchain unnecessary.
            Self::Thumb | Self::ThumbClippy if thumb::has_rustup_target() => &[],
            Self::Thumb => THUMB,
            Self::ThumbClippy => THUMB_CLIPPY,
            Self::Emulator => &[("qemu-system-arm", "qemu-system-arm", on_path)],
            Self::Deny | Self::Book | Self::Sbom | Self::Mutants => &[],
            Self::Fuzz => &[
                ("cc", "gcc", on_path),
                ("pkg-config", "pkg-config", on_path),
                ("openssl", "libssl-dev", development_files),
            ],
            Self::Package => &[
                ("dpkg-deb", "dpkg", on_path),
                ("objdump", "binutils", on_path),
            ],
            Self::Patch => &[("patch", "patch", on_path)],
            Self::Windows => &[("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64", on_path)],
        }
    }
}

/// One thing that must be there: what, in which Debian package, and how to look for it.
type Part = (&'static str, &'static str, fn(&str) -> bool);

/// Makes sure that the needs are met, or says what to do.
pub(crate) fn run(needs: &[Need]) -> Result<(), Failure> {
    // The first thing to try: it needs neither apt nor root.
    if needs.contains(&Need::Thumb) && !missing(&[Need::Thumb]).is_empty() {
        // It says why not; apt is the other way.
        let _ = add_rustup_target(thumb::TARGET);
    }
    let absent = missing(needs);
    if !absent.is_empty() {
        for (what, package, _) in &absent {
            println!("missing: {what} (Debian package {package})");
        }
        let mut packages: Vec<_> = absent.iter().map(|(_, package, _)| *package).collect();
        packages.dedup();
        apt::install(&packages)?;
        if let Some((what, package, _)) = missing(needs).first() {
            return fail!(
                "{what} is still missing after the Debian package {package} was installed"
            );
        }
    }
    for need in needs {
        match need {
            Need::Python => python::install_packages()?,
            Need::Node => node::install_packages()?,
            Need::Keycloak => {
                let install = "run --quiet --package privyseal-test-servers --bin install-keycloak";
                Run::cargo(install).stream()?;
            }
            Need::Wasm => wasm()?,
            Need::Deny => tools::install(tools::DENY)?,
            Need::Book => tools::install(tools::BOOK)?,
            Need::Package => tools::install(tools::DEB)?,
            Need::Sbom => tools::install(tools::SBOM)?,
            Need::Mutants => tools::install(tools::MUTANTS)?,
            _ => {}
        }
    }
    println!("set-up: all there");
    Ok(())
}

fn missing(needs: &[Need]) -> Vec<Part> {
    let parts = needs.iter().flat_map(|need| need.parts());
    parts
        .filter(|(what, _, is_there)| !is_there(what))
        .copied()
        .collect()
}

/// The target, where it is missing: rustup says much about one that is there.
fn wasm() -> Result<(), Failure> {
    let sysroot = Run::new("rustc").args(["--print", "sysroot"]).capture()?;
    let target = Path::new(sysroot.text().trim())
        .join("lib/rustlib")
        .join(WASM);
    if target.is_dir() {
        Ok(())
    } else {
        add_rustup_target(WASM)
    }
}

/// Asks rustup for a target.
pub(crate) fn add_rustup_target(target: &str) -> Result<(), Failure> {
    let mut add = Run::new("rustup")
        .words("target add")
        .arg(target)
        .limit(DOWNLOAD);
    println!("$ {}", add.shown());
    let added = add.capture().map(drop);
    added.inspect_err(|failure| println!("{failure}"))
}

/// Whether there is a Java that is new enough for Keycloak.
fn java(_: &str) -> bool {
    let version = Run::new("java").arg("--version").capture();
    let text = version.map(|output| output.text()).unwrap_or_default();
    // `openjdk 17.0.15 2025-04-15`
    let number = text.split([' ', '.']).nth(1).map(str::parse::<u32>);
    matches!(number, Some(Ok(17..)))
}

fn on_path(program: &str) -> bool {
    paths::on_path(program).is_some()
}

fn softhsm(_: &str) -> bool {
    paths::softhsm_module().is_ok()
}

fn library(file: &str) -> bool {
    [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
    ]
    .iter()
    .any(|folder| Path::new(folder).join(file).is_file())
}

fn pkcs11_module(file: &str) -> bool {
    library(&format!("pkcs11/{file}"))
}

fn development_files(library: &str) -> bool {
    let mut exists = Run::new("pkg-config").args(["--exists", library]);
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
