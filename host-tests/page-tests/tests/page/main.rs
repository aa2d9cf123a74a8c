//! The page in Chromium: it says what the command says, lets nothing out, and serves those who use a keyboard or a screen
//! reader. One run of the browser is judged by several tests.

#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

mod browser;
mod cases;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use privyseal_test_base::privyseal;
use privyseal_test_base::scratch::{ishare_chain, workspace};
use privyseal_test_base::tool::{command, output};
use privyseal_test_pki::pem_chain;
use privyseal_test_pki::pkits::{self, Policy, suite};
use serde_json::{Value, json};

use browser::{in_book, page, seen};
use cases::{HOSTILE, cases, chains, examples, invisible, pkits, requests, root};

/// 2026-06-01, and as seconds.
const NOW: u64 = 1_780_272_000;

/// Standard output of the command.
fn command_says(arguments: &[&str], input: &[u8]) -> String {
    let mut command = command(&privyseal::path().to_string_lossy(), arguments);
    String::from_utf8(output(&mut command, input).stdout).unwrap()
}

#[test]
fn of_every_token_it_says_what_the_command_says() {
    let folder = tempfile::tempdir().unwrap();
    for (case, answer) in cases().iter().zip(&seen().answers) {
        let text = |name: &str| case[name].as_str().unwrap_or_default();
        let now = case["now"].to_string();
        let html = folder.path().join("report.html");
        let mut arguments = vec![
            "check",
            "--json",
            "--now",
            &now,
            "--html",
            html.to_str().unwrap(),
        ];
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let (trust, keys, lists) = (path("trust"), path("keys"), path("lists"));
        for (name, option, file) in [
            ("trust", "--trust", &trust),
            ("keys", "--jwks", &keys),
            ("lists", "--crl", &lists),
        ] {
            if !text(name).is_empty() {
                fs::write(file, text(name)).unwrap();
                arguments.extend([option, file]);
            }
        }
        if !text("audience").is_empty() {
            arguments.extend(["--audience", text("audience")]);
        }
        let own = path("own.toml");
        if !text("scheme").is_empty() {
            arguments.extend(["--scheme", text("scheme")]);
        } else if !text("own").is_empty() {
            fs::write(&own, text("own")).unwrap();
            arguments.extend(["--scheme", &own]);
        }
        arguments.push("-");
        let said = command_says(&arguments, text("input").as_bytes());
        assert_eq!(answer["json"].as_str(), Some(&*said), "{case}: {answer}");
        let written = fs::read_to_string(html).unwrap();
        assert_eq!(answer["html"].as_str(), Some(&*written), "{case}");
    }
}

#[test]
fn a_token_is_taken_out_of_what_it_was_sent_in() {
    let answers = &seen().answers;
    let report = |answer: &Value| -> Value {
        serde_json::from_str(answer["json"].as_str().unwrap()).unwrap()
    };
    let alone = report(&answers[0]);
    let (cases, mut places) = (cases(), Vec::new());
    let token = cases[0]["input"].as_str().unwrap();
    for (case, answer) in cases.iter().zip(answers) {
        let (report, input) = (report(answer), case["input"].as_str().unwrap());
        if input.contains(token) && report["found_in"] != Value::Null {
            assert_eq!(report["findings"], alone["findings"]);
            places.push(report["found_in"].as_str().unwrap().to_owned());
        }
    }
    let wanted = [
        "an authorization with Bearer",
        "the form member client_assertion",
        "the member access_token",
        "characters that cannot be seen",
    ];
    assert_eq!(places, wanted);
    let encrypted = answers
        .iter()
        .filter(|answer| report(answer)["kind"] == "encrypted token");
    for answer in encrypted.clone() {
        assert!(
            answer["status"].as_str().unwrap().contains("a JWE"),
            "{answer}"
        );
        assert!(
            answer["html"].as_str().unwrap().contains("A256GCM"),
            "{answer}"
        );
    }
    assert!(encrypted.count() >= 2);
}

