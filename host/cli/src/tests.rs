//! The command line as a table of what it takes and refuses. End-to-end runs are in host-tests.

mod help;

use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn the_lines_of_the_readme() {
    for line in [
        "privyseal sign --scheme fiam --key pkcs11:token=T;object=K --client-id EU.EORI.NL123456789",
        "privyseal sign --scheme ishare --key pkcs11:token=T --audience EU.EORI.NL1 --chain chain.pem",
        "privyseal sign --scheme fiam --key pkcs11:token=T --now 1 --jti j --backdate 2 --chain token",
        "privyseal sign --scheme fiam --key pkcs11:token=T --spend-final-pin-try",
        "privyseal token --scheme fiam --key pkcs11:token=T --base-url https://a --call /x --cacert f",
        "privyseal keys --key pkcs11:token=T --json",
        "privyseal chain --chain chain.pem --scheme ishare --now 1793000000 --json",
        "privyseal chain --key pkcs11:token=T",
        "privyseal chain --key pkcs11:token=T --chain chain.pem",
        "privyseal chain --chain chain.pem --crl a.crl --crl b.pem",
        "privyseal jwks --key pkcs11:token=T --key pkcs11:token=U --kid-form keycloak --x5c",
        "privyseal jwks --key pkcs11:token=T --kid 2026",
        "privyseal csr --key pkcs11:token=T --subject CN=a --key-usage nonRepudiation,digitalSignature",
        "privyseal sign --scheme itsme --key pkcs11:token=T --endpoint discovery --client-id c --kid k",
        "privyseal sign --scheme itsme --key pkcs11:token=T --endpoint request --client-id c --scope x \
         --user-identifier-token-file f --acr advanced --requested-expiry 60 --id-token-claim name",
        "privyseal sign --scheme ehealth --key pkcs11:token=T --realm R --kid-form keycloak",
        "privyseal sign --scheme fiam --key device:/dev/ttyACM0 --chain chain.pem",
        "privyseal token --scheme fiam --key device:unix:s --base-url https://a",
        "privyseal device info --device device:/dev/ttyACM0 --json",
        "privyseal device import-key --device device:unix:s --policy p.toml --key - --chain c.pem",
        "privyseal device sign --device device:unix:s --scheme fiam",
        "privyseal device log --device device:unix:s --from 7 --known-head 00 --json",
        "privyseal device set-time --device device:unix:s",
        "privyseal device set-time --device device:unix:s --now 1 --signature line.sig",
        "privyseal device wipe --device device:unix:s --yes-destroy-the-key",
        "privyseal device update --device device:unix:s gateway.signed",
        "privyseal device sign-image --board mps2-an386 --number 7 gateway.bin",
        "privyseal completions bash",
        "privyseal man --out .",
    ] {
        assert!(
            parse(line).is_ok(),
            "{line}: {}",
            parse(line).err().unwrap()
        );
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for line in [
        "privyseal",
        "privyseal sing",
        "privyseal sign --key pkcs11:token=T",
        "privyseal sign --scheme fiam",
        "privyseal sign --scheme FIAM --key pkcs11:token=T",
        "privyseal sign --scheme fiam --key pkcs11:token=T --now soon",
        "privyseal sign --scheme fiam --key pkcs11:token=T --backdate -1",
        "privyseal sign --scheme fiam --key pkcs11:token=T extra",
        "privyseal sign --scheme fiam --key pkcs11:token=T --pin 1234",
        "privyseal token --scheme fiam --key pkcs11:token=T --insecure",
        "privyseal token --scheme fiam --key pkcs11:token=T --timeout 0",
        "privyseal sign --scheme itsme --key pkcs11:token=T --kid k --kid-form rfc7638",
        "privyseal sign --scheme itsme --key pkcs11:token=T --audience https://a --endpoint token",
        "privyseal device",
        "privyseal device info",
        "privyseal device import-key --device device:unix:s --policy p.toml",
        "privyseal device set-time --device device:unix:s --signature line.sig",
        "privyseal device log --device device:unix:s --from -1",
        "privyseal device update --device device:unix:s",
        "privyseal device sign-image --board mps2-an386 --number 0 gateway.bin",
        "privyseal jwks",
        "privyseal jwks --key pkcs11:token=T --kid k --kid-form rfc7638",
        "privyseal csr --key pkcs11:token=T",
        "privyseal csr --key pkcs11:token=T --subject CN=a --key-usage keyCertSign",
        "privyseal check --html - token",
        "privyseal token --scheme fiam --key pkcs11:token=T --to -",
    ] {
        let error = parse(line)
            .err()
            .unwrap_or_else(|| panic!("{line} was taken"));
        assert!(error.use_stderr() || line == "privyseal", "{line}");
        assert_eq!(error.exit_code(), i32::from(Exit::Usage.code()), "{line}");
    }
}

/// clap repeats wrong values in its messages, so a key URI must never be one.
#[test]
fn a_message_about_usage_shows_no_pin() {
    for line in [
        "privyseal sign --scheme x --key pkcs11:token=T?pin-value=471147",
        "privyseal sign --key pkcs11:token=T?pin-value=471147",
        "privyseal sign --scheme fiam --key pkcs11:t?pin-value=471147 --now x",
    ] {
        let message = parse(line).err().unwrap().to_string();
        assert!(!message.contains("471147"), "{message}");
    }
}

/// What the library finds wrong with values that the parser took.
#[test]
fn exit_codes_of_what_the_parser_takes() {
    let key = KEY;
    for (line, exit) in [
        (
            "sign --scheme fiam --key key.pem --client-id EU.EORI.NL1",
            Exit::Usage,
        ),
        (
            "sign --scheme fiam --key yubihsm:host=h --client-id EU.EORI.NL1",
            Exit::Usage,
        ),
        (
            "sign --scheme fiam --key pkcs11:to_ken=T --client-id EU.EORI.NL1",
            Exit::Usage,
        ),
        (&format!("sign --scheme ishare {key}"), Exit::Usage),
        (
            &format!("sign --scheme fiam {key} --client-id nobody"),
            Exit::Refused,
        ),
        (
            &format!("sign --scheme fiam {key} --now 1730094300000"),
            Exit::Refused,
        ),
        (
            &format!("sign --scheme fiam {key} --audience nobody"),
            Exit::Refused,
        ),
        (
            &format!("sign --scheme fiam {key} --jti \u{7f}"),
            Exit::Refused,
        ),
        (
            &format!("sign --scheme fiam {key} --chain /nowhere/c.pem"),
            Exit::Usage,
        ),
        (
            &format!("sign --scheme fiam {key} --client-id EU.EORI.NL1"),
            Exit::Key,
        ),
        (
            &format!("token --scheme fiam {key} --base-url http://a"),
            Exit::Usage,
        ),
        (&format!("token --scheme fiam {key} --call x"), Exit::Usage),
        (
            &format!("token --scheme ishare {key} --audience EU.EORI.NL1"),
            Exit::Usage,
        ),
        (&format!("keys {key}"), Exit::Key),
        (&format!("jwks {key}"), Exit::Key),
        (&format!("jwks {key} --kid a --kid b"), Exit::Usage),
        (&format!("csr {key} --subject CN=a"), Exit::Key),
        (&format!("csr {key} --subject a"), Exit::Usage),
        (&format!("csr {key} --subject C=Belgium"), Exit::Refused),
        ("chain --chain token --crl /nowhere/c.crl", Exit::Usage),
        ("chain --chain /nowhere/c.pem", Exit::Usage),
        ("chain --chain token", Exit::Usage),
    ] {
        ends_with(line, exit);
    }
}

/// Lifetimes, endpoints, realms and kids.
#[test]
fn exit_codes_of_what_differs_by_scheme() {
    let key = KEY;
    for (line, exit) in [
        (
            &format!("sign --scheme fiam {key} --lifetime 31"),
            Exit::Refused,
        ),
        (&format!("sign --scheme fiam {key} --kid k"), Exit::Usage),
        (
            &format!("sign --scheme fiam {key} --realm M2M"),
            Exit::Usage,
        ),
        (
            &format!("sign --scheme fiam {key} --endpoint token"),
            Exit::Usage,
        ),
        (
            &format!("sign --scheme fiam {key} --scope openid"),
            Exit::Usage,
        ),
        (
            &format!("sign --scheme itsme {key} --client-id c"),
            Exit::Usage,
        ),
        (
            &format!("sign --scheme itsme {key} --endpoint token"),
            Exit::Usage,
        ),
        (
            &format!("sign --scheme itsme {key} --endpoint tokn --client-id c"),
            Exit::Usage,
        ),
        (
            &format!("sign --scheme itsme {key} --endpoint token --client-id c"),
            Exit::Key,
        ),
        (
            &format!("sign --scheme itsme {key} --endpoint token --client-id c --chain f"),
            Exit::Usage,
        ),
        (
            &format!("sign --scheme itsme {key} --endpoint token --client-id c --acr basic"),
            Exit::Usage,
        ),
        (
            &format!("sign --scheme itsme {key} --endpoint request --client-id c"),
            Exit::Usage,
        ),
        (
            &format!("sign --scheme ehealth {key} --client-id c"),
            Exit::Usage,
        ),
        (
            &format!("sign --scheme ehealth {key} --client-id c --realm M2M"),
            Exit::Key,
        ),
        (
            &format!("sign --scheme ehealth {key} --client-id c --realm M2M --lifetime 61"),
            Exit::Refused,
        ),
        (
            &format!(
                "sign --scheme ehealth {key} --client-id c --realm M2M --base-url https://a/auth/auth"
            ),
            Exit::Refused,
        ),
        (
            &format!("token --scheme itsme {key} --endpoint token --client-id c"),
            Exit::Usage,
        ),
    ] {
        ends_with(line, exit);
    }
}

const KEY: &str = "--key pkcs11:token=T;object=K?module-path=/nowhere/none.so";

fn ends_with(line: &str, exit: Exit) {
    let cli = parse(&format!("privyseal {line}")).unwrap_or_else(|error| panic!("{line}: {error}"));
    let error = cli.command.run().unwrap_err();
    assert_eq!(Exit::of(&error), exit, "{line}: {error}");
    assert!(!error.to_string().contains('\n'), "{error}");
}
