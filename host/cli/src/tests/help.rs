//! What the help offers: what a command takes, under the heading where it belongs.

use super::*;

/// The long help of a subcommand.
fn help(path: &str) -> String {
    let mut cli = Cli::command();
    cli.build();
    let mut command = &mut cli;
    for name in path.split(' ') {
        command = command.find_subcommand_mut(name).unwrap();
    }
    command.render_long_help().to_string()
}

/// What stands below a heading, to the next one.
fn below<'h>(help: &'h str, heading: &str) -> &'h str {
    let rest = help.split_once(&format!("\n{heading}:\n")).unwrap().1;
    let end = rest
        .match_indices("\n\n")
        .map(|(at, _)| at)
        .find(|at| rest[at + 2..].starts_with(|c: char| c.is_ascii_uppercase()));
    &rest[..end.unwrap_or(rest.len())]
}

#[test]
fn the_way_to_a_server_is_no_matter_of_openid() {
    let help = help("token");
    let provider = below(&help, "With an OpenID provider (eHealth)");
    assert!(provider.contains("--introspect"), "{provider}");
    let options = below(&help, "Options");
    for option in ["--cacert", "--timeout", "--call", "--all-pages"] {
        assert!(!provider.contains(option), "{option} in: {provider}");
        assert!(options.contains(option), "no {option} in: {options}");
    }
}

#[test]
fn what_is_refused_is_not_offered() {
    for (path, offered, not_offered) in [
        ("token", "ehealth", "itsme"),
        ("token", "--realm", "--endpoint"),
        ("ishare party", "ishare-1", "fiam"),
        ("ishare check", "ishare-1", "ehealth"),
        ("ishare trusted-list", "--audience", "--realm"),
        ("ishare trusted-list", "--chain", "--endpoint"),
        ("ishare party", "--certificate", "--kid"),
    ] {
        let help = help(path);
        assert!(help.contains(offered), "{path}: no {offered}");
        assert!(!help.contains(not_offered), "{path}: {not_offered}");
    }
    // Who gives it all the same learns why not.
    let itsme = format!("token --scheme itsme {KEY} --client-id c");
    let cli = parse(&format!("privyseal {itsme}")).unwrap_or_else(|error| panic!("{error}"));
    let text = cli.command.run().unwrap_err().to_string();
    assert!(text.contains("privyseal ciba"), "{text}");
}

/// Which option names the file that cannot be read, or holds something else.
#[test]
fn a_file_of_no_use_is_named_with_its_option() {
    let token = format!("token --scheme fiam {KEY} --client-id EU.EORI.NL1 --base-url https://a");
    let ishare = format!(
        "ishare party EU.EORI.NL1 --scheme ishare {KEY} --audience EU.EORI.NL1 --base-url https://a"
    );
    let request = format!(
        "sign --scheme itsme {KEY} --endpoint request --client-id c --kid k --scope openid"
    );
    for (line, option) in [
        (token.clone(), "--cacert"),
        (token, "--chain"),
        (format!("{ishare} --trust Cargo.toml"), "--certificate"),
        (ishare.clone(), "--trust"),
        ("chain".to_owned(), "--chain"),
        ("chain --chain token".to_owned(), "--crl"),
        ("check a.b.c".to_owned(), "--trust"),
        ("check a.b.c".to_owned(), "--jwks"),
        (request, "--user-identifier-token-file"),
        (format!("doctor {KEY} --server https://a"), "--cacert"),
    ] {
        let line = format!("privyseal {line} {option} /nowhere/f");
        let cli = parse(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let error = cli.command.run().unwrap_err();
        let expected = format!("{option} /nowhere/f cannot be read: ");
        assert!(error.to_string().starts_with(&expected), "{line}: {error}");
        assert_eq!(Exit::of(&error), Exit::Usage, "{line}");
    }
    let line =
        format!("privyseal token --scheme fiam {KEY} --cacert Cargo.toml --client-id EU.EORI.NL1");
    let cli = parse(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let text = cli.command.run().unwrap_err().to_string();
    assert!(
        text.starts_with("--cacert Cargo.toml cannot be used: the file holds no certificate"),
        "{text}"
    );
}

/// A limit for what is not asked for would be ignored.
#[test]
fn the_doctor_has_a_limit_for_its_server() {
    for (more, is_taken) in [
        ("", true),
        ("--server https://a --timeout 5 --cacert f", true),
        ("--timeout 5", false),
        ("--cacert f", false),
        ("--server https://a --timeout 0", false),
    ] {
        let line = format!("privyseal doctor {KEY} {more}");
        assert_eq!(parse(&line).is_ok(), is_taken, "{line}");
    }
}

#[test]
fn each_exit_code_stands_in_the_help() {
    let (_, codes) = AFTER_HELP.split_once("Exit codes:").unwrap();
    for (exit, _) in exit::EXITS {
        let code = exit.code();
        assert!(
            codes.contains(&format!(" {code} ")) || codes.contains(&format!("\n{code} ")),
            "{code}"
        );
    }
}

/// A plan that waits for nothing would have a new key sign before anybody has read it.
#[test]
fn a_plan_waits() {
    for (seconds, is_taken) in [
        ("0", false),
        ("59", false),
        ("60", true),
        ("99999999999", false),
    ] {
        let line = format!("privyseal rotate plan old new --cache {seconds}");
        assert_eq!(parse(&line).is_ok(), is_taken, "{line}");
    }
}

/// Wrong usage, not a rule that a token breaks.
#[test]
fn milliseconds_are_no_moment() {
    let error = options::moment("--now", Some(1_795_996_068_000)).unwrap_err();
    assert_eq!(Exit::of(&error).code(), 2);
    assert!(error.to_string().contains("seconds since 1970"), "{error}");
}