#[test]
fn what_nobody_sees_is_escaped_and_numbers_stay_as_they_are() {
    let seen = seen();
    let html = |answer: &Value| answer["html"].as_str().unwrap_or_default().to_owned();
    let all: Vec<_> = seen.answers.iter().chain(&seen.chains).map(html).collect();
    let invisible: BTreeSet<_> = invisible().chars().collect();
    assert!(
        invisible.len() > 200 && invisible.contains(&'\u{202e}'),
        "{invisible:?}"
    );
    for html in &all {
        assert!(!html.chars().any(|c| invisible.contains(&c)), "{html}");
    }
    for wanted in [
        "\\u{200b}",
        "\\u{e0041}",
        "<code>b</code></dt><dd>1.50</dd></div><div><dt><code>a</code></dt><dd>12345678901234567890123</dd>",
        "<code>e</code></dt><dd>1E2</dd></div><div><dt><code>b</code></dt><dd>A</dd>",
        "{&quot;y&quot;:1,&quot;x&quot;:-0.0,&quot;y&quot;:2}",
    ] {
        assert!(all.iter().any(|html| html.contains(wanted)), "{wanted}");
    }
}

/// How long a token takes is said and not judged: the machine may be busy.
#[test]
fn it_says_how_long_it_takes() {
    let took = seen().answers.iter().map(|answer| answer["took"].as_f64());
    let mut took: Vec<_> = took.map(Option::unwrap).collect();
    took.sort_by(f64::total_cmp);
    let at = |percent: usize| took[(took.len() - 1) * percent / 100];
    let (count, half, most) = (took.len(), at(50), at(99));
    // Past what holds back the output of tests that pass.
    let said = format!("{count} inputs: half within {half:.1} ms, 99 % within {most:.1} ms");
    writeln!(std::io::stdout(), "{said}").unwrap();
    assert!(half > 0.0);
}

#[test]
fn of_every_chain_it_says_what_the_command_says() {
    let folder = tempfile::tempdir().unwrap();
    let chains = chains();
    let (trusted, html) = (
        folder.path().join("root.pem"),
        folder.path().join("chain.html"),
    );
    fs::write(&trusted, root()).unwrap();
    assert_eq!(seen().chains.len(), 2 * chains.len());
    let (now, trusted) = (NOW.to_string(), trusted.to_str().unwrap());
    for (chain, answers) in chains.iter().zip(seen().chains.chunks(2)) {
        let path = folder.path().join("chain");
        fs::write(&path, chain).unwrap();
        let path = path.to_str().unwrap();
        let words = [
            "chain",
            "--json",
            "--now",
            &now,
            "--chain",
            path,
            "--html",
            html.to_str().unwrap(),
        ];
        for (more, answer) in [&[][..], &["--trust", trusted]].iter().zip(answers) {
            let said = command_says(&[&words[..], more].concat(), b"");
            assert_eq!(answer["json"].as_str(), Some(&*said), "{answer}");
            let written = fs::read_to_string(&html).unwrap();
            assert_eq!(answer["html"].as_str(), Some(&*written), "{answer}");
        }
    }
    // The three forms of one chain are one chain.
    let (rest, seen) = (&seen().rest, &seen().chains);
    assert_eq!(seen[0]["json"], seen[2]["json"]);
    assert_eq!(seen[0]["json"], seen[4]["json"]);
    assert_eq!(
        rest["several"], seen[0]["json"],
        "a file for each certificate"
    );
    let kinds = rest["several_kinds"].as_str().unwrap();
    assert!(
        kinds.contains("file 5") && kinds.contains("certificate"),
        "{kinds}"
    );
    // Of the whole chain, of its first two, of a stranger's.
    for (place, is_trusted) in [(1, true), (9, false), (15, false)] {
        let report: Value = serde_json::from_str(seen[place]["json"].as_str().unwrap()).unwrap();
        let findings = report["findings"].as_array().unwrap();
        let passed = |it: &Value| it["text"] == "the chain leads to a trusted certificate";
        assert_eq!(findings.iter().any(passed), is_trusted, "{report}");
        assert!(is_trusted || report["valid"] == false, "{report}");
    }
}

