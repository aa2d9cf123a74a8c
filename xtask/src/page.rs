//! The page that explains: one HTML file in `target/site`, and in the book where that is there.

use std::fs;
use std::path::PathBuf;

use crate::failure::{Context, Failure};
use crate::paths;
use crate::process::Run;
use crate::setup::{self, Need, WASM};

/// Where it is made.
fn file() -> PathBuf {
    paths::target().join("site/index.html")
}

/// Builds the WebAssembly and makes one file of it and the rest.
pub(crate) fn run() -> Result<(), Failure> {
    setup::run(&[Need::Wasm])?;
    let build = Run::cargo("build --quiet --package privyseal-web --profile page --target");
    build.arg(WASM).stream()?;
    let module = paths::target().join(WASM).join("page/privyseal_web.wasm");
    let page = file();
    let folder = page.with_file_name("");
    fs::create_dir_all(&folder).context(paths::shown(&folder))?;
    let bundle = Run::cargo("run --quiet --package privyseal-web-bundle --");
    bundle.arg(module).arg(&page).stream()?;
    // There it takes the place of the text about it.
    let in_book = paths::target().join("book/page.html");
    if in_book.exists() {
        fs::copy(&page, &in_book).context(paths::shown(&in_book))?;
    }
    println!("the page is {}", paths::shown(&page));
    Ok(())
}
