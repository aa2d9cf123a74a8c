//! Profiles on the command line.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use privyseal_test_base::privyseal;
use privyseal_test_pki::{CertificateSpec, pem_chain};
use privyseal_test_suite::flow::{self, Outcome};

use crate::stage::{CLIENT_ID, Stage};

fn run(stage: &Stage, words: &[&str], variables: &[(&str, &str)]) -> Outcome {
    let program = privyseal::path();
    let mut command = stage.command(&[&[program.to_str().unwrap()], words].concat());
    command
        .env("XDG_CONFIG_HOME", stage.folder.path())
        .envs(variables.iter().copied());
    Outcome::of(&mut command)
}

fn write(stage: &Stage, text: &str) {
    fs::create_dir_all(stage.path("privyseal")).unwrap();
    fs::write(stage.path("privyseal/config.toml"), text).unwrap();
}

fn claims(outcome: &Outcome) -> serde_json::Value {
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    privyseal_test_judges::decode::Parts::of(outcome.stdout.trim()).claims()
}

#[test]
fn an_option_comes_before_the_environment_and_that_before_the_profile() {
    let stage = Stage::new();
    write(&stage, &stage.profile());
    for words in [["--profile", "kpn", "sign"], ["sign", "--profile", "kpn"]] {
        let signed = run(&stage, &words, &[]);
        stage.judge(&signed.stdout);
        assert_eq!(claims(&signed)["iss"], CLIENT_ID);
    }
    let variables = [
        ("PRIVYSEAL_PROFILE", "kpn"),
        ("PRIVYSEAL_CLIENT_ID", "EU.EORI.NL2"),
    ];
    assert_eq!(
        claims(&run(&stage, &["sign"], &variables))["iss"],
        "EU.EORI.NL2"
    );
    let option = ["sign", "--client-id", "EU.EORI.NL3"];
    assert_eq!(
        claims(&run(&stage, &option, &variables))["iss"],
        "EU.EORI.NL3"
    );

    let token = run(
        &stage,
        &["token", "--profile", "kpn", "--output", "token"],
        &[],
    );
    assert_eq!(
        (token.code, token.stdout.lines().count()),
        (Some(0), 1),
        "{}",
        token.stderr
    );
    let call = ["--call", "/service-consumers/contracts", "--profile", "kpn"];
    let called = run(&stage, &[&["token"], &call[..]].concat(), &[]);
    assert_eq!(called.json()["total_count"], 2);
    let elsewhere = [
        "token",
        "--profile",
        "kpn",
        "--token-path",
        "/oauth2.0/token",
    ];
    run(&stage, &elsewhere, &[]).failed(1, "/fiam/api/v1/oauth2.0/token: HTTP 404");
    for command in ["keys", "chain", "doctor", "jwks"] {
        let outcome = run(&stage, &[command, "--profile", "kpn"], &[]);
        assert_eq!(outcome.code, Some(0), "{command}: {}", outcome.stderr);
    }
}

