//! The page in Chromium: it says what the command says, lets nothing out, and serves those who use a keyboard or a screen
//! reader. One run of the browser is judged by several tests.

#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;
use std::{fs, iter};

use privyseal_test_base::privyseal;
use privyseal_test_base::scratch::{cache_dir, host_tests, ishare_chain, target_dir, workspace};
use privyseal_test_base::tool::{
    LONG_LIMIT, cargo, command, output, output_within, run, run_within,
};
use privyseal_test_judges::decode::to_base64;
use privyseal_test_judges::node;
use privyseal_test_pki::{pem_chain, test_key};
use privyseal_test_suite::software_signer::SoftwareSigner;
use serde_json::{Value, json};

/// 2026-06-01, and as seconds.
const NOW: u64 = 1_780_272_000;

/// The page, made as users get it.
fn page() -> PathBuf {
    static PAGE: OnceLock<PathBuf> = OnceLock::new();
    PAGE.get_or_init(make_page).clone()
}

fn make_page() -> PathBuf {
    let page = target_dir().join("site/index.html");
    run_within(
        LONG_LIMIT,
        cargo(["xtask", "page"]).current_dir(workspace()),
    );
    page
}

fn examples() -> Vec<Value> {
    let path = workspace().join("host/web/page/examples.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// What is judged in both ways: what the page is told, and how the command is called.
fn cases() -> Vec<Value> {
    let examples = examples();
    let good = &examples[0];
    let token = good["input"].as_str().unwrap();
    let with = |input: &str, now: u64| {
        let mut case = good.clone();
        case["input"] = json!(input);
        case["now"] = json!(now);
        case
    };
    let (body, signature) = token.rsplit_once('.').unwrap();
    let mut cases = examples.clone();
    // The same token late, early, without its signature, with another one, and cut off at every part.
    let broken = [
        (token.to_owned(), NOW + 31),
        (token.to_owned(), NOW - 1),
        (format!("{body}."), NOW),
        (
            format!("{body}.{}", signature.chars().rev().collect::<String>()),
            NOW,
        ),
        (body.to_owned(), NOW),
        (token[..200].to_owned(), NOW),
        ("{}".to_owned(), NOW),
        ("<b>no token</b>".to_owned(), NOW),
        (".".repeat(3), NOW),
    ];
    cases.extend(broken.iter().map(|(input, now)| with(input, *now)));
    for scheme in ["fiam", "ishare", "ishare-1", "itsme", "ehealth"] {
        let mut case = with(token, NOW);
        case["scheme"] = json!(scheme);
        cases.push(case);
    }
    cases.extend(
        scheme_vectors()
            .iter()
            .map(|input| json!({ "input": input, "now": NOW })),
    );
    cases.extend(
        published()
            .iter()
            .map(|input| json!({ "input": input, "now": NOW })),
    );
    cases
}

/// Each payload of the vectors of the schemes, made or broken, in a token without a chain.
fn scheme_vectors() -> Vec<String> {
    let folder = workspace().join("core/check/tests/schemes");
    let mut tokens = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let vector: Value =
            serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap();
        let made = vector["made"][0]["claims"].as_str().unwrap();
        let broken = vector["broken"].as_array().unwrap().iter().map(|broken| {
            let mut claims: Value = serde_json::from_str(made).unwrap();
            for (name, value) in broken["claims"].as_object().into_iter().flatten() {
                claims[name] = value.clone();
            }
            claims.to_string()
        });
        tokens.extend(
            iter::once(made.to_owned())
                .chain(broken)
                .map(|claims| sign(&claims)),
        );
    }
    assert!(tokens.len() > 9, "{}", tokens.len());
    tokens
}

fn sign(claims: &str) -> String {
    use privyseal_test_judges::decode::to_base64url;
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "key-2026" }).to_string();
    let input = format!(
        "{}.{}",
        to_base64url(header.as_bytes()),
        to_base64url(claims.as_bytes())
    );
    let key = test_key("seal", 2048);
    let signature = SoftwareSigner::sign_message(key.private_key(), input.as_bytes());
    format!("{input}.{}", to_base64url(&signature))
}

/// Tokens that others made: the corpus of the fuzzer, and RFC 7515's.
fn published() -> Vec<String> {
    let corpus = fs::read_dir(host_tests("fuzz/seeds/token_check")).unwrap();
    let corpus = corpus.map(|entry| fs::read(entry.unwrap().path()).unwrap());
    corpus
        .filter_map(|bytes| String::from_utf8(bytes).ok())
        .collect()
}

/// Chains, as files: PEM, DER, PKCS #7 by openssl; good, out of order, incomplete.
fn chains() -> Vec<Vec<u8>> {
    let chain = ishare_chain();
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("chain.pem");
    fs::write(&pem, pem_chain(&chain)).unwrap();
    let p7b = |form: &str| {
        let mut openssl = command(
            "openssl",
            ["crl2pkcs7", "-nocrl", "-outform", form, "-certfile"],
        );
        run(openssl.arg(&pem))
    };
    let reversed: Vec<_> = chain.iter().rev().cloned().collect();
    vec![
        pem_chain(&chain).into_bytes(),
        p7b("DER"),
        p7b("PEM"),
        pem_chain(&reversed).into_bytes(),
        pem_chain(&chain[..2]).into_bytes(),
        chain[0].clone(),
        chain[3].clone(),
    ]
}