/// Same verdict, same report, and nothing that NIST refuses is accepted.
#[test]
fn of_nists_suite_it_says_what_the_command_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (chain, trust, lists) = (path("chain"), path("trust"), path("lists"));
    let mut accepted = 0;
    for ((asked, case), answer) in pkits().iter().zip(suite().0.cases).zip(&seen().pkits) {
        for (name, file) in [("input", &chain), ("trust", &trust), ("lists", &lists)] {
            fs::write(file, asked[name].as_str().unwrap()).unwrap();
        }
        let now = pkits::NOW.to_string();
        let words = ["chain", "--json", "--now", &now, "--chain", &chain];
        let words = [&words[..], &["--trust", &trust, "--crl", &lists]].concat();
        let said = output(
            &mut command(&privyseal::path().to_string_lossy(), words),
            b"",
        );
        let name = &case.name;
        if said.stdout.is_empty() {
            let error = String::from_utf8(said.stderr).unwrap();
            let status = answer["status"]
                .as_str()
                .unwrap()
                .trim_start_matches("Revocation lists: ");
            assert!(
                !status.is_empty() && error.contains(status),
                "{name}: {error} {answer}"
            );
            continue;
        }
        let said = String::from_utf8(said.stdout).unwrap();
        assert_eq!(answer["json"].as_str(), Some(&*said), "{name}");
        let report: Value = serde_json::from_str(&said).unwrap();
        has_sources(&report);
        let valid = report["valid"] == true;
        // The command has no inputs about policies.
        assert!(
            !valid || case.valid || case.policy != Policy::default(),
            "{name}"
        );
        accepted += usize::from(valid);
    }
    assert!(accepted > 60, "{accepted}");
}

/// Each finding of a chain or a request says where its rule is from.
fn has_sources(report: &Value) {
    let findings = report["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    for finding in findings {
        let source = finding["source"].as_str().unwrap_or_default();
        assert!(!source.is_empty(), "{finding}");
        let said_twice = format!("({source})");
        assert!(
            !finding["text"].as_str().unwrap().contains(&said_twice),
            "{finding}"
        );
    }
}

#[test]
fn every_finding_has_its_source_in_json_and_html() {
    let (seen, mut count) = (seen(), 0);
    for answer in seen.chains.iter().chain(&seen.requests) {
        let report: Value = serde_json::from_str(answer["json"].as_str().unwrap()).unwrap();
        has_sources(&report);
        let html = answer["html"].as_str().unwrap();
        let findings = report["findings"].as_array().unwrap();
        assert_eq!(
            html.matches("<p class=\"source\">").count(),
            findings.len(),
            "{html}"
        );
        count += 1;
    }
    assert!(count > 20);
}

