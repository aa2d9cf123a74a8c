//! What bash offers, by the script that `privyseal completions bash` prints.

use std::env;
use std::fs;
use std::path::Path;

use privyseal_test_base::scratch::workspace;
use privyseal_test_base::{privyseal, tool};
use privyseal_test_suite::softhsm::SoftHsmToken;

use super::scan::with_modules;
use super::token;

/// As readline calls it, for a line that somebody has typed up to its end.
const SCRIPT: &str = r#"
source <(privyseal completions bash)
COMP_LINE="$1" COMP_POINT="${#1}" COMP_TYPE=9
complete -p privyseal | grep -q _privyseal_words || exit 1
_privyseal_words privyseal "" "" 2>/dev/null
printf '%s\n' "${COMPREPLY[@]}"
"#;

fn offered(token: &SoftHsmToken, line: &str) -> Vec<String> {
    let path = privyseal::path();
    let mut bash = with_modules(token, Path::new("bash"), &["-c", SCRIPT, "bash", line]);
    let paths = env::var_os("PATH").unwrap();
    let folder = path.parent().unwrap().to_owned();
    let paths = [folder].into_iter().chain(env::split_paths(&paths));
    bash.env("PATH", env::join_paths(paths).unwrap());
    bash.current_dir(token.dir());
    let output = tool::output(&mut bash, b"");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn bash_offers_commands_options_schemes_and_profiles() {
    let token = token();
    let config = token.dir().join("privyseal");
    fs::create_dir_all(&config).unwrap();
    let profiles = "[profile.kpn]\nscheme = \"fiam\"\n[profile.kpn-test]\nscheme = \"fiam\"\n[profile.other]\n";
    fs::write(config.join("config.toml"), profiles).unwrap();
    let mine = fs::read_to_string(workspace().join("docs/own-scheme.toml")).unwrap();
    fs::write(token.dir().join("mine.toml"), mine + "\n[profile.mine]\n").unwrap();
    fs::write(token.dir().join("own.toml"), "").unwrap();
    fs::write(token.dir().join("own.txt"), "").unwrap();
    for (line, wanted) in [
        ("privyseal ishare tr", &["trusted-list"][..]),
        ("privyseal yubihsm put", &["put-auth-key"]),
        ("privyseal sign --spend", &["--spend-final-pin-try"]),
        (
            "privyseal sign --scheme ",
            &["fiam", "ishare", "ishare-1", "itsme", "ehealth"],
        ),
        ("privyseal sign --scheme=ish", &["ishare", "ishare-1"]),
        ("privyseal sign --scheme ./o", &["./own.toml"]),
        ("privyseal check --scheme ow", &["own.toml"]),
        ("privyseal ishare check --scheme ./o", &[]),
        ("privyseal ishare check --scheme ", &["ishare", "ishare-1"]),
        ("privyseal token --scheme i", &["ishare", "ishare-1"]),
        ("privyseal token --profile k", &["kpn", "kpn-test"]),
        ("privyseal profile show k", &["kpn", "kpn-test"]),
        ("privyseal token --config mine.toml --profile ", &["mine"]),
        ("privyseal profile show --config=mine.toml m", &["mine"]),
        (
            "privyseal sign --config mine.toml --scheme ",
            &["fiam", "ishare", "ishare-1", "itsme", "ehealth", "acme"],
        ),
        ("privyseal sign --config nothing.toml --profile ", &[]),
        ("privyseal sign --key dev", &["device:"]),
    ] {
        let offered = offered(&token, line);
        let bare: Vec<_> = offered
            .iter()
            .map(|it| it.trim_start_matches("--scheme=").trim_end())
            .collect();
        assert_eq!(bare, wanted, "{line}");
    }
}

/// Without a PIN; a module that ends its process is passed over.
#[test]
fn bash_offers_the_keys_that_a_token_shows() {
    let token = token();
    token.generate_key(2048, "02", "made");
    let whole = offered(&token, "privyseal sign --key 'pkcs11:");
    let key = whole
        .iter()
        .find(|uri| uri.contains("object=made;type=private"));
    let key = key.unwrap_or_else(|| panic!("{whole:?}"));
    assert!(
        key.starts_with("pkcs11:") && key.contains("token=T"),
        "{key}"
    );
    assert!(key.contains("module-name=soft"), "{key}");
    // Without quotes, what readline replaces is behind the last : or =, and what the shell would read is escaped.
    let start = key.split_once("token=").unwrap().0;
    let rest = offered(&token, &format!("privyseal sign --key {start}token="));
    assert!(rest.iter().any(|it| it.starts_with("T\\;")), "{rest:?}");
    // In any order of attributes, each whole URI names the token or the key.
    for begun in [
        "token=",
        "token=T",
        "token=T;object=ma",
        "object=made;token=T;",
    ] {
        let offered = offered(&token, &format!("privyseal sign --key 'pkcs11:{begun}"));
        let goes_on = |uri: &String| {
            uri.starts_with(&format!("pkcs11:{begun}")) && uri.contains("module-name=soft")
        };
        assert!(
            !offered.is_empty() && offered.iter().all(goes_on),
            "{begun}: {offered:?}"
        );
        assert!(
            offered.iter().any(|uri| uri.contains("object=made")),
            "{begun}: {offered:?}"
        );
    }
    assert_eq!(
        offered(&token, "privyseal sign --key 'pkcs11:nothing-there"),
        [""; 0]
    );
}
