//! Installs what is missing, once, and is quick and silent towards apt when nothing is.

mod apt;
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

    /// What must be there: the lines of `parts.txt` that begin with its name.
    fn parts(self) -> impl Iterator<Item = Part> {
        let name = format!("{self:?}");
        let is_of_rustup =
            matches!(self, Self::Thumb | Self::ThumbClippy) && thumb::has_rustup_target();
        let lines = include_str!("setup/parts.txt").lines();
        let lines = lines.filter(move |_| !is_of_rustup);
        let words = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
        words.filter_map(move |words| match words[..] {
            [need, what, package, how] if need == name => Some(Part { what, package, how }),
            _ => None,
        })
    }
}

/// One thing that must be there, the Debian package that brings it, and how to look for it.
struct Part {
    what: &'static str,
    package: &'static str,
    how: &'static str,
}

impl Part {
    fn is_missing(&self) -> bool {
        let Self { what, how, .. } = *self;
        !match how {
            "program" => paths::on_path(what).is_some(),
            "file" => Path::new(what).is_file(),
            "library" => library(what),
            "module" => library(&format!("pkcs11/{what}")),
            "headers" => succeeds("pkg-config", &["--exists", what]),
            "python" => succeeds("python3", &["-c", &format!("import {what}")]),
            "java" => has_java(),
            _ => paths::softhsm_module().is_ok(),
        }
    }
}

/// Makes sure that the needs are met, or says what to do.
pub(crate) fn run(needs: &[Need]) -> Result<(), Failure> {
    // The first thing to try: it needs neither apt nor root.
    if needs.contains(&Need::Thumb) && !missing(&[Need::Thumb]).is_empty() {
        // It says why not; apt is the other way.
        let _ = add_rustup_target(thumb::TARGET);
    }
    let absent = missing(needs);
    if !absent.is_empty() {
        for Part { what, package, .. } in &absent {
            println!("missing: {what} (Debian package {package})");
        }
        let mut packages: Vec<_> = absent.iter().map(|it| it.package).collect();
        packages.dedup();
        apt::install(&packages)?;
        if let Some(Part { what, package, .. }) = missing(needs).first() {
            return fail!(
                "{what} is still missing after the Debian package {package} was installed"
            );
        }
    }
    for need in needs {
        match need {
            Need::Python => install("judges --bin install-judge python")?,
            Need::Node => install("judges --bin install-judge node")?,
            Need::Keycloak => install("servers --bin install-keycloak")?,
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

/// Has the crate that uses something install it.
fn install(with: &str) -> Result<(), Failure> {
    Run::cargo(&format!("run --quiet --package privyseal-test-{with}")).stream()
}

fn missing(needs: &[Need]) -> Vec<Part> {
    let parts = needs.iter().flat_map(|need| need.parts());
    parts.filter(Part::is_missing).collect()
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
fn has_java() -> bool {
    let version = Run::new("java").arg("--version").capture();
    let text = version.map(|output| output.text()).unwrap_or_default();
    // `openjdk 17.0.15 2025-04-15`
    let number = text.split([' ', '.']).nth(1).map(str::parse::<u32>);
    matches!(number, Some(Ok(17..)))
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

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Run::new(program).args(arguments).capture().is_ok()
}
