use base64ct::Base64UrlUnpadded;
use privyseal_core::UnixTime;
use serde_json::json;

use super::*;
use crate::report::{TokenCheckOptions, TokenReport};

fn part(json: &str) -> String {
    Base64UrlUnpadded::encode_string(json.as_bytes())
}

fn html_of(token: &str) -> String {
    let now = UnixTime::from_secs(1_780_272_000).unwrap();
    let report = TokenReport::new(token, TokenCheckOptions::at(now));
    report.to_html(&TokenContent::read(token)).to_document()
}

/// The report on a token with these claims.
fn html_of_claims(claims: &serde_json::Value) -> String {
    html_of(&format!("{}.{}.AA", part("{}"), part(&claims.to_string())))
}

#[test]
fn what_is_broken_stands_first_and_what_holds_is_folded() {
    let mut report = Report::default();
    report.add(Verdict::Passed, "first");
    report.add(Verdict::Note, "second");
    report.add(Verdict::Broken, "third");
    let mut html = HtmlReport::new("Title", Verdict::Broken, "1 rule is broken");
    html.findings("Findings", &report);
    let html = html.to_fragment();
    let place = |text| html.find(text).unwrap();
    assert!(place("third") < place("second") && place("second") < place("<details>"));
    assert!(place("<details>") < place("first"));
}

#[test]
fn nothing_from_outside_becomes_markup() {
    let text = "</title><script>alert('x')</script>\"\u{1b}[31m\u{202e}";
    let mut report = Report::default();
    report.add(Verdict::Broken, text);
    let mut html = HtmlReport::new(text, Verdict::Broken, text);
    html.facts([(text, text)]);
    html.findings(text, &report);
    html.list(text, [text]);
    let html = html.to_document();
    for forbidden in ["<script", "alert('", "\u{1b}", "\u{202e}"] {
        assert!(!html.contains(forbidden), "{forbidden:?}");
    }
    assert_eq!(html.matches("</title>").count(), 1);
}

