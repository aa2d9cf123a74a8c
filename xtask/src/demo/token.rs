//! The token and the key on it, made with OpenSC's `pkcs11-tool`.

use super::demo_dir::{DemoDir, KEY, KEY_ID, TOKEN, show_and_run, show_command, show_lines};
use crate::failure::{Failure, fail};

/// Makes an empty SoftHSM token with a user PIN.
pub(super) fn initialize(demo: &mut DemoDir) -> Result<(), Failure> {
    demo.step(
        "A throw-away token",
        "SoftHSM is a token in software: the same PKCS#11 calls as a card or a network HSM, none \
         of\ntheir protection. It lives under the build folder; its PINs are random, in files only \
         you can\nread, and reach the tools through the environment, never as an argument.",
    );
    show_command(&demo.export());
    let files = (demo.shown("pin"), demo.shown("so-pin"));
    show_command(&format!(
        "export PIN=$(cat {}) SO_PIN=$(cat {})",
        files.0, files.1
    ));
    let initialize = demo.pkcs11_tool().args([
        "--init-token",
        "--slot-index",
        "0",
        "--label",
        TOKEN,
        "--so-pin",
        "env:SO_PIN",
    ]);
    show_and_run(&demo.with_both_pins(initialize))?;
    let set_pin = demo
        .pkcs11_tool()
        .args([
            "--token-label",
            TOKEN,
            "--login",
            "--login-type",
            "so",
            "--so-pin",
            "env:SO_PIN",
        ])
        .args(["--init-pin", "--new-pin", "env:PIN"]);
    show_and_run(&demo.with_both_pins(set_pin))?;
    Ok(())
}

/// Has the token generate the key, and takes its public half out.
pub(super) fn generate_key(demo: &mut DemoDir) -> Result<(), Failure> {
    demo.step(
        "A key that is born on the token and stays there",
        "RSA-2048, marked sensitive: its value can never be read, also not with the PIN.",
    );
    let generate = demo
        .logged_in()
        .args([
            "--keypairgen",
            "--key-type",
            "rsa:2048",
            "--id",
            KEY_ID,
            "--label",
            KEY,
        ])
        .args(["--usage-sign", "--sensitive"]);
    let said = show_and_run(&generate)?.text();
    show_lines(said.trim_end());
    if !said.contains("sensitive") || !said.contains("never extractable") {
        return fail!("the token did not make the key sensitive and never extractable");
    }
    let export = demo
        .pkcs11_tool()
        .args([
            "--token-label",
            TOKEN,
            "--read-object",
            "--type",
            "pubkey",
            "--id",
            KEY_ID,
        ])
        .args(["--output-file", &demo.shown("public-key.der")]);
    show_and_run(&export)?;
    let convert = demo
        .tool("openssl")
        .args([
            "pkey",
            "-pubin",
            "-inform",
            "DER",
            "-in",
            &demo.shown("public-key.der"),
        ])
        .args(["-out", &demo.shown("public-key.pem")]);
    show_and_run(&convert)?;
    Ok(())
}
