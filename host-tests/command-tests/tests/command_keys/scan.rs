//! `keys` and `doctor` without a key: every module of the machine.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use privyseal_test_base::{privyseal, tool};
use privyseal_test_suite::fault_shim::FaultShim;
use privyseal_test_suite::softhsm::SoftHsmToken;
use serde_json::Value;

use super::{output, token};

fn scan(token: &SoftHsmToken, words: &[&str]) -> Output {
    tool::output(&mut with_modules(token, &privyseal::path(), words), b"")
}

/// With three modules of p11-kit: SoftHSM, one that ends its process, and one that is switched off.
pub(super) fn with_modules(token: &SoftHsmToken, program: &Path, words: &[&str]) -> Command {
    let shim = FaultShim::new(token.dir());
    shim.rules(&["C_Initialize * abort"]);
    let modules = token.dir().join("pkcs11/modules");
    fs::create_dir_all(&modules).unwrap();
    let conf = modules.with_file_name("pkcs11.conf");
    fs::write(conf, "user-config: only\n").unwrap();
    let (soft, broken) = (SoftHsmToken::module(), FaultShim::module());
    for (name, module) in [
        ("soft", soft.as_path()),
        ("broken", &broken),
        ("off", "".as_ref()),
    ] {
        let text = format!("# {name}\nmodule: {}\n", module.display());
        fs::write(modules.join(format!("{name}.module")), text).unwrap();
    }
    let mut command = Command::new(program);
    command.args(words).env_remove("PRIVYSEAL_PIN");
    command.env("SOFTHSM2_CONF", token.configuration());
    command.env("XDG_CONFIG_HOME", token.dir());
    command.envs(shim.environment(&soft));
    command
}

#[test]
fn what_is_there_is_shown_without_a_pin_and_a_module_that_crashes_hides_no_other() {
    let token = token();
    token.generate_key(2048, "02", "made");
    let found = scan(&token, &["keys", "--json"]);
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    let modules = found["modules"].as_object().unwrap();
    let names: Vec<_> = modules.keys().collect();
    assert_eq!(names, ["broken", "soft"]);
    let error = modules["broken"]["errors"][0].as_str().unwrap();
    assert!(
        error.contains("ended the process that looked at it"),
        "{error}"
    );
    let seen = &modules["soft"]["tokens"][0];
    let uri = seen["uri"].as_str().unwrap();
    assert!(uri.contains(";token=T?module-name=soft"), "{uri}");
    let keys = seen["keys"].as_array().unwrap();
    assert!(keys.iter().all(|key| key["fit"].is_null()), "{keys:?}");
    let made = keys.iter().map(|key| key["uri"].as_str().unwrap());
    let made = made
        .clone()
        .find(|uri| uri.contains("object=made;type=private"))
        .unwrap();
    assert_eq!(seen["certificates"].as_array().unwrap().len(), 4);

    // What is printed can be pasted.
    let pin = format!("{made}&pin-source=file:{}", token.pin_file().display());
    let module = format!("module-path={}", SoftHsmToken::module().display());
    let pasted = pin.replace("module-name=soft", &module);
    let listed = output(&token, &["keys", "--key", &pasted]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("fit to sign"), "{listed}");

    let text = scan(&token, &["keys"]).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.contains("private key, RSA-2048: shows after a login"),
        "{text}"
    );
}

#[test]
fn a_module_that_hangs_keeps_nobody_from_a_key_whose_module_is_not_named() {
    let token = token();
    let uri = format!(
        "pkcs11:token=T?pin-source=file:{}",
        token.pin_file().display()
    );
    let mut command = with_modules(
        &token,
        &privyseal::path(),
        &["keys", "--json", "--key", &uri],
    );
    FaultShim::new(token.dir()).rules(&["C_Initialize * hang 600000"]);
    let found = tool::output(&mut command, b"");
    let said = String::from_utf8(found.stderr).unwrap();
    let report: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(report["keys"][0]["fit"], true, "{report} {said}");
    assert!(said.contains("waiting for PKCS #11 module"), "{said}");
    assert!(said.contains("fault_shim"), "it is named: {said}");
}

#[test]
fn what_a_module_prints_is_no_result() {
    let token = token();
    let pin = token.pin_file().display().to_string();
    let module = FaultShim::module();
    let uri = format!(
        "pkcs11:token=T;object=K?module-path={}&pin-source=file:{pin}",
        module.display()
    );
    for words in [&["keys", "--json"][..], &["keys", "--json", "--key", &uri]] {
        let mut command = with_modules(&token, &privyseal::path(), words);
        FaultShim::new(token.dir()).rules(&["C_Initialize * print"]);
        let found = tool::output(&mut command, b"");
        let report: Value = serde_json::from_slice(&found.stdout).unwrap();
        let library = &report["modules"]["broken"]["library"];
        assert!(words.len() > 2 || library.is_string(), "{report}");
        let said = String::from_utf8(found.stderr).unwrap();
        assert_eq!(said.contains("a module prints"), words.len() > 2, "{said}");
    }
}

