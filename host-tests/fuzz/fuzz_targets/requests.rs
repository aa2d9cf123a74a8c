//! What clients send: a token request to a receiver, and anything to an agent whose key is away.
#![no_main]

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use privyseal_core::scheme::ISHARE;
use privyseal_receiver::TokenForm;

static SOCKET: LazyLock<PathBuf> = LazyLock::new(agent);

fuzz_target!(|data: &[u8]| {
    if let Ok(form) = TokenForm::parse(data) {
        let _ = form.check_token_request(&ISHARE).is_ok();
        let _ = format!("{form:?}");
    }
    let mut stream = UnixStream::connect(&*SOCKET).expect("the agent listens");
    stream.set_read_timeout(Some(Duration::from_secs(8))).expect("a socket");
    // It may have hung up by then.
    let _ = stream.write_all(data);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "an end: {error}");
    }
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1."), "HTTP, or nothing");
    let answer = String::from_utf8_lossy(&answer);
    assert!(!answer.contains("client_assertion"), "there is no key: {answer}");
});

fn agent() -> PathBuf {
    let folder = tempfile::tempdir().expect("a folder").keep();
    let uid = std::fs::metadata(&folder).expect("a folder").uid();
    let config = folder.join("agent.toml");
    let shown = folder.display();
    let text = format!(
        "[agent]\nsocket = '{shown}/socket'\naudit-log = '{shown}/audit.jsonl'\naudit-sync = false\n\
         [profile.p]\nscheme = 'fiam'\nkey = 'pkcs11:token=T;object=K?module-path={shown}/none.so'\n\
         client-id = 'EU.EORI.NL123456789'\nallow-uids = [{uid}]\n"
    );
    std::fs::write(&config, text).expect("a file");
    std::thread::spawn(move || panic!("it ended: {:?}", privyseal_agent::run(&config)));
    let socket = folder.join("socket");
    while UnixStream::connect(&socket).is_err() {
        std::thread::sleep(Duration::from_millis(10));
    }
    socket
}
