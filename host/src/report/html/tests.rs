use super::*;

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
fn a_claim_does_not_become_markup() {
    use base64ct::Base64UrlUnpadded;
    use privyseal_core::UnixTime;

    use crate::report::{TokenCheckOptions, TokenReport};

    let part = |json: &str| Base64UrlUnpadded::encode_string(json.as_bytes());
    let header = part(r#"{"alg":"<b>","x5c":["<i>"]}"#);
    let inner = format!("{}.{}.AA", part("{}"), part(r#"{"<u>":"<u>"}"#));
    let claims = part(&format!(
        r#"{{"<s>":["<s>"],"exp":1780272030,"inner":"{inner}"}}"#
    ));
    let token = format!("{header}.{claims}.AA");
    let now = UnixTime::from_secs(1_780_272_000).unwrap();
    let report = TokenReport::new(&token, TokenCheckOptions::at(now));
    let html = report.to_html(&TokenContent::read(&token)).to_document();
    for tag in ["<i>", "<u>", "<s>"] {
        assert!(!html.contains(tag), "{tag}");
    }
    assert!(html.contains("2026-06-01T00:00:30Z, 30 s left"), "{html}");
    assert!(html.contains("&lt;u&gt;"), "the token inside is shown");
}
