//! One run of the browser.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use privyseal_test_base::scratch::{cache_dir, ishare_chain, target_dir, workspace};
use privyseal_test_base::tool::{LONG_LIMIT, cargo, command, output_within, run_within};
use privyseal_test_judges::decode::to_base64;
use privyseal_test_judges::node;
use serde_json::{Value, json};

use crate::NOW;
use crate::cases::{cases, chains, pkits, requests, root};

/// The page, made as users get it.
pub(crate) fn page() -> PathBuf {
    static PAGE: OnceLock<PathBuf> = OnceLock::new();
    PAGE.get_or_init(make_page).clone()
}

fn make_page() -> PathBuf {
    let page = target_dir().join("site/index.html");
    // An old one in the book.
    fs::create_dir_all(in_book().parent().unwrap()).unwrap();
    fs::write(in_book(), "old").unwrap();
    run_within(
        LONG_LIMIT,
        cargo(["xtask", "page"]).current_dir(workspace()),
    );
    page
}

/// Where the book has it.
pub(crate) fn in_book() -> PathBuf {
    target_dir().join("book/page.html")
}

pub(crate) struct Seen {
    pub(crate) answers: Vec<Value>,
    /// Each without trusted certificates, and with [`root`].
    pub(crate) chains: Vec<Value>,
    pub(crate) requests: Vec<Value>,
    pub(crate) pkits: Vec<Value>,
    pub(crate) rest: Value,
    pub(crate) folder: PathBuf,
}

/// What the browser saw. The screenshots stay in `target/page-screenshots`.
pub(crate) fn seen() -> &'static Seen {
    static SEEN: OnceLock<Seen> = OnceLock::new();
    SEEN.get_or_init(|| {
        let folder = cache_dir("page-screenshots");
        let _ = fs::remove_dir_all(folder.join("downloads"));
        let file = |bytes: &Vec<u8>| json!({ "input": "", "binary": to_base64(bytes), "now": NOW });
        let trusting = |bytes: &Vec<u8>| {
            let mut case = file(bytes);
            case["trust"] = json!(root());
            case
        };
        let tokens = cases();
        let requests: Vec<_> = requests()
            .iter()
            .map(|(der, scheme)| {
                let mut case = file(der);
                case["scheme"] = json!(scheme);
                case
            })
            .collect();
        let chains = chains();
        let chains: Vec<_> = chains
            .iter()
            .flat_map(|it| [file(it), trusting(it)])
            .collect();
        let all: Vec<_> = tokens
            .iter()
            .cloned()
            .chain(chains.iter().cloned())
            .chain(requests.iter().cloned())
            .chain(pkits())
            .collect();
        let several: Vec<_> = ishare_chain().iter().map(|der| to_base64(der)).collect();
        let input = json!({ "page": page(), "folder": folder, "cases": all, "several": several })
            .to_string();
        let mut script = command(
            &node::interpreter().to_string_lossy(),
            [node::script("page.mjs")],
        );
        let ended = output_within(Duration::from_secs(300), &mut script, input.as_bytes());
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "page.mjs: {said}");
        let mut rest: Value = serde_json::from_slice(&ended.stdout).unwrap();
        let mut answers = rest["answers"].as_array_mut().map(std::mem::take).unwrap();
        let pkits = answers.split_off(tokens.len() + chains.len() + requests.len());
        let requests = answers.split_off(tokens.len() + chains.len());
        let chains = answers.split_off(tokens.len());
        Seen {
            answers,
            chains,
            requests,
            pkits,
            rest,
            folder,
        }
    })
}
