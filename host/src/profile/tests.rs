use super::*;

const KEY: &str = "key = 'pkcs11:token=T;object=K?pin-source=file:/run/pin'";

/// Reads a file of this text.
fn read(text: &str) -> Result<Profiles, ProfileError> {
    use core::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("privyseal-profile-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, text).unwrap();
    let read = Profiles::from_file(&path);
    std::fs::remove_file(&path).unwrap();
    read
}

fn shown(profile: &Profile) -> Vec<String> {
    let members = profile.members();
    members
        .map(|(name, value, _)| format!("{name} = {value}"))
        .collect()
}

#[test]
fn what_is_wrong_has_a_line_and_no_pin() {
    for (text, line, words) in [
        (
            "[profile.a]\nscheme = 'FIAM'",
            2,
            "profile.a.scheme is no scheme; known are fiam",
        ),
        (
            "[profile.a]\n\nclientid = 'x'",
            3,
            "profile.a.clientid is not known; known are scheme, key",
        ),
        (
            "[profile.a]\nkey = 'pkcs11:token=T?pin-value=471147'",
            2,
            "holds a PIN",
        ),
        (
            "[profile.a]\nkey = ['pkcs11:token=T', '471147']",
            2,
            "is refused: the key's name is no URI",
        ),
        ("[profile.a]\nkey = []", 2, "is not a key's URI"),
        (
            "[profile.a]\nbase-url = 'http://a'",
            2,
            "is refused: the URL is not https",
        ),
        (
            "[profile.a]\ntimeout = 601",
            2,
            "is 601, which is not 1 to 600",
        ),
        (
            "[profile.a]\ntimeout = -1",
            2,
            "is not a whole number of 0 or",
        ),
        ("[profile.a]\nbackdate = 6", 2, "is 6, which is not 0 to 5"),
        ("[profile.a]\ntimeout = '1'", 2, "is not a whole number"),
        (
            "[profile.a]\nkid = 'k'\nkid-form = 'rfc7638'",
            3,
            "is there with kid; one of them",
        ),
        (
            "[profile.a]\nallow-uids = ['root']",
            2,
            "is not a list of numbers of users",
        ),
        (
            "[profile.a]\nrefuse-extractable = 1",
            2,
            "is not true or false",
        ),
        ("[profile.'a b']", 1, "a profile's name has"),
        ("[profile.a]\n[profile.a]", 2, "duplicate key"),
        ("[profiles.a]", 1, "unknown field `profiles`"),
        ("scheme = ", 1, ""),
    ] {
        let error = read(text).unwrap_err();
        let ProfileError::File {
            line: found,
            problem,
            ..
        } = &error
        else {
            panic!("{text}: {error}");
        };
        assert_eq!(*found, line, "{text}: {error}");
        assert!(problem.contains(words), "{text}: {error}");
        assert!(!format!("{error} {error:?}").contains("471147"), "{error}");
    }
}

/// What `sign` would refuse before it opens the key.
#[test]
fn a_check_finds_what_does_not_fit_together() {
    let check = |members: &str| {
        let profiles = read(&format!("[profile.a]\n{KEY}\n{members}")).unwrap();
        profiles.get("a").unwrap().check()
    };
    let fiam = "scheme = 'fiam'\nclient-id = 'EU.EORI.NL123456789'";
    let itsme = "scheme = 'itsme'\nendpoint = 'token'";
    check(fiam).unwrap();
    check(&format!("{itsme}\nclient-id = 'a'\nkid = 'k'")).unwrap();
    for (members, words) in [
        ("scheme = 'fiam'\nclient-id = '123'".to_owned(), "client_id"),
        (
            format!("{fiam}\nkid = 'k'"),
            "sends its certificate chain and no kid",
        ),
        (itsme.to_owned(), "client id"),
        (
            format!("{itsme}\nclient-id = 'a'\nchain = 'token'\nkid = ' '"),
            "kid",
        ),
    ] {
        let error = check(&members).unwrap_err().to_string();
        assert!(error.contains(words), "{members}: {error}");
    }
}

#[test]
fn the_environment_replaces_members() {
    let text = format!("[profile.kpn]\nscheme = 'fiam'\n{KEY}\nkid = 'old'\nchain = 'c.pem'");
    let profiles = read(&text).unwrap();
    let profile = |variables: &[(&str, &str)], name| {
        profiles.profile_in(name, |wanted| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).into())
        })
    };
    let kpn = profile(&[], Some("kpn")).unwrap();
    let chain = std::env::temp_dir().join("c.pem");
    assert_eq!(
        shown(&kpn),
        [
            r#"scheme = "fiam""#,
            r#"key = "pkcs11:token=T;object=K?pin-source=file:/run/pin""#,
            &format!("chain = {chain:?}"),
            r#"kid = "old""#,
        ]
    );
    let variables = [
        ("PRIVYSEAL_PROFILE", "kpn"),
        ("PRIVYSEAL_KID_FORM", "keycloak"),
        ("PRIVYSEAL_CHAIN", "token"),
        ("PRIVYSEAL_TIMEOUT", "7"),
        ("PRIVYSEAL_ALLOW_UIDS", "0"),
        ("PRIVYSEAL_REALM", ""),
    ];
    let changed = profile(&variables, None).unwrap();
    assert_eq!(
        shown(&changed)[2..],
        [
            r#"chain = "token""#,
            r#"kid-form = "keycloak""#,
            "timeout = 7"
        ]
    );
    let (_, _, origin) = changed.members().last().unwrap();
    assert_eq!(origin.to_string(), "the variable PRIVYSEAL_TIMEOUT");

    let error = profile(&[("PRIVYSEAL_TIMEOUT", "soon")], None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the variable PRIVYSEAL_TIMEOUT is not a whole number of 0 or more"
    );
    let error = profile(
        &[("PRIVYSEAL_KEY", "pkcs11:token=T?pin-value=471147")],
        None,
    );
    assert!(!error.unwrap_err().to_string().contains("471147"));
    let error = profile(&[], Some("kpm")).unwrap_err();
    assert_eq!(error.to_string(), "there is no profile kpm; there are kpn");
}

