//! Installs one release from Maven Central below `target`.
//!
//! Its archive is checked against the SHA-256 below, unpacked, given our one extension, and built once
//! (Keycloak's own word for fixing the options that do not change at a start), so that tests start it quickly.

use std::fs;
use std::path::{Path, PathBuf};

use privyseal_test_base::scratch::{host_tests, target_dir};
use privyseal_test_base::tool::{LONG_LIMIT, command, run_within};
use ring::digest;

use super::{PASSWORD, PATH, VERSION};

/// Of `keycloak-quarkus-dist-VERSION.zip`.
const SHA256: &str = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f";

/// Changes when what is done with the archive changes.
const LAYOUT: u32 = 2;

/// What the class of our extension is to Keycloak: the file that says so has this name.
const SERVICE: &str =
    "org.keycloak.protocol.oidc.grants.ciba.resolvers.CIBALoginUserResolverFactory";

/// Pinned, so that the same plugin does the same thing tomorrow.
const GET: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy";

/// The oldest Java that this Keycloak runs on; `xtask/src/setup.rs` looks for it.
const JAVA: &str = "17";

/// Downloads, checks, unpacks and builds; does nothing when that is done.
///
/// # Panics
/// If a step fails, with what its tool said.
pub fn install() {
    let folder = target_dir().join("keycloak");
    // Written last, so that an interrupted install is done again.
    let done = folder.join("installed");
    let extension = host_tests("java/LoginHintToken.java");
    let wanted = format!("{VERSION} {SHA256} {LAYOUT} {}\n", sha256(&extension));
    if fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return;
    }
    eprintln!("installing Keycloak {VERSION} into {}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the folder of an older one");
    }
    fs::create_dir_all(&folder).expect("a new folder");
    let archive = download(&folder);
    // With the tool of Python, which is here for other tests; unzip may not be.
    run("python3", |unzip| {
        unzip
            .args(["-m", "zipfile", "-e"])
            .arg(&archive)
            .arg(&folder)
    });
    fs::remove_file(&archive).expect("the archive");
    let keycloak = folder.join(format!("keycloak-{VERSION}"));
    extend(&keycloak, &extension);
    build(&keycloak);
    fs::write(&done, wanted).expect("the mark that it is done");
}

fn run(
    program: &str,
    words: impl FnOnce(&mut std::process::Command) -> &mut std::process::Command,
) {
    let mut command = command::<&str>(program, []);
    run_within(LONG_LIMIT, words(&mut command));
}

fn download(folder: &Path) -> PathBuf {
    run("mvn", |maven| {
        maven
            .args(["--batch-mode", "--quiet", GET])
            .arg(format!(
                "-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
            ))
            .arg(format!("-DoutputDirectory={}", folder.display()))
            .args(["-Dmdep.useBaseVersion=true", "-Dtransitive=false"])
    });
    let archive = folder.join(format!("keycloak-quarkus-dist-{VERSION}.zip"));
    let found = sha256(&archive);
    if found != SHA256 {
        fs::remove_file(&archive).expect("the archive");
        panic!("the archive of Keycloak {VERSION} has the SHA-256 {found}, not {SHA256}");
    }
    archive
}

fn sha256(file: &Path) -> String {
    let content = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let hash = digest::digest(&digest::SHA256, &content);
    let digits = hash.as_ref().iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<Vec<_>>().concat()
}

/// Compiles our extension against Keycloak's own libraries, and puts it where Keycloak looks for such.
fn extend(keycloak: &Path, extension: &Path) {
    let classes = keycloak.join("classes");
    let services = classes.join("META-INF/services");
    fs::create_dir_all(&services).expect("a folder of Keycloak");
    fs::write(services.join(SERVICE), "privyseal.LoginHintToken\n").expect("a file of Keycloak");
    run("javac", |javac| {
        javac
            .args(["--release", JAVA, "-d"])
            .arg(&classes)
            .arg("-cp")
            .arg(keycloak.join("lib/lib/main/*"))
            .arg(extension)
    });
    run("jar", |jar| {
        jar.args(["--create", "--file"])
            .arg(keycloak.join("providers/login-hint-token.jar"))
            .arg("-C")
            .arg(&classes)
            .arg(".")
    });
}

/// Fixes what does not change from one start to the next, and makes the database with its administrator,
/// of which each test takes a copy: half of the time of a first start goes there.
fn build(keycloak: &Path) {
    // By its shell: Python leaves the archive's permissions out.
    let kc = |words: &str| {
        run("sh", |sh| {
            sh.arg(keycloak.join("bin/kc.sh"))
                .args(words.split(' '))
                .env("JAVA_OPTS_APPEND", "-XX:TieredStopAtLevel=1")
                .env("KC_TEST_PASSWORD", PASSWORD)
        });
    };
    kc(&format!(
        "build --db=dev-file --http-relative-path={PATH} --health-enabled=false"
    ));
    kc("bootstrap-admin user --username admin --password:env KC_TEST_PASSWORD --optimized");
}
