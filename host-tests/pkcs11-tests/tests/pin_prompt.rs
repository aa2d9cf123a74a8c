//! The prompt for a PIN, at a terminal that Python's `pty` plays.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use privyseal_test_base::{privyseal, tool};
use privyseal_test_suite::flow::KEY;
use privyseal_test_suite::softhsm::{PIN, SoftHsmToken};

/// Types the second argument at the prompt of the command that follows; prints what was shown, and whether the terminal
/// echoes in the end.
const TERMINAL: &str = r#"
import os, pty, sys, termios
typed = sys.argv[1].encode().decode("unicode_escape").encode()
parent, child = pty.openpty()
pid = os.fork()
if pid == 0:
    os.setsid()
    for stream in (0, 1, 2): os.dup2(child, stream)
    import fcntl
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.execvp(sys.argv[2], sys.argv[2:])
shown = b""
while b"PIN of token" not in shown or not shown.endswith(b": "): shown += os.read(parent, 1024)
echo = lambda: bool(termios.tcgetattr(child)[3] & termios.ECHO)
assert not echo(), "the PIN is shown"
os.write(parent, typed)
status = os.waitpid(pid, 0)[1]
os.set_blocking(parent, False)
try: shown += os.read(parent, 65536)
except BlockingIOError: pass
print(shown.decode(), "echo", echo(), "code", os.waitstatus_to_exitcode(status))
"#;

fn at_a_terminal(token: &SoftHsmToken, typed: &str) -> String {
    let uri = format!(
        "pkcs11:token=T;object={KEY}?module-path={}",
        SoftHsmToken::module().display()
    );
    let mut command = tool::command("python3", ["-c", TERMINAL, typed]);
    command.arg(privyseal::path()).args(["keys", "--key", &uri]);
    command.env_remove("PRIVYSEAL_PIN");
    command.env("SOFTHSM2_CONF", token.configuration());
    String::from_utf8(tool::run(&mut command)).unwrap()
}

#[test]
fn the_terminal_is_as_it_was_whatever_is_typed() {
    let token = SoftHsmToken::new("T");
    token.generate_key(2048, "01", KEY);
    let shown = at_a_terminal(&token, &format!("{PIN}\n"));
    assert!(
        shown.ends_with("echo True code 0\n") && !shown.contains(PIN),
        "{shown}"
    );
    // Ctrl-C and Ctrl-\, also behind some digits.
    for typed in [r"\x03", r"24\x03", r"\x1c"] {
        let shown = at_a_terminal(&token, typed);
        assert!(shown.contains("interrupted"), "{shown}");
        assert!(shown.ends_with("echo True code 3\n"), "{shown}");
    }
}
