//! Keycloak, the server behind eHealth I.AM Connect: one release from Maven Central, below `target`.
//!
//! Its archive is checked against the SHA-256 below, unpacked, given our one extension, and built once
//! (Keycloak's own word for fixing the options that do not change at a start), so that tests start it quickly.

use core::fmt::Write as _;
use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::DOWNLOAD;
use crate::failure::{Context, Failure, fail};
use crate::paths;
use crate::process::Run;

/// `host-tests/servers/src/keycloak.rs` uses the same folder.
const VERSION: &str = "26.7.3";

/// Of `keycloak-quarkus-dist-VERSION.zip`.
const SHA256: &str = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f";

/// Changes when what is done with the archive changes.
const LAYOUT: u32 = 2;

/// What Keycloak leaves to its operators: which user a login_hint_token means.
const EXTENSION: &str = include_str!("../../../host-tests/java/LoginHintToken.java");

/// What the class of that file is to Keycloak: the file that says so has this name.
const SERVICE: &str =
    "org.keycloak.protocol.oidc.grants.ciba.resolvers.CIBALoginUserResolverFactory";

/// Of the administrator of a server that listens on loopback and lives for a minute or two;
/// `host-tests/servers/src/keycloak.rs` has it too.
const PASSWORD: &str = "for-tests-only";

/// Pinned, so that the same plugin does the same thing tomorrow.
const GET: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy";

/// The oldest Java that this Keycloak runs on.
const JAVA: u32 = 17;

/// Whether there is a Java that is new enough.
pub(crate) fn java(_: &str) -> bool {
    let version = Run::new("java").arg("--version").capture();
    let text = version.map(|output| output.text()).unwrap_or_default();
    // `openjdk 17.0.15 2025-04-15`
    let number = text
        .split_whitespace()
        .nth(1)
        .and_then(|version| version.split('.').next());
    number
        .and_then(|number| number.parse::<u32>().ok())
        .is_some_and(|major| major >= JAVA)
}

/// Downloads, checks, unpacks and builds; does nothing when that is done.
pub(crate) fn install() -> Result<(), Failure> {
    let folder = paths::target().join("keycloak");
    // Written last, so that an interrupted install is done again.
    let done = folder.join("installed");
    let extension = sha256(EXTENSION.as_bytes());
    let wanted = format!("{VERSION} {SHA256} {LAYOUT} {extension}\n");
    if fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!(
        "installing Keycloak {VERSION} into {}",
        paths::shown(&folder)
    );
    if folder.exists() {
        fs::remove_dir_all(&folder).context(paths::shown(&folder))?;
    }
    fs::create_dir_all(&folder).context(paths::shown(&folder))?;
    let archive = folder.join(format!("keycloak-quarkus-dist-{VERSION}.zip"));
    download(&folder)?;
    check(&archive)?;
    unpack(&archive, &folder)?;
    fs::remove_file(&archive).context(paths::shown(&archive))?;
    let keycloak = folder.join(format!("keycloak-{VERSION}"));
    extend(&keycloak)?;
    build(&keycloak)?;
    fs::write(&done, wanted).context(paths::shown(&done))
}

fn download(folder: &Path) -> Result<(), Failure> {
    let maven = Run::new("mvn")
        .args(["--batch-mode", "--quiet", GET])
        .arg(format!(
            "-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
        ))
        .arg(format!("-DoutputDirectory={}", folder.display()))
        .args(["-Dmdep.useBaseVersion=true", "-Dtransitive=false"])
        .limit(DOWNLOAD);
    println!("$ {}", maven.shown());
    maven.stream()
}

fn check(archive: &Path) -> Result<(), Failure> {
    let content = fs::read(archive).context(paths::shown(archive))?;
    let found = sha256(&content);
    if found != SHA256 {
        fs::remove_file(archive).context(paths::shown(archive))?;
        return fail!("the archive of Keycloak {VERSION} has the SHA-256 {found}, not {SHA256}");
    }
    Ok(())
}

fn sha256(content: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(content) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// With the tool of the JDK or of Python: both are here for other tests, unzip may not be.
fn unpack(archive: &Path, folder: &Path) -> Result<(), Failure> {
    let python = Run::new("python3")
        .args(["-m", "zipfile", "-e"])
        .arg(archive)
        .arg(folder);
    python.limit(DOWNLOAD).capture()?;
    Ok(())
}

/// Compiles our extension against Keycloak's own libraries, and puts it where Keycloak looks for such.
fn extend(keycloak: &Path) -> Result<(), Failure> {
    let classes = keycloak.join("classes");
    let services = classes.join("META-INF/services");
    fs::create_dir_all(&services).context(paths::shown(&services))?;
    let service = services.join(SERVICE);
    fs::write(&service, "privyseal.LoginHintToken\n").context(paths::shown(&service))?;
    let javac = Run::new("javac")
        .args(["--release", &JAVA.to_string(), "-d"])
        .arg(&classes)
        .arg("-cp")
        .arg(keycloak.join("lib/lib/main/*"))
        .arg(paths::root().join("host-tests/java/LoginHintToken.java"));
    javac.limit(DOWNLOAD).capture()?;
    let jar = Run::new("jar")
        .args(["--create", "--file"])
        .arg(keycloak.join("providers/login-hint-token.jar"))
        .arg("-C")
        .arg(&classes)
        .arg(".");
    jar.limit(DOWNLOAD).capture()?;
    Ok(())
}

/// Fixes what does not change from one start to the next, and makes the database with its administrator,
/// of which each test takes a copy: half of the time of a first start goes there.
fn build(keycloak: &Path) -> Result<(), Failure> {
    let script = keycloak.join("bin/kc.sh");
    // By its shell: Python leaves the archive's permissions out.
    let kc = |args: &[&str]| {
        let run = Run::new("sh").arg(&script).args(args).limit(DOWNLOAD);
        println!("$ {}", run.shown());
        run.env("JAVA_OPTS_APPEND", "-XX:TieredStopAtLevel=1")
            .env("KC_TEST_PASSWORD", PASSWORD)
    };
    let lasting = [
        "--db=dev-file",
        "--http-relative-path=/auth",
        "--health-enabled=false",
    ];
    kc(&[&["build"], &lasting[..]].concat()).capture()?;
    let admin = [
        "--username",
        "admin",
        "--password:env",
        "KC_TEST_PASSWORD",
        "--optimized",
    ];
    kc(&[&["bootstrap-admin", "user"], &admin[..]].concat()).capture()?;
    Ok(())
}
