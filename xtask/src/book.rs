//! The book in `docs`: every link leads somewhere, every page is in the summary, and mdBook builds it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Context, Failure, fail};
use crate::paths;
use crate::process::Run;
use crate::setup::{self, Need, tools};

/// Checks the documents and builds `target/book`.
pub(crate) fn run() -> Result<(), Failure> {
    let pages = tracked_pages()?;
    let mut wrong = Vec::new();
    for page in &pages {
        let text = fs::read_to_string(page).context(page.display())?;
        let folder = page.parent().unwrap_or(page);
        let dead = links(&text).filter(|link| !folder.join(link).exists());
        wrong.extend(dead.map(|link| format!("{}: no {link}", paths::shown(page))));
    }
    let docs = paths::root().join("docs");
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
        .show_and_stream()
}

fn tracked_pages() -> Result<Vec<PathBuf>, Failure> {
    let listed = Run::new("git").words("ls-files *.md").capture()?;
    let root = paths::root();
    Ok(listed.text().lines().map(|page| root.join(page)).collect())
}

/// Where the links of a page lead, but for those into the web; code shows what it likes.
fn links(page: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    let prose = page.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    });
    prose
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link.split_once('#').map_or(link, |(file, _)| file))
        .filter(|link| !link.is_empty() && !Path::new(link).is_absolute() && !link.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::links;

    #[test]
    fn links_into_the_repository_and_no_others() {
        let page =
            "[a](b.md) and [c](d.md#e), [f](#g)\n```\n[h](i)\n```\n[j](https://k) ![l](m/n.svg)";
        assert_eq!(links(page).collect::<Vec<_>>(), ["b.md", "d.md", "m/n.svg"]);
    }
}
