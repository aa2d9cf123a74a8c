//! A list server, honest and otherwise.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::thread::sleep;
use std::time::Instant;

use privyseal::pki::crl::Crl;
use privyseal::pki::pem;
use privyseal::pki::revocation::{RevocationOptions, RevocationPlaces};
use privyseal_test_base::privyseal as built;
use privyseal_test_base::tool::command;
use privyseal_test_pki::der::{element, elements};

use super::*;
use crate::server::Server;

/// A list that was good in January 2020.
const STALE: [&str; 4] = [
    "-crl_lastupdate",
    "20200101000000Z",
    "-crl_nextupdate",
    "20200201000000Z",
];

fn stage() -> (Server, Ca, Certificates) {
    let server = Server::new();
    let ca = Ca::new(&server.url);
    let leaf = ca.issue("leaf", "listed");
    (server, ca, leaf)
}

#[test]
fn a_list_is_fetched_once_until_its_next_update() {
    let (server, ca, leaf) = stage();
    server.answers(ca.list(&[]));
    let fetcher = fetcher();
    for _ in 0..3 {
        assert_eq!(judge(&ca, &leaf, &fetcher), Ok(()));
    }
    assert_eq!(server.requests(), 1);
    ca.revoke("leaf");
    server.answers(ca.list(&[]));
    let revoked = judge(&ca, &leaf, &super::fetcher());
    assert!(matches!(revoked, Err(PathRule::Revoked(_))), "{revoked:?}");
}

/// However many CAs, and however many addresses a certificate has.
#[test]
fn each_of_many_lists_is_fetched_once_and_of_one_certificate_four_at_most() {
    let (server, ca, _) = stage();
    server.answers(ca.list(&[]));
    let fetcher = fetcher();
    let now = privyseal::base::clock::now().unwrap();
    let lists = |urls: Vec<String>, may_ask: bool| {
        let mut places = RevocationPlaces::default();
        places.lists = urls;
        let place = |_: &str| may_ask.then_some(());
        fetcher
            .lists_where(&places, now, Instant::now(), place)
            .len()
    };
    let url = |number| format!("{}/list/{number}", server.url);
    for may_ask in [true, false] {
        for number in 0..200 {
            assert_eq!(lists(vec![url(number)], may_ask), 1);
        }
        assert_eq!(server.requests(), 200);
    }
    // Who gets no place to wait gets what is kept, and nobody is asked.
    assert_eq!(lists(vec![url(200)], false), 0);
    assert_eq!(lists((1000..1100).map(url).collect(), true), 4);
    assert_eq!(server.requests(), 204);
}

#[test]
fn what_is_given_is_asked_before_the_server() {
    let (server, ca, leaf) = stage();
    let lists = Crl::from_bytes(&ca.list(&[])).unwrap();
    let fetcher = fetcher();
    let mut revocation = RevocationOptions::files(&lists);
    revocation.fetch = Some(&fetcher);
    assert_eq!(judge_by(&ca, &leaf, revocation), Ok(()));
    assert_eq!(server.requests(), 0);
}

#[test]
fn unknown_fails_unless_it_is_allowed() {
    let (server, ca, leaf) = stage();
    server.answers(Vec::new());
    let fetcher = fetcher();
    assert_unknown(judge(&ca, &leaf, &fetcher));
    assert!(
        fetcher
            .take_faults()
            .iter()
            .any(|fault| fault.contains("/list"))
    );
    let mut revocation = RevocationOptions::default();
    revocation.fetch = Some(&fetcher);
    revocation.allow_unknown = true;
    assert_eq!(judge_by(&ca, &leaf, revocation), Ok(()));
}

#[test]
fn wrong_and_stale_lists_tell_nothing() {
    let (server, ca, leaf) = stage();
    let other = Ca::of_another_key(&server.url);
    let future = [
        "-crl_lastupdate",
        "20900101000000Z",
        "-crl_nextupdate",
        "20900201000000Z",
    ];
    for (body, expected) in [
        (b"<html>Gone</html>".to_vec(), Unknown::NotCovered),
        (other.list(&[]), Unknown::Signature),
    ] {
        server.answers(body);
        assert_eq!(assert_unknown(judge(&ca, &leaf, &fetcher())), expected);
    }
    server.answers(ca.list(&STALE));
    assert!(matches!(
        assert_unknown(judge(&ca, &leaf, &fetcher())),
        Unknown::Stale { .. }
    ));
    server.answers(ca.list(&future));
    assert!(matches!(
        assert_unknown(judge(&ca, &leaf, &fetcher())),
        Unknown::NotYetValid { .. }
    ));
}