#[test]
fn what_a_client_needs_is_named() {
    let profiles = read("[profile.a]\nscheme = 'fiam'\n[profile.b]\nscheme = 'itsme'").unwrap();
    let error = profiles.get("a").unwrap().check().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the profile a has no key, which a client needs"
    );
    let error = profiles.get("b").unwrap().assertion_options().unwrap_err();
    assert!(
        error.to_string().contains("one of them must be chosen"),
        "{error}"
    );
}

/// The path of the token endpoint is the profile's where it has one.
#[test]
fn the_server_is_below_the_base_url() {
    let text = "[profile.a]\nscheme = 'fiam'\nbase-url = 'https://as.example/x/'\ntoken-path = '/oauth2.0/token'";
    let profiles = read(text).unwrap();
    let server = profiles.get("a").unwrap().server().unwrap();
    let url = server.base().token_endpoint("/token").unwrap();
    assert_eq!(url.to_string(), "https://as.example/x/oauth2.0/token");
}

/// A scheme of the file's own is named like a built-in one; the profile of another file keeps the one that it meant.
#[test]
fn a_scheme_of_ones_own_stands_beside_the_profiles() {
    let scheme = |lifetime: &str| {
        format!(
            "[scheme.acme]\nkey = 'kid'\naudience = 'https://as.example/token'\nlifetime = {lifetime}\n\
             [scheme.acme.token-request]\npath = '/token'\n"
        )
    };
    let text = format!(
        "[profile.a]\nscheme = 'acme'\n{KEY}\nclient-id = 'me'\n{}",
        scheme("60")
    );
    let profiles = read(&text).unwrap();
    assert_eq!(profiles.schemes().len(), 1);
    let named = |name: &str| {
        let set = |variable: &str| (variable == "PRIVYSEAL_SCHEME").then(|| name.into());
        profiles.profile_in(Some("a"), set)
    };
    let of_file = profiles.get("a").unwrap();
    of_file.check().unwrap();
    assert_eq!(of_file.scheme().unwrap().name(), "acme");
    assert_eq!(of_file.assertion_options().unwrap().audience, None);
    assert_eq!(named("fiam").unwrap().scheme().unwrap().name(), "fiam");
    assert_eq!(named("acme").unwrap(), {
        let mut same = of_file.clone();
        let origin = Origin::Variable("PRIVYSEAL_SCHEME".into());
        same.values
            .insert("scheme", (Value::Text("acme".into()), origin));
        same
    });
    let error = named("acne").unwrap_err().to_string();
    assert!(error.ends_with("itsme, ehealth, acme"), "{error}");

    // Read again it is the same; with other rules it is not.
    assert_eq!(
        read(&text).unwrap().get("a").unwrap().scheme().ok(),
        of_file.scheme().ok()
    );
    let other = read(&text.replace("= 60", "= 61")).unwrap();
    assert_ne!(other.get("a").unwrap().scheme().ok(), of_file.scheme().ok());
    let error = read(&scheme("0")).unwrap_err().to_string();
    assert!(error.contains("line 4: scheme.acme: "), "{error}");
}

/// A caller who names the audience needs none in the profile, and is held to the scheme's rule.
#[test]
fn an_audience_can_be_given_for_each_assertion() {
    let profiles = read("[profile.a]\nscheme = 'ishare'\n[profile.b]\nscheme = 'fiam'").unwrap();
    let open = profiles.get("a").unwrap();
    let given = "did:ishare:EU.NL.NTRNL-90000009";
    assert!(open.assertion_options().is_err());
    for options in [
        open.assertion_options_with(given),
        open.assertion_options_for(given),
    ] {
        assert_eq!(options.unwrap().audience.as_deref(), Some(given));
    }
    assert!(open.assertion_options_with("nobody").is_err());
    let fixed = profiles.get("b").unwrap();
    assert!(fixed.assertion_options_with(given).is_err());
    let error = fixed.assertion_options_for(given).unwrap_err();
    assert!(matches!(error, ProfileError::OtherAudience), "{error}");
}
