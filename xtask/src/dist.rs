//! What is handed to users, in `target/dist`: a Debian package, a tarball, a bill of materials, crates for the registry.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::failure::{Context, Failure, fail};
use crate::metadata::packages;
use crate::paths;
use crate::process::Run;
use crate::setup::{self, Need, tools};
use crate::steps::Steps;

/// What to make.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Of the debug build, for tests of what is made
    #[arg(long)]
    debug: bool,
    /// Only these
    #[arg(value_enum)]
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// privyseal_VERSION_ARCH.deb, with man pages, completions, the agent's unit and user
    Deb,
    /// The same files in a tarball
    Tarball,
    /// What the command is built from (CycloneDX)
    Sbom,
    /// Each crate as the registry gets it, in the order in which they are published
    Crates,
}

/// Makes it, and `SHA256SUMS` over it.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let wanted = |part| options.parts.is_empty() || options.parts.contains(&part);
    setup::run(&[Need::Package])?;
    if wanted(Part::Sbom) {
        setup::run(&[Need::Sbom])?;
    }
    let dist = Dist::new(options.debug)?;
    let mut steps = Steps::default();
    if wanted(Part::Deb) || wanted(Part::Tarball) {
        steps.step("the command, its man pages and completions", || {
            dist.build()
        });
    }
    if wanted(Part::Deb) {
        steps.step("Debian package", || dist.deb());
    }
    if wanted(Part::Tarball) {
        steps.step("tarball", || dist.tarball());
    }
    if wanted(Part::Sbom) {
        steps.step("bill of materials", || dist.sbom());
    }
    if wanted(Part::Crates) {
        steps.step("crates", crates);
    }
    steps.step("SHA256SUMS", || dist.sums());
    steps.finish()
}

struct Dist {
    folder: PathBuf,
    profile: &'static str,
    /// Seconds since 1970 of the last commit: the same commit gives the same files.
    epoch: String,
}

impl Dist {
    fn new(debug: bool) -> Result<Self, Failure> {
        let folder = paths::target().join("dist");
        fs::create_dir_all(&folder).context(folder.display())?;
        let commit = Run::new("git").words("log -1 --format=%ct").capture()?;
        Ok(Self {
            folder,
            profile: if debug { "debug" } else { "release" },
            epoch: commit.text().trim().to_owned(),
        })
    }

    fn program(&self) -> PathBuf {
        paths::target().join(self.profile).join("privyseal")
    }

    fn build(&self) -> Result<(), Failure> {
        let build = if self.profile == "debug" {
            // As the tests build it.
            Run::cargo("build --workspace --bin privyseal")
        } else {
            Run::cargo("build --release --locked --package privyseal-cli")
        };
        build.show_and_stream()?;
        let shared = self.folder.join("shared");
        let (man, completions) = (shared.join("man"), shared.join("completions"));
        for folder in [&man, &completions] {
            // What an older command had must not stay.
            let _ = fs::remove_dir_all(folder);
            fs::create_dir_all(folder).context(folder.display())?;
        }
        let program = shared.join("bin/privyseal");
        fs::create_dir_all(shared.join("bin")).context(shared.display())?;
        fs::copy(self.program(), &program).context(program.display())?;
        Run::new(self.program())
            .words("man --out")
            .arg(&man)
            .capture()?;
        for (shell, file) in [
            ("bash", "privyseal.bash"),
            ("zsh", "_privyseal"),
            ("fish", "privyseal.fish"),
        ] {
            let script = Run::new(self.program())
                .args(["completions", shell])
                .capture()?;
            let path = completions.join(file);
            fs::write(&path, script.stdout).context(path.display())?;
        }
        Ok(())
    }

    fn deb(&self) -> Result<(), Failure> {
        let mut deb = Run::new(tools::path(tools::DEB))
            .words("deb --no-build --quiet --package privyseal-cli");
        if self.profile == "debug" {
            // It is large.
            deb = deb.arg("--fast");
        }
        deb.arg("--output")
            .arg(&self.folder)
            .env("SOURCE_DATE_EPOCH", &self.epoch)
            .show_and_stream()
    }