#[test]
fn a_stale_list_that_revokes_is_believed() {
    let (server, ca, leaf) = stage();
    ca.revoke("leaf");
    server.answers(ca.list(&STALE));
    let outcome = judge(&ca, &leaf, &fetcher());
    assert!(matches!(outcome, Err(PathRule::Revoked(_))), "{outcome:?}");
}

/// The list, its fields changed and signed again.
fn rewritten(ca: &Ca, list: &[u8], change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let outer = elements(&pem::blocks(list).unwrap()[0].der);
    let mut fields = elements(&outer[0]);
    change(&mut fields);
    let tbs = element(0x30, &fields.concat());
    std::fs::write(ca.path().join("tbs"), &tbs).unwrap();
    let signature = ca.openssl(&["dgst", "-sha256", "-sign", "ca.key", "tbs"]);
    let signature = element(3, &[&[0][..], &signature].concat());
    element(0x30, &[tbs, outer[1].clone(), signature].concat())
}

#[test]
fn a_list_without_next_update_is_not_good_for_ever() {
    let (_server, ca, leaf) = stage();
    let judge = |options: &[&str]| {
        // Version, algorithm, issuer, thisUpdate, nextUpdate.
        let list = rewritten(&ca, &ca.list(options), |fields| drop(fields.remove(4)));
        let lists = Crl::from_bytes(&list).unwrap();
        assert_eq!(lists[0].next_update(), None);
        judge_by(&ca, &leaf, RevocationOptions::files(&lists))
    };
    assert_eq!(judge(&[]), Ok(()));
    let unknown = assert_unknown(judge(&STALE));
    assert!(matches!(unknown, Unknown::Stale { .. }), "{unknown:?}");
}

/// What is written in two ways would be found in one of them only.
#[test]
fn a_list_whose_serial_numbers_are_not_der_is_refused() {
    let (_server, ca, _) = stage();
    ca.revoke("leaf");
    let list = ca.list(&[]);
    let read = |serial: Option<&[u8]>| {
        Crl::from_bytes(&rewritten(&ca, &list, |fields| {
            let mut entry = elements(&elements(&fields[5])[0]);
            if let Some(serial) = serial {
                entry[0] = element(2, serial);
            }
            fields[5] = element(0x30, &element(0x30, &entry.concat()));
        }))
    };
    for good in [None, Some(&[0, 0x80][..]), Some(&[0xff, 1])] {
        assert!(read(good).is_ok(), "{good:?}");
    }
    for bad in [&[0, 1][..], &[0, 0, 0x80], &[0xff, 0x80], &[]] {
        assert!(read(Some(bad)).is_err(), "{bad:?}");
    }
}

/// The inner algorithm is the outer one, as a whole (RFC 5280 section 5.1.1.2).
#[test]
fn a_list_whose_inner_algorithm_is_another_element_is_refused() {
    let (_server, ca, _) = stage();
    let list = ca.list(&[]);
    let read = |tag| Crl::from_bytes(&rewritten(&ca, &list, |fields| fields[1][0] = tag));
    assert!(read(0x30).is_ok());
    assert!(read(0x31).is_err());
}

#[test]
fn a_good_list_decides_beside_a_stale_one_and_one_of_a_former_key() {
    let (_server, ca, leaf) = stage();
    let good = ca.list(&[]);
    let stale = ca.list(&STALE);
    let former = Ca::of_another_key("http://127.0.0.1:1");
    let former = former.list(&[]);
    for lists in [[&stale, &good, &former], [&former, &good, &stale]] {
        let lists: Vec<_> = lists
            .into_iter()
            .flat_map(|list| Crl::from_bytes(list).unwrap())
            .collect();
        assert_eq!(
            judge_by(&ca, &leaf, RevocationOptions::files(&lists)),
            Ok(())
        );
    }
}

#[test]
fn of_two_lists_of_one_second_the_revoking_one_decides() {
    let (_server, ca, leaf) = stage();
    let dates = [
        "-crl_lastupdate",
        "20260101000000Z",
        "-crl_nextupdate",
        "20460101000000Z",
    ];
    let good = ca.list(&dates);
    ca.revoke("leaf");
    let revoking = ca.list(&dates);
    for lists in [[&good, &revoking], [&revoking, &good]] {
        let lists: Vec<_> = lists
            .into_iter()
            .flat_map(|list| Crl::from_bytes(list).unwrap())
            .collect();
        let outcome = judge_by(&ca, &leaf, RevocationOptions::files(&lists));
        assert!(matches!(outcome, Err(PathRule::Revoked(_))), "{outcome:?}");
    }
}

