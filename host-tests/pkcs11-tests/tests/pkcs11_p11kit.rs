//! p11-kit in between: its modules give another table of functions at every `C_GetFunctionList`.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use privyseal_core::SignerError as _;
use privyseal_core::signer::SignerErrorKind;
use privyseal_hsm::{Secret, SecretRequest};
use privyseal_pkcs11::{Pkcs11Pool, Pkcs11Uri, PoolOptions, module_info};
use privyseal_test_base::own_process::{OwnProcess, is_child};
use privyseal_test_base::tool::{command, run};
use privyseal_test_suite::minter::Minter;
use privyseal_test_suite::softhsm::{PIN, SoftHsmToken};

const DIR: &str = "PRIVYSEAL_TEST_DIR";

/// Runs `test` in a process of its own that sees one SoftHSM token, through p11-kit too.
fn with_token(name: &str, test: impl FnOnce(&Path)) {
    if is_child(name) {
        return test(&PathBuf::from(std::env::var_os(DIR).unwrap()));
    }
    let token = SoftHsmToken::new("kit");
    token.generate_key(2048, "01", "seal");
    let dir = token.dir();
    let modules = dir.join("pkcs11/modules");
    fs::create_dir_all(&modules).unwrap();
    // p11-kit passes over a user's configuration where that is root; then it knows SoftHSM from its package.
    let softhsm = format!("module: {}\n", SoftHsmToken::module().display());
    fs::write(modules.join("soft.module"), softhsm).unwrap();
    let server = format!("unix:path={}", socket(dir).display());
    OwnProcess::new(name)
        .environment([
            ("SOFTHSM2_CONF".into(), token.configuration().into()),
            ("XDG_CONFIG_HOME".into(), dir.into()),
            ("P11_KIT_SERVER_ADDRESS".into(), server.into()),
            (DIR.into(), dir.into()),
        ])
        .must_pass();
}

fn socket(dir: &Path) -> PathBuf {
    dir.join("socket")
}

fn open(query: &str) -> Result<Pkcs11Pool, privyseal_pkcs11::Error> {
    let uri: Pkcs11Uri = format!("pkcs11:token=kit;object=seal{query}")
        .parse()
        .unwrap();
    let options = PoolOptions::default();
    Pkcs11Pool::open(&uri, |_: &SecretRequest| Secret::new(PIN), options)
}

/// One token, judged; or what kind of error there was.
fn sign(pool: &Pkcs11Pool) -> Result<(), SignerErrorKind> {
    let minter = Minter::new(pool.public_key());
    match minter.mint(&mut pool.signer().unwrap(), "p11-kit") {
        Ok(token) => {
            minter.judge(&token).unwrap();
            Ok(())
        }
        Err(privyseal_core::SignError::Signer(error)) => Err(error.kind()),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn the_proxy_signs() {
    with_token("the_proxy_signs", |_| {
        sign(&open("?module-path=p11-kit-proxy.so").unwrap()).unwrap();
    });
}

#[test]
fn without_a_path_p11_kit_is_asked() {
    with_token("without_a_path_p11_kit_is_asked", |_| {
        for query in ["", "?module-name=soft", "?module-name=libSoftHSM2"] {
            let pool = open(query).unwrap();
            sign(&pool).unwrap();
            // What is printed opens the same key.
            let printed = pool.uri().to_string();
            assert!(printed.ends_with(query), "{printed}");
        }
        let library = "pkcs11:library-manufacturer=SoftHSM;token=kit";
        assert!(module_info(&library.parse().unwrap()).is_ok());
        // NSS is not p11-kit's; the loader finds libsoftokn3.so.
        let error = open("?module-name=softokn3").unwrap_err();
        assert!(error.to_string().contains("module-init-args"), "{error}");
        let error = open("?module-name=sotf").unwrap_err();
        assert!(error.to_string().contains("sotf.so"), "{error}");
    });
}

/// The server is killed on the way: that is an error, in time, and the next server is found again.
#[test]
fn the_client_signs_and_outlives_its_server() {
    with_token("the_client_signs_and_outlives_its_server", |dir| {
        let server = Server::start(dir);
        let client = client();
        let pool = open(&format!("?module-path={}", client.display())).unwrap();
        sign(&pool).unwrap();
        drop(server);
        // Without its server the client has no slots.
        assert_eq!(sign(&pool), Err(SignerErrorKind::NotFound));
        let _server = Server::start(dir);
        sign(&pool).unwrap();
    });
}

/// Where distributions put modules.
fn client() -> PathBuf {
    let folders = [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
    ];
    let mut places = folders
        .iter()
        .map(|it| Path::new(it).join("pkcs11/p11-kit-client.so"));
    places
        .find(|path| path.exists())
        .expect("run `cargo xtask setup`")
}

/// `p11-kit server`, killed at the end.
struct Server(Child);

impl Server {
    fn start(dir: &Path) -> Self {
        let socket = socket(dir);
        let _ = fs::remove_file(&socket);
        let mut server = command("p11-kit", ["server", "--foreground", "--name"]);
        server
            .arg(&socket)
            .arg("--provider")
            .arg(SoftHsmToken::module());
        let child = server
            .process_group(0)
            .arg("pkcs11:token=kit")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self(child);
        let start = Instant::now();
        while !socket.exists() {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "no p11-kit server"
            );
            thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // With the process that it has for each client.
        run(&mut command(
            "kill",
            ["-9", "--", &format!("-{}", self.0.id())],
        ));
        self.0.wait().unwrap();
    }
}