struct Seen {
    answers: Vec<Value>,
    chains: Vec<Value>,
    requests: Vec<Value>,
    rest: Value,
    folder: PathBuf,
}

/// What the browser saw. The screenshots stay in `target/page-screenshots`.
fn seen() -> &'static Seen {
    static SEEN: OnceLock<Seen> = OnceLock::new();
    SEEN.get_or_init(|| {
        let folder = cache_dir("page-screenshots");
        let _ = fs::remove_dir_all(folder.join("downloads"));
        let file = |bytes: &Vec<u8>| json!({ "input": "", "binary": to_base64(bytes), "now": NOW });
        let (tokens, chains, requests) = (cases(), chains(), requests());
        let all: Vec<_> = tokens
            .iter()
            .cloned()
            .chain(chains.iter().map(file))
            .chain(requests.iter().map(file))
            .collect();
        let input = json!({ "page": page(), "folder": folder, "cases": all }).to_string();
        let mut script = command(
            &node::interpreter().to_string_lossy(),
            [node::script("page.mjs")],
        );
        let ended = output_within(Duration::from_secs(300), &mut script, input.as_bytes());
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "page.mjs: {said}");
        let mut rest: Value = serde_json::from_slice(&ended.stdout).unwrap();
        let mut answers = rest["answers"].as_array_mut().map(std::mem::take).unwrap();
        let requests = answers.split_off(tokens.len() + chains.len());
        let chains = answers.split_off(tokens.len());
        Seen {
            answers,
            chains,
            requests,
            rest,
            folder,
        }
    })
}

/// A certification request by openssl, PEM and DER, and one whose signature was changed.
fn requests() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    fs::write(&key, test_key("seal", 2048).pkcs8_pem()).unwrap();
    let made = |form: &str| {
        let words = [
            "req",
            "-new",
            "-subj",
            "/CN=Example <b>/O=Org",
            "-addext",
            "keyUsage=nonRepudiation",
            "-outform",
            form,
        ];
        run(command("openssl", words).arg("-key").arg(&key))
    };
    let mut forged = made("DER");
    *forged.last_mut().unwrap() ^= 1;
    vec![made("PEM"), made("DER"), forged]
}

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
        let (trust, keys) = (path("trust"), path("keys"));
        for (name, option, file) in [("trust", "--trust", &trust), ("keys", "--jwks", &keys)] {
            if !text(name).is_empty() {
                fs::write(file, text(name)).unwrap();
                arguments.extend([option, file]);
            }
        }
        if !text("scheme").is_empty() {
            arguments.extend(["--scheme", text("scheme")]);
        }
        arguments.push("-");
        let said = command_says(&arguments, text("input").as_bytes());
        assert_eq!(answer["json"].as_str(), Some(&*said), "{case}: {answer}");
        let written = fs::read_to_string(html).unwrap();
        assert_eq!(answer["html"].as_str(), Some(&*written), "{case}");
    }
}

#[test]
fn of_every_chain_it_says_what_the_command_says() {
    let folder = tempfile::tempdir().unwrap();
    let chains = chains();
    for (chain, answer) in chains.iter().zip(&seen().chains) {
        let path = folder.path().join("chain");
        fs::write(&path, chain).unwrap();
        let now = NOW.to_string();
        let said = command_says(
            &[
                "chain",
                "--json",
                "--now",
                &now,
                "--chain",
                path.to_str().unwrap(),
            ],
            b"",
        );
        assert_eq!(answer["json"].as_str(), Some(&*said), "{answer}");
    }
    // The three forms of one chain are one chain.
    let seen = &seen().chains;
    assert_eq!(seen[0]["json"], seen[1]["json"]);
    assert_eq!(seen[0]["json"], seen[2]["json"]);
}

#[test]
fn a_certification_request_is_explained() {
    let seen = &seen().requests;
    let json = |position: usize| -> Value {
        serde_json::from_str(seen[position]["json"].as_str().unwrap()).unwrap()
    };
    assert_eq!(json(0), json(1), "PEM and DER");
    assert_eq!(json(0)["key"], "RSA-2048");
    assert_eq!(json(0)["key_usages"], json!(["NonRepudiation"]));
    assert_eq!(json(0)["subject"], r"O=Org,CN=Example \<b\>");
    let verdicts = |json: Value| {
        json["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["verdict"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(verdicts(json(0)), ["passed", "passed"]);
    assert_eq!(
        verdicts(json(2)),
        ["broken", "passed"],
        "openssl req -verify says no to it, too"
    );
    assert!(!seen[0]["html"].as_str().unwrap().contains("<b>/"));
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
    assert!(
        seen["private_key"]
            .as_str()
            .unwrap()
            .contains("private key")
    );
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
    let times = seen()
        .answers
        .iter()
        .filter_map(|answer| answer["took"].as_f64());
    println!(
        "{len} bytes compressed; the slowest token took {:.1} ms",
        times.fold(0.0, f64::max)
    );
}