#[test]
fn a_list_of_another_distribution_point_does_not_cover() {
    let (server, ca, leaf) = stage();
    let config = std::fs::read_to_string(ca.path().join("config")).unwrap();
    let part = |name: &str| {
        let point = format!(
            "[list]\nissuingDistributionPoint = critical,@part\n[part]\nfullname = URI:{}/{name}\n[was]\n",
            server.url
        );
        std::fs::write(ca.path().join("config"), config.replace("[list]\n", &point)).unwrap();
        Crl::from_bytes(&ca.list(&[])).unwrap()
    };
    let other = part("part1");
    let outcome = judge_by(&ca, &leaf, RevocationOptions::files(&other));
    assert_eq!(assert_unknown(outcome), Unknown::NotCovered);
    let own = part("list");
    assert_eq!(judge_by(&ca, &leaf, RevocationOptions::files(&own)), Ok(()));
}

#[test]
fn no_place_is_asked_once_the_time_for_all_is_over() {
    let (server, ca, leaf) = stage();
    server.answers(ca.list(&[]));
    let fetcher = fetcher().within(Duration::ZERO);
    assert_unknown(judge(&ca, &leaf, &fetcher));
    assert_eq!(server.requests(), 0);
    let faults = fetcher.take_faults().join(" ");
    assert!(faults.contains("was not asked: 0 s were spent"), "{faults}");
    assert_eq!(judge(&ca, &leaf, &super::fetcher()), Ok(()));
}

/// The variable is the process's: so it is the command that asks.
#[test]
fn plain_http_goes_by_way_of_the_proxy_for_it() {
    let (server, ca, _) = stage();
    server.answers(ca.list(&[]));
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = proxy.accept().unwrap();
        let mut lines = BufReader::new(&stream).lines().map(Result::unwrap);
        let head = lines.next().unwrap();
        // All of it is read, or the answer is lost with the connection.
        lines.find(String::is_empty);
        stream.write_all(b"HTTP/1.1 403 No\r\n\r\n").unwrap();
        head
    });
    let file = ca.path().join("chain.pem");
    let pem = ["leaf.pem", "ca.pem"].map(|name| std::fs::read(ca.path().join(name)).unwrap());
    std::fs::write(&file, pem.concat()).unwrap();
    let program = built::path().display().to_string();
    let words = ["chain", "--revocation", "online", "--chain"];
    let mut command = command(&program, words);
    let said = command.arg(&file).env("http_proxy", url).output().unwrap();
    let stderr = String::from_utf8(said.stderr).unwrap();
    assert!(
        stderr.contains("the proxy that the environment names"),
        "{stderr}"
    );
    assert!(asked.join().unwrap().starts_with("CONNECT 127.0.0.1:"));
    assert_eq!(server.requests(), 0);
}

#[test]
fn partial_redirecting_slow_and_huge_answers_tell_nothing() {
    let (server, ca, leaf) = stage();
    let list = ca.list(&[]);
    let elsewhere = Server::new();
    elsewhere.answers(list.clone());
    let assert_nothing = |what: &str| {
        assert_unknown(judge(&ca, &leaf, &fetcher()));
        assert!(server.requests() > 0, "{what}");
    };
    let half = list[..list.len() / 2].to_vec();
    server.answers_by(move |_, _, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n");
        let _ = stream.write_all(&half);
    });
    assert_nothing("partial");
    let location = elsewhere.url.clone();
    server.answers_by(move |_, _, stream| {
        let head =
            format!("HTTP/1.1 302 Found\r\nLocation: {location}/list\r\nContent-Length: 0\r\n\r\n");
        let _ = stream.write_all(head.as_bytes());
    });
    assert_nothing("redirecting");
    assert_eq!(elsewhere.requests(), 0);
    server.answers_by(move |_, _, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n");
        while stream.write_all(b"-").is_ok() {
            sleep(Duration::from_millis(100));
        }
    });
    assert_nothing("slow");
    server.answers_by(move |_, _, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        let chunk = vec![b'-'; 1 << 20];
        while stream.write_all(&chunk).is_ok() {}
    });
    assert_nothing("huge");
}
