//! A core dump of a process that has signed does not hold the PIN, unless it was to keep it.

// A test stops where something is wrong.
#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use privyseal_hsm::{Secret, SecretRequest, SecretUnavailable};
use privyseal_pkcs11::{Pkcs11Pool, Pkcs11Uri, PoolOptions, SignerOptions};
use privyseal_test_base::own_process::{OwnProcess, is_child};
use privyseal_test_suite::minter::Minter;
use privyseal_test_suite::softhsm::SoftHsmToken;
use zeroize::Zeroizing;

const NAME: &str = "the_pin_does_not_stay_in_memory";

const DIR: &str = "PRIVYSEAL_TEST_DIR";

/// Bytes of the PIN, which is made up for this run: one in the source would be in the program.
const LEN: usize = 16;

/// What the PIN to look for is hidden with, so that it is not found where it is kept to be looked for.
const MASK: u8 = 0x80;

#[test]
fn the_pin_does_not_stay_in_memory() {
    if is_child(NAME) {
        return child();
    }
    let token = SoftHsmToken::new("T");
    token.generate_key(2048, "01", "K");
    let mut pin = [0; LEN];
    getrandom::fill(&mut pin).unwrap();
    let pin: String = pin
        .iter()
        .map(|byte| char::from(b'a' + byte % 26))
        .collect();
    token.pkcs11_tool(&["--change-pin", "--new-pin", &pin]);
    fs::write(token.dir().join("secret"), pin).unwrap();
    OwnProcess::new(NAME)
        .environment([
            ("SOFTHSM2_CONF".into(), token.configuration().into()),
            (DIR.into(), token.dir().into()),
        ])
        .must_pass();
}

fn child() {
    let file = PathBuf::from(std::env::var_os(DIR).unwrap()).join("secret");
    let masked: Vec<u8> = read(&file).iter().map(|byte| byte ^ MASK).collect();

    let kept = sign(&file, true);
    assert!(found(&masked) > 0, "the PIN that is kept is found");
    drop(kept);
    assert_eq!(found(&masked), 0, "after a pool that kept the PIN");

    let open = sign(&file, false);
    assert_eq!(found(&masked), 0, "while a pool is open that keeps none");
    drop(open);
    assert_eq!(found(&masked), 0, "after it");
}

/// On the heap: an array that is returned leaves copies on the stack.
fn read(file: &Path) -> Zeroizing<Vec<u8>> {
    let mut pin = Zeroizing::new(vec![0; LEN]);
    File::open(file).unwrap().read_exact(&mut pin).unwrap();
    pin
}

/// A pool that has logged in and signed.
fn sign(file: &Path, keep_pin: bool) -> Pkcs11Pool {
    let module = SoftHsmToken::module();
    let uri = format!("pkcs11:token=T;object=K?module-path={}", module.display());
    let uri: Pkcs11Uri = uri.parse().unwrap();
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

/// How often the PIN is in the memory of this process.
fn found(masked: &[u8]) -> usize {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let mut memory = File::open("/proc/self/mem").unwrap();
    let mut count = 0;
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (start, end) = words.next().unwrap().split_once('-').unwrap();
        if !words.next().unwrap().starts_with("rw") {
            continue;
        }
        let [start, end] = [start, end].map(|number| u64::from_str_radix(number, 16).unwrap());
        let mut bytes = Zeroizing::new(vec![0; usize::try_from(end - start).unwrap()]);
        memory.seek(SeekFrom::Start(start)).unwrap();
        // A page that is mapped beyond the end of a file cannot be read.
        if memory.read_exact(&mut bytes).is_err() {
            continue;
        }
        let same = |place: &[u8]| place.iter().zip(masked).all(|(is, pin)| is ^ MASK == *pin);
        count += bytes.windows(LEN).filter(|place| same(place)).count();
    }
    count
}