#[test]
fn a_user_configures_no_module_of_who_wants_none() {
    let token = token();
    let mut command = with_modules(&token, &privyseal::path(), &["keys", "--json"]);
    let found = tool::output(command.env("P11_NO_USER_CONFIG", ""), b"");
    let text = String::from_utf8([found.stdout, found.stderr].concat()).unwrap();
    assert!(!text.contains("\"soft\""), "{text}");
}

/// How a module ends its process, and what is said of that.
const ENDS: [(&str, &str); 3] = [
    ("abort", "signal: 6"),
    ("crash", "signal: 11"),
    ("exit", "exit status: 3"),
];

#[test]
fn a_module_that_crashes_keeps_nobody_from_a_key_whose_module_is_not_named() {
    let token = token();
    let uri = format!(
        "pkcs11:token=T;object=K?pin-source=file:{}",
        token.pin_file().display()
    );
    let sign = [
        "sign",
        "--scheme",
        "itsme",
        "--client-id",
        "c",
        "--kid",
        "k",
        "--endpoint",
        "token",
        "--key",
        &uri,
    ];
    for words in [
        &sign[..],
        &["keys", "--key", &uri],
        &["doctor", "--key", &uri],
    ] {
        for (end, status) in ENDS {
            let mut command = with_modules(&token, &privyseal::path(), words);
            FaultShim::new(token.dir()).rules(&[&format!("C_Initialize * {end}")]);
            let found = tool::output(&mut command, b"");
            let said = String::from_utf8(found.stderr).unwrap();
            let text = String::from_utf8(found.stdout).unwrap();
            let left_out = said.lines().filter(|line| line.contains("is left out"));
            let left_out: Vec<_> = left_out.collect();
            assert_eq!(left_out.len(), 1, "{words:?} {said} {text}");
            assert!(
                left_out[0].contains("fault_shim") && left_out[0].contains(status),
                "{said}"
            );
            let is_done = match words[0] {
                "sign" => text.split('.').count() == 3,
                "keys" => text.contains("fit to sign"),
                _ => text.contains("the key signs"),
            };
            assert!(is_done, "{words:?} {end}: {said} {text}");
            // Who has the token is not known then.
            if words[0] == "sign" {
                let absent = uri.replace("token=T", "token=U");
                let words = words
                    .iter()
                    .map(|word| if *word == uri { &absent } else { *word });
                let words: Vec<_> = words.collect();
                let mut command = with_modules(&token, &privyseal::path(), &words);
                FaultShim::new(token.dir()).rules(&[&format!("C_Initialize * {end}")]);
                let found = tool::output(&mut command, b"");
                let said = String::from_utf8(found.stderr).unwrap();
                assert!(
                    said.contains("error: ") && found.stdout.is_empty(),
                    "{said}"
                );
                assert_eq!(found.status.code(), Some(3), "{said}");
            }
        }
    }
}

#[test]
fn a_module_that_crashes_does_not_end_the_doctor() {
    let token = token();
    let uri = format!(
        "pkcs11:token=T?module-path={}",
        FaultShim::module().display()
    );
    let mut doctor = with_modules(&token, &privyseal::path(), &["doctor", "--key", &uri]);
    for (end, status) in ENDS {
        FaultShim::new(token.dir()).rules(&[&format!("C_Initialize * {end}")]);
        let found = tool::output(&mut doctor, b"");
        let text = String::from_utf8(found.stdout).unwrap();
        let said = format!("ended the process that looked at it ({status}");
        assert!(text.contains(&said), "{text}");
        assert!(text.contains("p11-kit-client.so"), "{text}");
        assert_eq!(found.status.code(), Some(3), "{text}");
    }
}

#[test]
fn doctor_says_which_token_to_look_at() {
    let token = token();
    let found = scan(&token, &["doctor"]);
    let text = String::from_utf8(found.stdout).unwrap();
    assert!(text.contains("broken: it ended the process"), "{text}");
    assert!(text.contains("privyseal keys --key 'pkcs11:"), "{text}");
    assert!(found.status.success(), "{text}");
}

/// As p11-kit-client.so without its server.
#[test]
fn a_module_without_tokens_says_where_they_would_be() {
    let token = token();
    let uri = format!(
        "pkcs11:token=T?module-path={}",
        FaultShim::module().display()
    );
    for words in [["doctor", "--key", &uri], ["chain", "--key", &uri]] {
        let mut command = with_modules(&token, &privyseal::path(), &words);
        FaultShim::new(token.dir()).rules(&["C_GetSlotList * none"]);
        let found = tool::output(&mut command, b"");
        let text = [found.stdout, found.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("P11_KIT_SERVER_ADDRESS"), "{text}");
        assert_eq!(found.status.code(), Some(3), "{text}");
    }
}
