//! `deny.toml`, held by cargo-deny to the lock files of what is published and flashed.

use crate::failure::Failure;
use crate::metadata::MANIFESTS;
use crate::process::{BUILD, Run};
use crate::setup::{self, Need, tools};

/// Licences, versions, sources and bans; advisories where their database can be reached.
pub(super) fn check() -> Result<(), Failure> {
    setup::run(&[Need::Deny])?;
    let deny = || Run::new(tools::path(tools::DENY)).limit(BUILD);
    let database = deny().words("fetch db").capture();
    let what = if let Err(failure) = database {
        println!("{failure}");
        println!(
            "NOT CHECKED: advisories. Their database cannot be reached; the rest of deny.toml follows"
        );
        "bans licenses sources"
    } else {
        "all"
    };
    for manifest in MANIFESTS {
        let deny = deny().words("--all-features --locked --config deny.toml");
        let check = deny.words("--manifest-path").arg(manifest).arg("check");
        check.words(what).show_and_stream()?;
    }
    Ok(())
}
