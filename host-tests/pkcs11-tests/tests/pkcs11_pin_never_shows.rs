//! The PIN shows nowhere: not in what the command prints, whatever fails, not in the `Debug` of any public
//! type, not in any error. The PIN of this test is one that nothing else prints by chance.

// A test stops where something is wrong, and says what it saw.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fmt::Debug;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use privyseal_core::Signer as _;
use privyseal_hsm::{KeyPolicy, Secret, SecretRequest, SecretUnavailable};
use privyseal_pkcs11::{
    Error, LoginPolicy, Pkcs11Pool, Pkcs11Signer, Pkcs11Uri, PoolOptions, SignerOptions, list,
};
use privyseal_test_base::own_process::{OwnProcess, is_child};
use privyseal_test_base::{privyseal, tool};
use privyseal_test_pki::{CertificateSpec, TestPki};
use privyseal_test_suite::fault_shim::FaultShim;
use privyseal_test_suite::softhsm::{self, SoftHsmToken};

const RIGHT: &str = "Zq7right";

const WRONG: &str = "Xw9wrong";

const DIR: &str = "PRIVYSEAL_TEST_DIR";

/// The PINs as they are, and as a careless program might write them: percent-encoded, in hexadecimal, as
/// a list of bytes, in base64.
fn spellings(pin: &str) -> Vec<String> {
    let bytes = pin.as_bytes();
    let each = |one: &dyn Fn(&u8) -> String| bytes.iter().map(one).collect::<Vec<_>>();
    vec![
        pin.to_owned(),
        each(&|byte| format!("%{byte:02x}")).concat(),
        each(&|byte| format!("%{byte:02X}")).concat(),
        each(&|byte| format!("{byte:02x}")).concat(),
        each(&u8::to_string).join(", "),
        privyseal_test_judges::decode::to_base64(bytes),
    ]
}

#[track_caller]
fn is_silent(what: &str, text: &str) {
    for pin in [RIGHT, WRONG] {
        for spelling in spellings(pin) {
            // Not `assert!` with the text: a failure must not print what must not be printed.
            assert!(!text.contains(&spelling), "the PIN shows in {what}");
        }
    }
}

struct Stage {
    token: SoftHsmToken,
}

impl Stage {
    fn new() -> Self {
        let token = SoftHsmToken::new("T");
        let spki = token.generate_key(2048, "01", "K");
        let chain = TestPki::new().chain(&spki, &CertificateSpec::seal());
        token.store_chain(&chain, "01");
        token.pkcs11_tool(&["--change-pin", "--new-pin", RIGHT]);
        for (file, pin) in [("right", RIGHT), ("wrong", WRONG)] {
            let path = token.dir().join(file);
            fs::write(&path, pin).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        }
        Self { token }
    }

    /// `privyseal sign`, which gets the PIN in one of three ways.
    fn command(&self, pin: &str, way: Way) -> Command {
        let file = if pin == RIGHT { "right" } else { "wrong" };
        let module = FaultShim::module();
        let base = format!("pkcs11:token=T;object=K?module-path={}", module.display());
        let uri = match way {
            Way::File => format!(
                "{base}&pin-source=file:{}",
                self.token.dir().join(file).display()
            ),
            Way::Environment => base,
            Way::Value => format!("{base}&pin-value={pin}"),
        };
        let mut command = Command::new(privyseal::path());
        command
            .args(["sign", "--scheme", "fiam", "--chain", "token"])
            .args(["--client-id", "EU.EORI.NL123456789", "--key", &uri])
            .env_remove("PRIVYSEAL_PIN")
            .env("SOFTHSM2_CONF", self.token.configuration())
            .envs(self.shim().environment(&SoftHsmToken::module()))
            .env("RUST_BACKTRACE", "full")
            .env("RUST_LOG", "trace");
        if way == Way::Environment {
            command.env("PRIVYSEAL_PIN", pin);
        }
        command
    }