#[test]
fn profiles_are_listed_shown_and_checked() {
    let stage = Stage::new();
    write(&stage, &stage.profile());
    let listed = run(&stage, &["profile", "list"], &[]);
    assert!(listed.stdout.starts_with("kpn "), "{}", listed.stdout);
    let shown = run(
        &stage,
        &["profile", "show", "kpn"],
        &[("PRIVYSEAL_TIMEOUT", "7")],
    );
    assert!(
        shown
            .stdout
            .contains("timeout = 7 # the variable PRIVYSEAL_TIMEOUT"),
        "{}",
        shown.stdout
    );
    assert!(
        shown.stdout.contains("scheme = \"fiam\" # /"),
        "{}",
        shown.stdout
    );
    // What is shown is a file again.
    let copy = stage.path("copy.toml");
    fs::write(&copy, &shown.stdout).unwrap();
    let again = run(
        &stage,
        &["profile", "show", "kpn", "--config", copy.to_str().unwrap()],
        &[],
    );
    let values = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.split(" #").next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(values(&again.stdout), values(&shown.stdout));
    let checked = run(&stage, &["profile", "check"], &[]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let [good, module, pin] = &checked.stdout.lines().collect::<Vec<_>>()[..] else {
        panic!("{}", checked.stdout);
    };
    assert_eq!(*good, "kpn                  good");
    assert!(module.starts_with("  module   passed  ") && module.contains("SoftHSM"));
    assert_eq!(*pin, "  PIN      passed  its file can be read");

    // The agent's table is judged with them, as the agent does when it starts.
    for (agent, code, said) in [
        ("strict-pin-files = true", 0, "good"),
        (
            "strict-pin-file = true",
            2,
            "unknown field `strict-pin-file`",
        ),
        ("listen = '127.0.0.1:1'", 2, "without agent.token-file"),
        ("token-file = '/nowhere'", 2, "without agent.listen"),
    ] {
        let config = stage.configure(agent, &stage.profile());
        let words = ["profile", "check", "--config", config.to_str().unwrap()];
        let checked = run(&stage, &words, &[]);
        assert_eq!(checked.code, Some(code), "{checked:?}");
        let line = checked.stdout.lines().last().unwrap_or_default();
        let text = format!("{line}{}", checked.stderr);
        assert!(text.contains(said), "{checked:?}");
        assert!(checked.stdout.starts_with("kpn                  good\n"));
    }

    let nameless = stage.profile().replace("client-id = ", "# client-id = ");
    let unsaid = stage.configure("", &nameless);
    let words = ["profile", "check", "--config", unsaid.to_str().unwrap()];
    let checked = run(&stage, &words, &[]);
    checked.failed(2, "the profile kpn: ");
    let said = &checked.stderr;
    assert!(
        said.contains("help: say it in the profile as client-id"),
        "{said}"
    );
    assert!(!said.contains("--client-id"), "{said}");

    for (agent, said) in [
        (
            format!("socket = '/{}'", "s".repeat(107)),
            "107 bytes at most",
        ),
        ("audit-log = ''".to_owned(), "names no file"),
    ] {
        write(&stage, &format!("[agent]\n{agent}\n{}", stage.profile()));
        run(&stage, &["profile", "check"], &[]).failed(2, said);
    }

    write(&stage, "[profile.kpn]\nscheme = 'fiam'\nkee = 'x'\n");
    run(&stage, &["profile", "list"], &[]).failed(2, "line 3: profile.kpn.kee is not known");
    run(&stage, &["sign", "--profile", "kpn"], &[]).failed(2, "config.toml line 3");
    write(&stage, &stage.profile());
    run(&stage, &["sign", "--profile", "kpm"], &[])
        .failed(2, "there is no profile kpm; there are kpn");
    run(&stage, &["completions", "bash", "--profile", "kpn"], &[]).failed(2, "--profile");
    run(&stage, &["--profile", "kpn", "completions", "bash"], &[]).failed(2, "--profile");
    assert!(!Path::new("kpn").exists());
}

/// The agent, the library and the command use the reference that is there.
#[test]
fn a_profile_names_its_key_twice_and_one_is_away() {
    let stage = Stage::new();
    let uri = stage.client.token.uri(flow::KEY);
    let away = uri.replace("token=T;", "token=away;");
    assert_ne!(uri, away);
    let key = format!("key = '{uri}'");
    write(
        &stage,
        &stage
            .profile()
            .replace(&key, &format!("key = ['{away}', '{uri}']")),
    );
    stage.judge(&run(&stage, &["sign", "--profile", "kpn"], &[]).stdout);
    let options = ["sign", "--profile", "kpn", "--key", &away, "--key", &uri];
    stage.judge(&run(&stage, &options, &[]).stdout);
    run(&stage, &options[..5], &[]).failed(3, "none fits the URI");
    // Both are of one key, which is published once; other commands take the first.
    run(&stage, &["jwks", "--profile", "kpn"], &[]).failed(3, "none fits the URI");
}

#[test]
fn a_scheme_of_ones_own_stands_in_the_file_of_the_profiles() {
    let stage = Stage::new();
    let scheme =
        "[scheme.acme]\nkey = 'kid'\naudience = 'https://as.example/token'\nlifetime = 45\n";
    let profile = stage.profile().replace("'fiam'", "'acme'") + "kid = 'mine'\n";
    write(&stage, &(profile.clone() + scheme));
    let claims_of = |words: &[&str]| claims(&run(&stage, words, &[]));
    let said = claims_of(&["sign", "--profile", "kpn"]);
    assert_eq!(said["aud"], "https://as.example/token");
    assert_eq!(
        said["exp"].as_u64().unwrap() - said["iat"].as_u64().unwrap(),
        45
    );
    // By name on the command line, and the file as that of the scheme.
    let config = stage.path("privyseal/config.toml");
    let config = config.to_str().unwrap();
    let uri = stage.client.token.uri(flow::KEY);
    let rest = ["--key", &uri, "--client-id", "me"];
    for scheme in [
        ["--config", config, "--scheme", "acme"],
        ["--scheme", config, "--kid", "k"],
    ] {
        assert_eq!(
            claims_of(&[&["sign"], &scheme[..], &rest].concat())["iss"],
            "me"
        );
    }
    let listed = run(&stage, &["profile", "list"], &[]);
    assert_eq!(listed.stdout, "kpn                  acme\n");
    run(
        &stage,
        &["sign", "--profile", "kpn", "--scheme", "acne"],
        &[],
    )
    .failed(2, "acme");

    let agent = stage.start(&stage.configure("", &(profile.clone() + scheme)));
    let answer = agent.assertion().json();
    assert_eq!(answer["expires_in"], 45);
    stage.configure("", &(profile + &scheme.replace("45", "44")));
    agent.signal("HUP");
    agent.hears("READY=1");
    assert_eq!(agent.assertion().json()["expires_in"], 44);
    assert_eq!(stage.audited()[1]["scheme"], "acme");
    agent.stop();
}

/// Each without a PIN try: what the profile names is looked at, not only what it says.
#[test]
fn what_a_profile_names_is_checked() {
    let stage = Stage::new();
    let check = |profile: &str, code, said: &str| {
        let config = stage.configure("", profile);
        let words = [
            "profile",
            "check",
            "kpn",
            "--config",
            config.to_str().unwrap(),
        ];
        let checked = run(&stage, &words, &[]);
        assert_eq!(checked.code, Some(code), "{checked:?}");
        assert!(checked.stdout.contains(said), "{said}: {checked:?}");
        let is_good = checked.stdout.starts_with("kpn                  good\n");
        assert_eq!(is_good, code == 0, "{checked:?}");
    };
    let profile = stage.profile();
    let module = privyseal_test_suite::softhsm::SoftHsmToken::module();
    let module = module.to_str().unwrap();
    let absent = profile.replace(module, "/nowhere/m.so");
    check(&absent, 3, "module   broken  ");
    let pin = stage.client.token.pin_file();
    check(
        &profile.replace(pin.to_str().unwrap(), "/nowhere/pin"),
        3,
        "PIN      broken  pin-source /nowhere/pin cannot be read",
    );
    let source = format!("&pin-source=file:{}", pin.display());
    check(&profile.replace(&source, ""), 0, "PIN      note    no file");
    let of_service = profile.replace(&source, "&pin-source=credential:pin");
    check(&of_service, 0, "PIN      note    no file");
    fs::set_permissions(&pin, fs::Permissions::from_mode(0o644)).unwrap();
    check(&profile, 0, "PIN      note    /");
    let client = &stage.client;
    let chain_of = |seal: &CertificateSpec, code, said| {
        let chain = client.pki.chain(&client.key.spki_der(), seal);
        let path = client.file("chain.pem", pem_chain(&chain));
        let profile = format!("{profile}chain = '{}'\n", path.display());
        check(&profile, code, said);
    };
    chain_of(&CertificateSpec::seal(), 0, "chain    passed  ");
    chain_of(&CertificateSpec::seal().valid(1, 2), 1, "chain    broken  ");
}
