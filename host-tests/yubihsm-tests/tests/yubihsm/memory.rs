//! The password of an authentication key is gone when its session is open.

use std::fs;
use std::time::Duration;

use privyseal_hsm::{PinSources, Prompt};
use privyseal_test_base::memory::Hidden;
use privyseal_test_base::own_process::{OwnProcess, is_child};
use privyseal_test_simulators::yubihsm_sim::YubihsmSim;
use privyseal_yubihsm::{YubihsmSigner, YubihsmUri};

const URI: &str = "PRIVYSEAL_TEST_URI";

#[test]
fn the_password_does_not_stay_in_memory() {
    const NAME: &str = "memory::the_password_does_not_stay_in_memory";
    if is_child(NAME) {
        return child();
    }
    let (sim, _, _) = YubihsmSim::with_seal(Duration::from_secs(30));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    // Made up for this run: one in the source would be in the program.
    let seed = fs::read("/proc/sys/kernel/random/uuid").unwrap();
    let password: String = seed
        .iter()
        .map(|byte| char::from(b'a' + byte % 26))
        .collect();
    fs::write(&file, &password).unwrap();
    // sign-pkcs.
    sim.add_auth_key(2, &password, 1 << 5);
    let uri = sim.uri(&format!(
        "auth-key=2;key-id=100?pin-source=file:{}",
        file.display()
    ));
    OwnProcess::new(NAME)
        .environment([
            (URI.into(), uri.into()),
            ("STATE_DIRECTORY".into(), folder.path().into()),
        ])
        .must_pass();
}

fn child() {
    let uri: YubihsmUri = std::env::var(URI).unwrap().parse().unwrap();
    let path = uri.pin_source().unwrap().strip_prefix("file:").unwrap();
    let hidden = {
        let password = zeroize::Zeroizing::new(fs::read(path).unwrap());
        Hidden::new(&password)
    };
    assert_eq!(hidden.found(), 0, "the search itself leaves none");
    let mut passwords = PinSources::new(None, uri.pin_source(), Prompt::Never, |_| {});
    let signer = YubihsmSigner::open(&uri, &mut passwords).unwrap();
    assert_eq!(hidden.found(), 0, "while the session is open");
    drop(signer);
    assert_eq!(hidden.found(), 0, "after it");
}
