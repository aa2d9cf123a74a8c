//! A core dump of a process that has signed does not hold the PIN, by whichever way it came, unless it was to be kept.
//!
//! `unsafe`: the variable is taken out of the environment, as the command does it; no other thread of a child runs.

// A test stops where something is wrong.
#![allow(clippy::unwrap_used)]
#![allow(unsafe_code)]

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use privyseal_hsm::{
    PIN_VARIABLE, PinSources, Prompt, Secret, SecretRequest, SecretUnavailable, take_pin_variable,
};
use privyseal_pkcs11::{Pkcs11Pool, Pkcs11Uri, PoolOptions, SignerOptions};
use privyseal_test_base::memory::Hidden;
use privyseal_test_base::own_process::{MARKER, OwnProcess, is_child};
use privyseal_test_base::terminal::Terminal;
use privyseal_test_suite::minter::Minter;
use privyseal_test_suite::softhsm::SoftHsmToken;
use zeroize::Zeroizing;

const DIR: &str = "PRIVYSEAL_TEST_DIR";

/// How the PIN comes to a child.
const WAY: &str = "PRIVYSEAL_TEST_WAY";

/// Bytes of the PIN, which is made up for this run: one in the source would be in the program.
const LEN: usize = 16;

/// A token with a key, its new PIN, and a file with that.
fn token() -> (SoftHsmToken, String) {
    let token = SoftHsmToken::new("T");
    token.generate_key(2048, "01", "K");
    let mut pin = [0; LEN];
    getrandom::fill(&mut pin).unwrap();
    let pin: String = pin
        .iter()
        .map(|byte| char::from(b'a' + byte % 26))
        .collect();
    token.pkcs11_tool(&["--change-pin", "--new-pin", &pin]);
    fs::write(token.dir().join("secret"), &pin).unwrap();
    (token, pin)
}

fn environment(token: &SoftHsmToken) -> [(String, std::ffi::OsString); 4] {
    [
        ("SOFTHSM2_CONF".into(), token.configuration().into()),
        (DIR.into(), token.dir().into()),
        ("STATE_DIRECTORY".into(), token.dir().into()),
        ("CREDENTIALS_DIRECTORY".into(), token.dir().into()),
    ]
}

#[test]
fn the_pin_does_not_stay_in_memory() {
    const NAME: &str = "the_pin_does_not_stay_in_memory";
    if is_child(NAME) {
        return kept_or_not();
    }
    let (token, _) = token();
    OwnProcess::new(NAME)
        .environment(environment(&token))
        .must_pass();
}

#[test]
fn by_whichever_way_it_comes_no_copy_stays() {
    const NAME: &str = "by_whichever_way_it_comes_no_copy_stays";
    if is_child(NAME) {
        return came_by(&std::env::var(WAY).unwrap());
    }
    let (token, pin) = token();
    for way in ["file", "credential", "value", "variable"] {
        let variable = (way == "variable").then(|| (PIN_VARIABLE.into(), (&pin).into()));
        OwnProcess::new(NAME)
            .environment(environment(&token))
            .environment([(WAY.into(), way.into())])
            .environment(variable)
            .must_pass();
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", NAME, "--nocapture", "--test-threads=1"]);
    child.envs(environment(&token)).env_remove(PIN_VARIABLE);
    child.env(MARKER, NAME).env(WAY, "prompt");
    let ended = Terminal::new().run(&child, "PIN of token \"T\": ", &format!("{pin}\n"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.shown.contains("1 passed"), "{ended:?}");
}

fn folder() -> PathBuf {
    PathBuf::from(std::env::var_os(DIR).unwrap())
}

/// As applications do that let the sources of PINs find it.
fn came_by(way: &str) {
    // SAFETY: see the top of the file.
    unsafe { take_pin_variable() };
    let file = folder().join("secret");
    let hidden = Hidden::new(&read(&file));
    // The variable is asked for again when another key is opened.
    let kept = usize::from(way == "variable");
    assert_eq!(hidden.found(), kept, "{way}: before the login");
    let uri = uri(way, &file);
    let prompt = match way {
        "prompt" => Prompt::OnTerminal,
        _ => Prompt::Never,
    };
    let mut pins = PinSources::new(uri.pin_value(), uri.pin_source(), prompt, |_| {});
    let pool = Pkcs11Pool::open_as(&uri, &mut pins, PoolOptions::default()).unwrap();
    drop((pins, uri));
    assert_eq!(
        hidden.found(),
        kept,
        "{way}: while a key is open that keeps no PIN"
    );
    drop(pool);
    assert_eq!(hidden.found(), kept, "{way}: after it");
}

fn uri(way: &str, file: &Path) -> Pkcs11Uri {
    let mut text = Zeroizing::new(String::with_capacity(4096));
    text.push_str("pkcs11:token=T;object=K?module-path=");
    text.push_str(SoftHsmToken::module().to_str().unwrap());
    match way {
        "file" => {
            text.push_str("&pin-source=file:");
            text.push_str(file.to_str().unwrap());
        }
        "credential" => text.push_str("&pin-source=credential:secret"),
        "value" => {
            text.push_str("&pin-value=");
            text.push_str(std::str::from_utf8(&read(file)).unwrap());
        }
        _ => {}
    }
    text.parse().unwrap()
}

fn kept_or_not() {
    let file = folder().join("secret");
    let hidden = Hidden::new(&read(&file));

    let kept = sign(&file, true);
    assert!(hidden.found() > 0, "the PIN that is kept is found");
    drop(kept);
    assert_eq!(hidden.found(), 0, "after a pool that kept the PIN");

    let open = sign(&file, false);
    assert_eq!(hidden.found(), 0, "while a pool is open that keeps none");
    drop(open);
    assert_eq!(hidden.found(), 0, "after it");
}

/// On the heap: an array that is returned leaves copies on the stack.
fn read(file: &Path) -> Zeroizing<Vec<u8>> {
    let mut pin = Zeroizing::new(vec![0; LEN]);
    File::open(file).unwrap().read_exact(&mut pin).unwrap();
    pin
}

/// A pool that has logged in and signed.
fn sign(file: &Path, keep_pin: bool) -> Pkcs11Pool {
    let uri = uri("provider", file);
    let file = file.to_owned();
    let pins = move |_: &SecretRequest| -> Result<Secret, SecretUnavailable> {
        Secret::new(std::str::from_utf8(&read(&file)).unwrap())
    };
    let options = PoolOptions::default().signer(SignerOptions::default().keep_pin(keep_pin));
    let pool = Pkcs11Pool::open(&uri, pins, options).unwrap();
    let minter = Minter::new(pool.public_key());
    let token = minter.mint(&mut pool.signer().unwrap(), "memory").unwrap();
    minter.judge(&token).unwrap();
    pool
}
