//! A leaf that is trusted itself: its issuer may still have revoked it.

use privyseal::pki::crl::Crl;

use super::*;
use crate::server::{Server, ok};

/// How `leaf` is judged, with its issuer beside it or not, by who trusts `trust`.
fn judge_pinned(
    given: &[&Certificates],
    trust: &[&Certificates],
    revocation: RevocationOptions<'_>,
) -> Result<(), PathRule> {
    let all = |certificates: &[&Certificates]| {
        let ders = certificates.iter().flat_map(|some| some.iter());
        Certificates::from(ders.map(<[u8]>::to_vec).collect::<Vec<_>>())
    };
    let options = PathOptions::at(privyseal::base::clock::now().unwrap());
    match all(given).prove(&all(trust), &options, revocation) {
        Ok(_) => Ok(()),
        Err(PathError::Broken { position: 0, rule }) => Err(rule),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn its_issuers_list_decides_whether_unknown_is_allowed_or_not() {
    let ca = Ca::new("http://127.0.0.1:1");
    let leaf = ca.issue("leaf", "plain");
    let (root, pinned) = (ca.root(), [&leaf]);
    let good = Crl::from_bytes(&ca.list(&[])).unwrap();
    ca.revoke("leaf");
    let revoked = Crl::from_bytes(&ca.list(&[])).unwrap();
    for allow_unknown in [false, true] {
        let by = |lists| {
            let mut options = RevocationOptions::files(lists);
            options.allow_unknown = allow_unknown;
            options
        };
        // The issuer stands beside the leaf, or is trusted, too.
        for (given, trust) in [
            (&[&leaf, &root][..], &pinned[..]),
            (&pinned, &[&leaf, &root]),
            (&pinned, &[&root, &leaf]),
        ] {
            assert_eq!(judge_pinned(given, trust, by(&good)), Ok(()));
            let outcome = judge_pinned(given, trust, by(&revoked));
            assert!(matches!(outcome, Err(PathRule::Revoked(_))), "{outcome:?}");
        }
        let outcome = judge_pinned(&pinned, &pinned, by(&good));
        let expected = PathRule::RevocationUnknown(Unknown::NotCovered);
        assert_eq!(outcome, if allow_unknown { Ok(()) } else { Err(expected) });
    }
}

#[test]
fn it_does_not_speak_for_itself() {
    let server = Server::new();
    let ca = std::sync::Arc::new(Ca::new(&server.url));
    let leaf = ca.issue("leaf", "asked");
    let for_server = std::sync::Arc::clone(&ca);
    // As if it were its own issuer.
    server.answers_by(move |_, request, stream| {
        ok(
            stream,
            &for_server.respond(request, "leaf", &["-CA", "leaf.pem"]),
        );
    });
    let fetcher = fetcher();
    let mut revocation = RevocationOptions::default();
    revocation.fetch = Some(&fetcher);
    assert_unknown(judge_pinned(&[&leaf], &[&leaf], revocation));
    assert_unknown(judge_pinned(&[&leaf, &ca.root()], &[&leaf], revocation));
}

#[test]
fn nobody_revokes_one_that_signed_itself() {
    let ca = Ca::new("http://127.0.0.1:1");
    let list = Crl::from_bytes(&ca.list(&[])).unwrap();
    let root = ca.root();
    let outcome = judge_pinned(&[&root], &[&root], RevocationOptions::files(&list));
    assert_eq!(outcome, Ok(()));
}