#[test]
fn a_certification_request_is_explained() {
    let seen = &seen().requests;
    let json = |position: usize| -> Value {
        serde_json::from_str(seen[position]["json"].as_str().unwrap()).unwrap()
    };
    assert_eq!(json(0), json(1), "PEM and DER");
    assert_eq!(json(0)["key"], "RSA-2048");
    assert_eq!(json(0)["key_usages"], json!(["nonRepudiation"]));
    assert_eq!(json(0)["subject"], r"O=Org, CN=Example \<b\>");
    let verdicts = |position: usize| {
        let json = json(position);
        let findings = json["findings"].as_array().unwrap().iter();
        findings.map(|it| it["verdict"].clone()).collect::<Vec<_>>()
    };
    let text = |position: usize, finding: usize| {
        json(position)["findings"][finding]["text"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    for (position, wanted) in [
        (0, &["passed", "passed", "passed"][..]),
        (2, &["broken", "passed", "passed"]),
        // RSA-1024, SHA-1, RSASSA-PSS with another salt, RSASSA-PSS, another curve, Ed25519.
        (3, &["not checked", "passed", "broken"]),
        (4, &["not checked", "passed", "passed"]),
        (5, &["not checked", "passed", "broken"]),
        (6, &["passed", "passed", "broken"]),
        (7, &["not checked", "passed", "broken"]),
        (8, &["passed", "passed", "broken"]),
        (
            9,
            &["passed", "passed", "passed", "passed", "passed", "passed"],
        ),
        (
            10,
            &["passed", "passed", "passed", "broken", "broken", "broken"],
        ),
        (11, &["passed", "passed", "passed", "note", "passed"]),
        (12, &["passed", "broken"]),
        (13, &["passed", "note", "passed", "passed"]),
    ] {
        assert_eq!(verdicts(position), wanted, "{position}: {}", seen[position]);
    }
    for (position, algorithm, key) in [
        (3, "sha256WithRSAEncryption", "RSA-1024"),
        (4, "sha1WithRSAEncryption", "RSA-2048"),
        (
            5,
            "RSASSA-PSS (1.2.840.113549.1.1.10)",
            "RSA-2048 for RSASSA-PSS alone",
        ),
        (7, "ecdsa-with-SHA256", "ecPublicKey"),
    ] {
        let said = text(position, 0);
        let all = ["not verified here", algorithm, key]
            .iter()
            .all(|it| said.contains(it));
        assert!(all, "{said}");
    }
    let status = seen[4]["status"].as_str().unwrap();
    assert!(status.contains("not verified here"), "{status}");
    // Each was made by its key, but for the third.
    for (position, (request, _)) in requests().iter().enumerate().skip(1) {
        let mut openssl = command("openssl", ["req", "-inform", "DER", "-verify", "-noout"]);
        let stderr = output(&mut openssl, request).stderr;
        let said = if position == 2 {
            "verify failure"
        } else {
            "verify OK"
        };
        assert!(
            String::from_utf8_lossy(&stderr).contains(said),
            "{position}"
        );
    }
    assert!(!seen[0]["html"].as_str().unwrap().contains("<b>/"));
    let html = seen[9]["html"].as_str().unwrap();
    for shown in [
        r"emailAddress=a@a.example, CN=Seal, organizationIdentifier=NTRNL-12345678, OU=Unit, O=Org\, and, C=NL",
        "nonRepudiation, keyEncipherment",
        "clientAuth (1.3.6.1.5.5.7.3.2), 1.2.3.4",
        "DNS:a.example, email:a@a.example, URI:https://a.example/, IP:10.1.2.3, othername:1.2.3:x",
        "QCP-l-qscd (0.4.0.194112.1.3)",
        "1.3.6.1.5.5.7.1.24",
        "the leaf names the party did:ishare:EU.NL.NTRNL-12345678",
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
}

/// As OpenSSL reads it: in text, in JSON, in HTML and on the page.
#[test]
fn a_certificate_is_decoded_whole_everywhere() {
    let chain = ishare_chain();
    let extensions = "authorityInfoAccess,crlDistributionPoints";
    let words = ["x509", "-inform", "DER", "-noout", "-ext", extensions];
    let read = output(&mut command("openssl", words), &chain[0]).stdout;
    let read = String::from_utf8(read).unwrap();
    let urls = read
        .lines()
        .filter_map(|line| Some(line.split_once("URI:")?.1));
    let mut wanted: Vec<_> = urls.collect();
    assert_eq!(wanted.len(), 2, "{read}");
    wanted.extend([
        "organizationIdentifier=NTRNL-10000001, CN=Test Service Consumer, O=Test Service Consumer, C=NL",
        "1.2.840.113549.1.1.11",
        "2.5.29.32",
        "RSA-2048",
        "nonRepudiation",
    ]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.pem");
    fs::write(&path, pem_chain(&chain)).unwrap();
    let text = command_says(&["chain", "--chain", path.to_str().unwrap()], b"");
    let answer = &seen().chains[0];
    let (json, html) = (
        answer["json"].as_str().unwrap(),
        answer["html"].as_str().unwrap(),
    );
    for wanted in wanted {
        let escaped = wanted.replace('&', "&amp;");
        assert!(text.contains(wanted), "{wanted}: {text}");
        assert!(json.contains(wanted), "{wanted}: {json}");
        assert!(html.contains(&escaped), "{wanted}: {html}");
    }
    for named in ["sha256WithRSAEncryption (", "certificatePolicies ("] {
        assert!(
            text.contains(named) && html.contains(named),
            "{named}: {text}"
        );
    }
    // Each source of the report in text, too.
    let report: Value = serde_json::from_str(json).unwrap();
    for finding in report["findings"].as_array().unwrap() {
        let source = format!("({})", finding["source"].as_str().unwrap());
        assert!(text.contains(&source), "{source}: {text}");
    }
}

#[test]
fn what_is_open_stays_open_and_what_is_changed_says_so() {
    let seen = &seen().rest;
    assert_eq!(seen["open"], json!([false, true, true]));
    let status = seen["unreadable"].as_str().unwrap();
    assert!(status.contains("JWK Set"), "{status}");
    assert_eq!(
        seen["titles"],
        json!(["FIAM: as it should be (changed)", "FIAM: as it should be"])
    );
    let [before, after, said] = &seen["dropped_nothing"].as_array().unwrap()[..] else {
        panic!("{seen}")
    };
    assert_eq!(before, after);
    assert_ne!(before[0], "");
    assert!(said.as_str().unwrap().contains("neither"), "{said}");
}

#[test]
fn the_book_has_the_page_that_was_made_last() {
    let made = fs::read(page()).unwrap();
    assert!(fs::read(in_book()).unwrap() == made);
}

/// Markup in header, claims, member names and names of certificates, on the page and in what is saved.
#[test]
fn what_is_pasted_is_text_and_nothing_else() {
    let seen = seen();
    let shown = |answer: &Value| answer["html"].as_str().unwrap_or_default().to_owned();
    let all = seen.answers.iter().chain(&seen.chains).map(shown);
    for html in all {
        for no in ["<img", "<script", "onerror=alert(1)>"] {
            assert!(!html.contains(no), "{no}: {html}");
        }
    }
    let is_hostile = |case: &&Value| case["input"].as_str().unwrap().contains(HOSTILE);
    assert_eq!(cases().iter().filter(is_hostile).count(), 2);
    let chain = shown(seen.chains.last().unwrap());
    assert!(chain.contains("&lt;img src=x"), "{chain}");
}

#[test]
fn the_examples_are_broken_as_they_say() {
    for (example, answer) in examples().iter().zip(&seen().answers) {
        let report: Value = serde_json::from_str(answer["json"].as_str().unwrap()).unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        let broken = findings
            .filter(|it| it["verdict"] == "broken")
            .map(|it| it["rule"].clone());
        assert_eq!(
            json!(broken.collect::<Vec<_>>()),
            example["broken"],
            "{}",
            example["title"]
        );
    }
}

#[test]
fn nothing_is_requested_kept_or_put_into_the_address() {
    let seen = &seen().rest;
    assert_eq!(seen["hits_of_loading"], 1, "the page is one request");
    assert_eq!(
        seen["hits"],
        json!(["/", "/", "/"]),
        "and so it is each time it is loaded"
    );
    assert_eq!(
        seen["blocked"],
        json!(["blocked", "blocked", "true"]),
        "an image, a fetch, and a beacon that was queued"
    );
    let address = &seen["address"];
    let allowed =
        |url: &str| url.starts_with("data:") || url.starts_with("file:") || address == url;
    let requests = seen["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|url| url.as_str().unwrap());
    let others: Vec<_> = requests
        .filter(|url| !allowed(url) && !url.ends_with("/image"))
        .collect();
    assert!(others.is_empty(), "{others:?}");
    let nothing = json!({ "cookie": "", "local": 0, "session": 0, "databases": 0, "caches": 0, "address": address, "history": 2 });
    assert_eq!(seen["kept"], nothing);
    assert_eq!(seen["after_reload"], "");
    assert_eq!(seen["cleared"], "");
}

#[test]
fn it_works_by_paste_drop_and_keyboard_from_disk_and_server() {
    let seen = &seen().rest;
    for way in ["pasted", "dropped", "disk"] {
        let said = seen[way].as_str().unwrap();
        assert!(said.starts_with("Result: "), "{way}: {said}");
    }
    let saved: Value = serde_json::from_str(seen["saved_json"].as_str().unwrap()).unwrap();
    assert_eq!(saved["scheme"], "fiam", "typed, tabbed and saved");
    let nothing = json!(["", true]);
    assert_eq!(seen["left_below_an_error"], json!([nothing, nothing]));
    assert_eq!(
        seen["token_and_certificates"],
        "there are a token and certificates: one of them is explained at a time"
    );
    assert!(
        seen["private_key"]
            .as_str()
            .unwrap()
            .contains("private key")
    );
    assert_eq!(seen["example_left"], json!(["", true]), "another input");
    assert_eq!(seen["overflow"], 0, "320 pixels are enough");
    let errors = seen["errors_of_page"].as_array().unwrap();
    let of_policy = |error: &Value| error.as_str().unwrap().contains("Content Security Policy");
    assert!(errors.iter().all(of_policy), "{errors:?}");
    assert_eq!(
        errors.len(),
        4,
        "an image, a beacon, and a fetch that says it twice"
    );
}

/// An expired token must not be judged at the moment of an example.
#[test]
fn what_an_example_brought_goes_with_it_and_what_is_ones_own_does_not() {
    let token = examples()[0]["input"].clone();
    let with_trust = |trust: &str| json!([token, trust, "", "", "", "", "", ""]);
    let own = seen().rest["own"].as_array().unwrap();
    let [pasted, status, back, kept] = &own[..] else {
        panic!("{own:?}")
    };
    assert_eq!(*pasted, with_trust(""), "after an example");
    assert!(status.as_str().unwrap().contains("broken"), "{status}");
    assert_eq!(*back, with_trust("mine"), "set before an example");
    assert_eq!(*kept, with_trust("other"), "set beside an example");
}

#[test]
fn a_saved_report_needs_nothing_else() {
    let seen = &seen().rest;
    assert_eq!(
        seen["errors_of_report"],
        json!([]),
        "its own policy takes its style"
    );
    assert_eq!(seen["report_style"], "rgb(253, 228, 230)");
    let saved = seen["saved_html"].as_str().unwrap();
    for no in ["<script", "src=", "href=", "url(", "@import"] {
        assert!(!saved.contains(no), "{no}");
    }
}

/// By axe-core: empty, with a report, with an error; light, dark, narrow; and the saved report.
#[test]
fn axe_finds_nothing() {
    let seen = seen();
    assert_eq!(seen.rest["accessibility"], json!([]));
    for shot in ["empty", "light", "dark", "narrow", "wrong", "report"] {
        assert!(
            Path::new(&seen.folder)
                .join(format!("{shot}.png"))
                .is_file(),
            "{shot}"
        );
    }
}

#[test]
fn it_is_small() {
    let page = fs::read(page()).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&page).unwrap();
    let len = encoder.finish().unwrap().len();
    assert!(len <= 1_000_000, "{len} bytes, compressed");
    let own = ["page.html", "page.css", "page.js"].map(|name| {
        let path = workspace().join("host/web/page").join(name);
        fs::read_to_string(path).unwrap().lines().count()
    });
    assert!(own.iter().sum::<usize>() < 1_000, "{own:?}");
}