    fn tarball(&self) -> Result<(), Failure> {
        let name = format!("privyseal-{}-{}", env!("CARGO_PKG_VERSION"), host()?);
        let root = self.folder.join(&name);
        let _ = fs::remove_dir_all(&root);
        let copy = |from: &Path, to: &str| -> Result<(), Failure> {
            let to = root.join(to);
            fs::create_dir_all(to.parent().unwrap_or(&root)).context(to.display())?;
            fs::copy(from, &to).map(drop).context(from.display())
        };
        copy(&self.program(), "bin/privyseal")?;
        let shared = self.folder.join("shared");
        for (folder, to) in [
            ("man", "share/man/man1"),
            ("completions", "share/completions"),
        ] {
            for entry in fs::read_dir(shared.join(folder)).context(folder)? {
                let path = entry.context(folder)?.path();
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                copy(&path, &format!("{to}/{file}"))?;
            }
        }
        for (folder, to, names) in [
            (
                "host/cli/packaging",
                "share/privyseal/",
                "config.toml sysusers.conf 70-privyseal-gateway.rules",
            ),
            (
                "host/agent/systemd",
                "share/privyseal/",
                "privyseal-agent.service privyseal-agent.socket",
            ),
            ("host/agent", "share/privyseal/", "openapi.json"),
            ("", "", "README.md LICENSE-MIT LICENSE-APACHE"),
        ] {
            for name in names.split(' ') {
                copy(
                    &paths::root().join(folder).join(name),
                    &format!("{to}{name}"),
                )?;
            }
        }
        Run::new("tar")
            .words("--sort=name --owner=0 --group=0 --numeric-owner --format=gnu --gzip --create")
            .arg(format!("--mtime=@{}", self.epoch))
            .arg("--file")
            .arg(self.folder.join(format!("{name}.tar.gz")))
            .arg("--directory")
            .args([&self.folder, Path::new(&name)])
            // Without the time in gzip's header.
            .env("GZIP", "-n")
            .show_and_stream()
    }

    fn sbom(&self) -> Result<(), Failure> {
        Run::new(tools::path(tools::SBOM))
            .words("cyclonedx --manifest-path host/cli/Cargo.toml --format json --spec-version 1.5")
            .words("--override-filename privyseal.cdx")
            .env("SOURCE_DATE_EPOCH", &self.epoch)
            .show_and_stream()?;
        // It is written beside each manifest.
        for package in packages("Cargo.toml")? {
            let folder = package.manifest_path.parent().unwrap_or(Path::new(""));
            let made = folder.join("privyseal.cdx.json");
            if !made.exists() {
                continue;
            }
            if package.name == "privyseal-cli" {
                fs::copy(&made, self.folder.join("privyseal.cdx.json")).context(made.display())?;
            }
            fs::remove_file(&made).context(made.display())?;
        }
        Ok(())
    }

    fn sums(&self) -> Result<(), Failure> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder).context(self.folder.display())? {
            let path = entry.context(self.folder.display())?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_file() && name != "SHA256SUMS" {
                files.push(name.into_owned());
            }
        }
        files.sort();
        let mut sum = Run::new("sha256sum").args(&files).current_dir(&self.folder);
        let sums = self.folder.join("SHA256SUMS");
        let mut file = File::create(&sums).context(sums.display())?;
        file.write_all(&sum.capture()?.stdout)
            .context(sums.display())
    }
}

/// The crates that users get, packed, each with its licences' texts. Nothing is built: publishing does that.
fn crates() -> Result<(), Failure> {
    let mut package = Run::cargo("package --locked --no-verify");
    for published in packages("Cargo.toml")? {
        if !published.is_published() {
            continue;
        }
        let folder = published.manifest_path.parent().unwrap_or(Path::new(""));
        for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
            if !folder.join(file).exists() {
                return fail!("{} has no {file}", paths::shown(folder));
            }
        }
        package = package.args(["--package", &published.name]);
    }
    package.show_and_stream()
}

/// The target that is built for, such as `x86_64-unknown-linux-gnu`.
fn host() -> Result<String, Failure> {
    let said = Run::new("rustc").arg("-vV").capture()?.text();
    match said.lines().find_map(|line| line.strip_prefix("host: ")) {
        Some(host) => Ok(host.to_owned()),
        None => fail!("rustc -vV names no host"),
    }
}
