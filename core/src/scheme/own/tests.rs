use super::*;
use std::boxed::Box;
use std::vec::Vec;

const TOKEN_REQUEST: OwnTokenRequest = OwnTokenRequest {
    path: "/token",
    base_url: Some("https://as.example"),
    scope: Some("read write"),
    client_id: true,
    members: &[("resource", "https://api.example")],
};

const RULES: OwnRules = OwnRules {
    name: "acme",
    title: "ACME",
    key_reference: KeyReference::Kid,
    client_id: &[IdSyntax::Opaque],
    audience: OwnAudience::Only("https://as.example/token"),
    lifetime: Lifetime::new(60, 1, MAX_OWN_LIFETIME),
    not_before: NotBefore::Absent,
    token_request: TOKEN_REQUEST,
};

fn text(len: usize) -> &'static str {
    Box::leak("a".repeat(len).into_boxed_str())
}

fn path(len: usize) -> &'static str {
    Box::leak(std::format!("/{}", "a".repeat(len.saturating_sub(1))).into_boxed_str())
}

fn members(count: usize, len: usize) -> &'static [(&'static str, &'static str)] {
    let members = (0..count).map(|n| (text(MAX_FORM_NAME.saturating_sub(n)), text(len)));
    Box::leak(members.collect::<Vec<_>>().into_boxed_slice())
}

/// The largest of everything works.
#[test]
fn at_capacity_it_works() {
    let rules = OwnRules {
        name: text(MAX_SCHEME_NAME),
        title: text(MAX_SCHEME_TITLE),
        audience: OwnAudience::Only(text(MAX_AUDIENCE)),
        token_request: OwnTokenRequest {
            path: path(MAX_TOKEN_PATH),
            scope: Some(text(MAX_SCOPE)),
            members: members(MAX_FORM_MEMBERS, MAX_FORM_VALUE),
            ..TOKEN_REQUEST
        },
        ..RULES
    };
    let scheme = OwnScheme::new(&rules).unwrap();
    assert_eq!(scheme.name(), rules.name);
    assert_eq!(scheme.algorithms().value(), [Algorithm::Rs256]);
    assert!(scheme.issued_at_required().value());
    assert_eq!(scheme.built_in(), None);
}

#[test]
fn its_one_audience_is_the_only_one() {
    let scheme = OwnScheme::new(&RULES).unwrap();
    let own = Audience::new("https://as.example/token").unwrap();
    let other = Audience::new("https://as.example/other").unwrap();
    assert_eq!(scheme.choose_audience(None), Ok(own));
    assert_eq!(scheme.choose_audience(Some(own)), Ok(own));
    let error = scheme.choose_audience(Some(other)).unwrap_err();
    assert_eq!(error.field, Field::Audience);
}

fn refused(rules: OwnRules) -> Field {
    OwnScheme::new(&rules).unwrap_err().field
}

#[test]
fn bounds_cannot_be_loosened() {
    for (default, min, max) in [
        (60, 1, MAX_OWN_LIFETIME + 1),
        (60, 0, 60),
        (0, 0, 0),
        (61, 1, 60),
        (1, 2, 60),
        (60, 61, 60),
    ] {
        let lifetime = Lifetime::new(default, min, max);
        let field = refused(OwnRules { lifetime, ..RULES });
        assert_eq!(field, Field::Lifetime, "{default} {min} {max}");
    }
    for name in ["a1", "a-2-b", "3"] {
        assert!(
            OwnScheme::new(&OwnRules { name, ..RULES }).is_ok(),
            "{name}"
        );
    }
    for name in [
        "fiam",
        "ishare",
        "",
        "Acme",
        "a b",
        text(MAX_SCHEME_NAME + 1),
    ] {
        let field = refused(OwnRules { name, ..RULES });
        assert_eq!(field, Field::Scheme, "{name}");
    }
    for title in ["", "a\n", text(MAX_SCHEME_TITLE + 1)] {
        assert_eq!(refused(OwnRules { title, ..RULES }), Field::SchemeTitle);
    }
    assert_eq!(
        refused(OwnRules {
            client_id: &[],
            ..RULES
        }),
        Field::ClientId
    );
    for audience in [
        OwnAudience::Only(""),
        OwnAudience::Only("a b"),
        OwnAudience::Only(text(MAX_AUDIENCE + 1)),
        OwnAudience::OfSyntax(&[]),
    ] {
        assert_eq!(refused(OwnRules { audience, ..RULES }), Field::Audience);
    }
}

#[test]
fn a_token_request_is_bounded() {
    type Change = fn(&mut OwnTokenRequest);
    let own = |change: Change| {
        let mut rules = RULES;
        change(&mut rules.token_request);
        OwnScheme::new(&rules).map_err(|error| error.field)
    };
    assert!(own(|it| it.path = "").is_ok());
    assert!(own(|it| it.base_url = Some("http://127.0.0.1:8080/x")).is_ok());
    let wrong: &[(Change, Field)] = &[
        (|it| it.path = "token", Field::TokenPath),
        (|it| it.path = "/token?x=1", Field::TokenPath),
        (|it| it.path = path(MAX_TOKEN_PATH + 1), Field::TokenPath),
        (|it| it.base_url = Some("http://as.example"), Field::BaseUrl),
        (|it| it.base_url = Some(""), Field::BaseUrl),
        (|it| it.scope = Some("a  b"), Field::Scope),
        (|it| it.scope = Some(""), Field::Scope),
        (|it| it.scope = Some("a\"b"), Field::Scope),
        (|it| it.scope = Some("a\n"), Field::Scope),
        (|it| it.scope = Some(text(MAX_SCOPE + 1)), Field::Scope),
        (
            |it| it.members = &[("a", "1"), ("a", "2")],
            Field::FormMember,
        ),
        (|it| it.members = &[("a&b", "1")], Field::FormMember),
        (|it| it.members = &[("a", "\n")], Field::FormMember),
        (
            |it| it.members = members(MAX_FORM_MEMBERS + 1, 1),
            Field::FormMember,
        ),
        (
            |it| it.members = members(1, MAX_FORM_VALUE + 1),
            Field::FormMember,
        ),
    ];
    for &(change, field) in wrong {
        assert_eq!(own(change).err(), Some(field));
    }
    for name in RESERVED {
        let members: &'static [_] = Box::leak(Box::new([(*name, "x")]));
        let token_request = OwnTokenRequest {
            members,
            ..TOKEN_REQUEST
        };
        assert_eq!(
            refused(OwnRules {
                token_request,
                ..RULES
            }),
            Field::FormMember,
            "{name}"
        );
    }
}
