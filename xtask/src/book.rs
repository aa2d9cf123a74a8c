//! The book in `docs`: every link leads somewhere, every page is in the summary, and mdBook builds it. The page that
//! explains tokens is in it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Context, Failure, fail};
use crate::process::Run;
use crate::setup::{self, Need, tools};
use crate::{page, paths};

/// Checks the documents and builds `target/book`.
pub(crate) fn run() -> Result<(), Failure> {
    let root = paths::root();
    reference()?;
    let mut pages = Vec::new();
    find_pages(&root, &mut pages)?;
    let mut wrong = Vec::new();
    for page in &pages {
        let text = fs::read_to_string(page).context(page.display())?;
        let folder = page.parent().unwrap_or(page);
        let dead = links(&text).filter(|link| !folder.join(link).exists());
        let gone =
            files(&text).filter(|file| !root.join(file).exists() && !folder.join(file).exists());
        wrong.extend(
            dead.chain(gone)
                .map(|it| format!("{}: no {it}", paths::shown(page))),
        );
    }
    let docs = root.join("docs");
    let summary = docs.join("SUMMARY.md");
    let text = fs::read_to_string(&summary).context(summary.display())?;
    let listed: Vec<_> = links(&text).map(|link| docs.join(link)).collect();
    let of_the_book = pages
        .iter()
        .filter(|page| page.parent() == Some(&docs) && **page != summary);
    let lost = of_the_book.filter(|page| !listed.contains(page));
    wrong.extend(lost.map(|page| format!("docs/SUMMARY.md: it lacks {}", paths::shown(page))));
    if !wrong.is_empty() {
        return fail!("{}", wrong.join("\n"));
    }
    setup::run(&[Need::Book])?;
    Run::new(tools::path(tools::BOOK))
        .words("build docs")
        .show_and_stream()?;
    page::run()
}

/// Writes what the code says of itself: `docs/commands.md`, which is in no commit.
fn reference() -> Result<(), Failure> {
    // As tests build it.
    Run::cargo("build --quiet --workspace --bin privyseal").stream()?;
    Run::new(paths::target().join("debug/privyseal"))
        .words("man --reference docs/commands.md")
        .capture()
        .map(drop)
}

/// Every document of ours: what was built or brought here is not.
fn find_pages(folder: &Path, pages: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder).context(folder.display())? {
        let path = entry.context(folder.display())?.path();
        let name = path.file_name().unwrap_or_default();
        let is_ours = name != "target"
            && name != "node_modules"
            && !name.as_encoded_bytes().starts_with(b".");
        if path.is_dir() && is_ours {
            find_pages(&path, pages)?;
        } else if path.extension().is_some_and(|it| it == "md") {
            pages.push(path);
        }
    }
    Ok(())
}

/// The lines of a page outside of its blocks of code, which show what they like.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    page.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// Files of sources that are named between backquotes, from the root of the repository or from the page.
fn files(page: &str) -> impl Iterator<Item = &str> {
    let quoted = prose(page).flat_map(|line| line.split('`').skip(1).step_by(2));
    quoted.filter(|it| {
        it.contains('/')
            && Path::new(it).extension().is_some_and(|it| it == "rs")
            && !it.contains(['*', ' ', '<'])
    })
}

/// Where the links of a page lead, but for those into the web.
fn links(page: &str) -> impl Iterator<Item = &str> {
    prose(page)
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link.split_once('#').map_or(link, |(file, _)| file))
        .filter(|link| !link.is_empty() && !Path::new(link).is_absolute() && !link.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::{files, find_pages, fs, links, paths, prose};

    /// It is also the page of crates.io and docs.rs, where no file of the repository is, and no name of the code.
    #[test]
    fn the_page_of_a_crate_links_into_the_web_only() {
        let (mut pages, mut count) = (Vec::new(), 0);
        find_pages(&paths::root(), &mut pages).unwrap();
        for page in pages.iter().filter(|page| page.ends_with("README.md")) {
            let manifest =
                fs::read_to_string(page.with_file_name("Cargo.toml")).unwrap_or_default();
            if !manifest.contains("[package]") || manifest.contains("publish = false") {
                continue;
            }
            count += 1;
            let text = fs::read_to_string(page).unwrap();
            let inward = links(&text).chain(prose(&text).filter(|line| line.contains("[`")));
            let inward = inward.filter(|it| !it.contains("](https://"));
            assert_eq!(inward.collect::<Vec<_>>(), [""; 0], "{}", page.display());
        }
        assert!(count > 5, "{count}");
    }

    #[test]
    fn files_of_sources_and_no_other_code() {
        let page = "`a/b.rs`, `c.rs`, `d/*.rs`, `cargo e/f.rs`\n```\n`g/h.rs`\n```\n`i/j.rs`";
        assert_eq!(files(page).collect::<Vec<_>>(), ["a/b.rs", "i/j.rs"]);
    }

    #[test]
    fn links_into_the_repository_and_no_others() {
        let page =
            "[a](b.md) and [c](d.md#e), [f](#g)\n```\n[h](i)\n```\n[j](https://k) ![l](m/n.svg)";
        assert_eq!(links(page).collect::<Vec<_>>(), ["b.md", "d.md", "m/n.svg"]);
    }
}