#[test]
fn a_claim_breaks_no_line() {
    let html = html_of_claims(&json!({ "claim": "one\ntwo\r\tthree\u{7f}", "four\n": ["five\n"] }));
    for shown in [
        "<dd>one\\ntwo\\r\\tthree\\u{7f}</dd>",
        "<code>four\\n</code>",
        "five\\n",
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
}

#[test]
fn a_claim_does_not_become_markup() {
    let header = part(r#"{"alg":"<b>","x5c":["<i>"]}"#);
    let inner = format!("{}.{}.AA", part("{}"), part(r#"{"<u>":"<u>"}"#));
    let claims = part(&format!(
        r#"{{"<s>":["<s>"],"exp":1780272030,"inner":"{inner}"}}"#
    ));
    let html = html_of(&format!("{header}.{claims}.AA"));
    for tag in ["<i>", "<u>", "<s>"] {
        assert!(!html.contains(tag), "{tag}");
    }
    assert!(html.contains("2026-06-01T00:00:30Z, 30 s left"), "{html}");
    assert!(html.contains("&lt;u&gt;"), "the token inside is shown");
}

#[test]
fn no_token_in_a_claim_can_be_used() {
    let header = part(r#"{"alg":"RS256"}"#);
    let (signature, ciphertext) = ("S".repeat(43), "C".repeat(60));
    let jws = format!("{header}.{}.{signature}", part(r#"{"sub":"person"}"#));
    let jwe = format!("{header}.a2V5.aXY.{ciphertext}.dGFn");
    let member = |value: &str| json!({ "a": [value], value: 1 });
    let html = html_of_claims(&json!({
        "whole": jws, "object": member(&jws), "array": [[jws, 7]], "blank": format!(" {jws}\n"),
        "bearer": format!("Bearer {jws}, and {jwe}"), "address": format!("https://a.example/?token={jws}&b=1"),
        "glued": format!("token_{jws}"), "host": format!("a.example.{jws}"), "text": member(&jws).to_string(),
        "short": [format!("{header}.e30.c2ln")], "encrypted": jwe, jws.clone(): jwe,
        "client_notification_token": "opaque-1", "deep": [{ "access_token": "opaque-2", "kept": "word" }],
        "refresh_token": { "value": "opaque-3" }, "clientSecret": "opaque-4", "Authorization": "Basic opaque-5",
        "general": { "payload": "e30", "signatures": [{ "protected": "e30", "signature": "opaque-6" }] },
        "flattened": { "protected": "e30", "ciphertext": "opaque-7" }, "key": { "kty": "oct", "k": "opaque-8" },
        "encoded": format!("https://a.example/?t={}", jws.replace('.', "%2E")),
        "cnf": { "jwk": { "e": "AQAB", "d": "opaque-9", "oth": [{ "r": "opaque-10" }] } }, "q": "opaque-11",
        "json": json!([{ "kty": "RSA", "dp": "opaque-12", "kept": 1 }]).to_string(),
        "pem": "-----BEGIN PRIVATE KEY-----\nopaque-13\n-----END PRIVATE KEY-----",
    }));
    for no in [signature.as_str(), &ciphertext, "c2ln", "opaque"] {
        assert!(!html.contains(no), "{no}: {html}");
    }
    let rest = "[left out]&amp;b=1</dd>";
    for shown in [
        "<dd>person</dd>",
        "kept&quot;:&quot;word",
        "kty&quot;:&quot;oct",
        "[left out], and",
        rest,
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
}

/// Whoever copies what is shown, and takes out what is no part of a token, has none.
#[test]
fn no_token_in_disguise_can_be_used() {
    let [header, claims] = [
        r#"{"alg":"RS256","typ":"JWT"}"#,
        r#"{"sub":"x","aud":"https://a.example"}"#,
    ]
    .map(part);
    let signature = "S".repeat(342);
    let jws = format!("{header}.{claims}.{signature}");
    // However it is spaced.
    let is_left_out = |html: &str| {
        let (_, shown) = html.split_once("<h2>Claims").unwrap();
        shown.contains("[left out]") && !shown.contains('S')
    };
    let every = |count: usize, gap: &str| {
        let lines: Vec<_> = jws
            .as_bytes()
            .chunks(count)
            .map(String::from_utf8_lossy)
            .collect();
        lines.join(gap)
    };
    let dotted = |dot: &str| jws.replace('.', dot);
    let disguised = [
        every(64, "\n"),
        every(72, "\r\n"),
        every(76, "\n    "),
        every(1, " "),
        every(9, "\u{200b}"),
        every(64, "\\n"),
        dotted(".\n"),
        dotted(". "),
        dotted(" . "),
        dotted("==."),
        dotted("%3D."),
        dotted("%2E"),
        dotted("%252e"),
        dotted("&#46;"),
        dotted("&#x2E;"),
        dotted("\u{ff0e}"),
        format!("{jws} {jws}"),
        format!("{jws}.{jws}"),
        format!("eyJ{jws}"),
        every(72, "\n> "),
        every(72, " \\\n"),
        every(64, "\" +\n  \""),
        dotted("[.]"),
        dotted("<wbr>."),
    ];
    for text in disguised {
        for text in [
            text.clone(),
            format!("Dear all, Bearer {text}, see you."),
            format!("https://a.example/?t={text}&b=1"),
        ] {
            for claims in [
                json!({ "claim": text }),
                json!({ "claim": { "deep": [text, 1] } }),
                json!({ text: 1 }),
            ] {
                let html = html_of_claims(&claims);
                assert!(is_left_out(&html), "{html}");
            }
        }
    }
    let lines: Vec<_> = every(64, "\n").lines().map(str::to_owned).collect();
    for pieces in [
        json!([header, claims, signature]),
        json!(lines),
        json!([format!("{header}.{claims}"), signature]),
    ] {
        for claim in [
            pieces.clone(),
            json!(pieces.to_string()),
            json!({ "in": pieces }),
        ] {
            let html = html_of_claims(&json!({ "claim": claim }));
            assert!(is_left_out(&html), "{html}");
        }
    }
    let html = html_of_claims(
        &json!({ "claim": format!("See {}, please. It was. So.", every(64, "\n")) }),
    );
    assert!(
        html.contains("<dd>See [left out], please. It was. So.</dd>"),
        "{html}"
    );
}

/// Also where it is the name of what the token was found in.
#[test]
fn the_place_of_a_token_is_none() {
    let jws = format!("{}.e30.{}", part(r#"{"alg":"RS256"}"#), "S".repeat(43));
    for text in [format!("{jws}={jws}"), json!({ &*jws: jws }).to_string()] {
        let now = UnixTime::from_secs(1_780_272_000).unwrap();
        let report = TokenReport::of_pasted(&text, TokenCheckOptions::at(now));
        let html = report.to_html(&TokenContent::read(&text)).to_document();
        for said in [html, report.to_json().to_string(), report.to_string()] {
            assert!(
                said.contains("member [left out]") && !said.contains("SSS"),
                "{said}"
            );
        }
    }
}

#[test]
fn only_what_is_part_of_a_token_is_left_out() {
    let thumbprint = "T".repeat(43);
    let id = format!("1.2.{}", "3.".repeat(40));
    for value in [
        &thumbprint,
        &id,
        "www.example.com",
        "https://a.b.c.example/d.e.f",
        "...",
    ] {
        let html = html_of_claims(&json!({ "claim": value }));
        assert!(
            html.contains(&format!("<dd>{value}</dd>")),
            "{value}: {html}"
        );
    }
}

#[test]
fn a_string_is_not_taken_for_something_else() {
    for (value, shown) in [
        (json!("1712757579"), "&quot;1712757579&quot;"),
        (json!(1_712_757_579), "1712757579"),
        (json!("007"), "&quot;007&quot;"),
        (json!("true"), "&quot;true&quot;"),
        (json!(true), "true"),
        (json!(""), "&quot;&quot;"),
        (json!(" a"), "&quot; a&quot;"),
        (json!("[1"), "&quot;[1&quot;"),
        (json!("\"a\""), "&quot;\\&quot;a\\&quot;&quot;"),
        (json!("a word"), "a word"),
        (json!("null and void"), "null and void"),
    ] {
        let html = html_of_claims(&json!({ "claim": value }));
        assert!(
            html.contains(&format!("<dd>{shown}</dd>")),
            "{shown}: {html}"
        );
    }
    let time = html_of_claims(&json!({ "exp": "1712757579" }));
    assert!(time.contains("<dd>&quot;1712757579&quot;</dd>"), "{time}");
}

/// No number is rounded, no member lost, nothing put in order.
#[test]
fn members_are_shown_as_the_token_has_them() {
    let claims = r#"{"z":1.50,"a":12345678901234567890123,"z":[1E2,"\u0041",{"b":1,"b":2}]}"#;
    let html = html_of(&format!("{}.{}.AA", part("{}"), part(claims)));
    let shown = "<dl><div><dt><code>z</code></dt><dd>1.50</dd></div>\
                 <div><dt><code>a</code></dt><dd>12345678901234567890123</dd></div>\
                 <div><dt><code>z</code></dt><dd>[1E2,&quot;\\u0041&quot;,{&quot;b&quot;:1,&quot;b&quot;:2}]</dd></div></dl>";
    assert!(html.contains(shown), "{html}");
}