    fn shim(&self) -> FaultShim {
        FaultShim::new(self.token.dir())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    File,
    Environment,
    Value,
}

const WAYS: [Way; 3] = [Way::File, Way::Environment, Way::Value];

/// One of each kind of trouble, from loading to signing.
const RULES: [&str; 14] = [
    "C_Initialize 1 return 0x05",
    "C_GetSlotList 1 return 0x30",
    "C_GetTokenInfo * return 0x32",
    "C_GetTokenInfo * flags 0x20000",
    "C_GetTokenInfo * flags 0x40000",
    "C_OpenSession 1 return 0xb1",
    "C_Login 1 return 0x30",
    "C_Login 1 return 0xa0",
    "C_Login 1 return 0xa4",
    "C_Login * return 0x102",
    "C_FindObjectsInit * return 0x101",
    "C_SignInit * return 0x101",
    "C_Sign * return 0x32",
    "C_Sign * wrong",
];

#[test]
fn the_command_never_prints_it() {
    let stage = Stage::new();
    let shim = stage.shim();
    let mut runs = 0;
    let mut run = |pin, way, rules: &[&str], succeeds: bool| {
        shim.rules(rules);
        let output = tool::output(&mut stage.command(pin, way), b"");
        let what = format!("{way:?} {rules:?}");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        is_silent(&what, &stderr);
        is_silent(&what, &String::from_utf8_lossy(&output.stdout));
        assert_eq!(output.status.success(), succeeds, "{what}: {stderr}");
        // What is logged begins with its time.
        let mut said = stderr.lines().filter(|line| !line.starts_with("20"));
        assert_eq!(
            said.next().is_none(),
            succeeds && way != Way::Value,
            "{what}: {stderr}"
        );
        runs += 1;
    };
    for way in WAYS {
        run(RIGHT, way, &[], true);
        run(WRONG, way, &[], false);
        for rule in RULES {
            run(RIGHT, way, &[rule], false);
        }
    }
    let log = fs::read_to_string(stage.token.dir().join("fault-shim-log")).unwrap();
    is_silent("the shim's log", &log);
    println!("{runs} runs of the command");
}

/// What a careless line of a host application would log.
#[track_caller]
fn show(what: &str, it: &impl Debug) {
    is_silent(what, &format!("{it:?} {it:#?}"));
}

#[track_caller]
fn show_error(error: &impl std::error::Error) {
    show(&error.to_string(), error);
    let mut source = Some(error as &dyn std::error::Error);
    while let Some(error) = source {
        is_silent("an error", &format!("{error} {error:?}"));
        source = error.source();
    }
}

#[test]
fn no_public_type_shows_it() {
    const NAME: &str = "no_public_type_shows_it";
    if is_child(NAME) {
        return child();
    }
    let stage = Stage::new();
    FaultShim::module();
    let ended = OwnProcess::new(NAME)
        .environment(stage.shim().environment(&SoftHsmToken::module()))
        .environment([
            ("SOFTHSM2_CONF".into(), stage.token.configuration().into()),
            (DIR.into(), stage.token.dir().into()),
        ])
        .run(|_| ());
    is_silent("the output of the child", &ended.output);
    assert!(ended.passed, "{}", ended.output);
}

fn child() {
    let dir = PathBuf::from(std::env::var_os(DIR).expect("set by the parent"));
    let shim = FaultShim::new(&dir);
    let module = FaultShim::module();
    let text = format!(
        "pkcs11:token=T;object=K?module-path={}&pin-value={RIGHT}",
        module.display()
    );
    let uri: Pkcs11Uri = text.parse().unwrap();
    show("Pkcs11Uri", &uri);
    is_silent("Pkcs11Uri as text", &uri.to_string());
    show("Pin", &Secret::new(RIGHT).unwrap());
    show("Pin of the URI", &uri.pin_value());
    for broken in [
        format!("pkcs11:token=T?pin-value={RIGHT}%zz"),
        format!("pkcs11:token=T?pin-value={RIGHT}&pin-value={RIGHT}"),
        format!("pkcs11:token=T?pin-value={RIGHT} "),
        format!("pkcs11:id={RIGHT}%?pin-value={RIGHT}"),
    ] {
        show_error(&broken.parse::<Pkcs11Uri>().unwrap_err());
    }
    show_error(&Secret::new(&RIGHT.repeat(100)).unwrap_err());
    show_error(&Secret::new(&format!("{RIGHT}\0")).unwrap_err());

    for rule in RULES {
        shim.rules(&[rule]);
        if let Err(error) = Pkcs11Signer::open(&uri, &mut right, LoginPolicy::default()) {
            show_error(&error);
        }
    }
    shim.rules(&[]);
    let wrong = |_: &SecretRequest| Secret::new(WRONG);
    let refused: Result<_, Error> = Pkcs11Pool::open(&uri, wrong, PoolOptions::default());
    show_error(&refused.map(|_| ()).unwrap_err());

    let keep = PoolOptions::default().signer(SignerOptions::default().keep_pin(true));
    let pool = Pkcs11Pool::open(&uri, right, keep).unwrap();
    show("Pkcs11Pool", &pool);
    show("PooledSigner", &pool.signer().unwrap());
    show("TokenInfo", pool.token());
    show("RsaPublicKey", pool.signer().unwrap().public_key());
    is_silent("the URI of the key", &pool.uri().to_string());
    let signer = Pkcs11Signer::open(&uri, &mut right, LoginPolicy::default()).unwrap();
    show("Pkcs11Signer", &signer);
    show(
        "the list",
        &list(&uri, &mut right, &SignerOptions::default()).unwrap(),
    );
    show(
        "options",
        &(keep, SignerOptions::default(), KeyPolicy::default()),
    );
    assert_ne!(softhsm::PIN, RIGHT);
}

fn right(_: &SecretRequest) -> Result<Secret, SecretUnavailable> {
    Secret::new(RIGHT)
}
