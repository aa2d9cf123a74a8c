//! Debian and Ubuntu packages.

use super::DOWNLOAD;
use crate::failure::{Failure, fail};
use crate::paths;
use crate::process::Run;

/// Installs packages where that needs no question; else says which command does it.
pub(crate) fn install(packages: &[&str]) -> Result<(), Failure> {
    let list = packages.join(" ");
    if paths::on_path("apt-get").is_none() {
        return fail!("no apt-get here: install the equivalents of these Debian packages: {list}");
    }
    let Some(become_root) = way_to_root() else {
        return fail!(
            "packages are missing, and this is neither root nor passwordless sudo. Run:\n    \
             sudo apt-get update && sudo apt-get install --no-install-recommends {list}"
        );
    };
    let apt_get = |args: &[&str]| {
        let words: Vec<&str> = become_root
            .iter()
            .copied()
            .chain([
                "env",
                "DEBIAN_FRONTEND=noninteractive",
                "apt-get",
                "--quiet",
            ])
            .chain(args.iter().copied())
            .collect();
        let run = Run::new(words[0]).args(&words[1..]).limit(DOWNLOAD);
        println!("$ {}", run.shown());
        run.stream()
    };
    apt_get(&["update"])?;
    let mut args = vec!["install", "--yes", "--no-install-recommends"];
    args.extend(packages);
    apt_get(&args)
}

/// The words before a command that must run as root; nothing where a person would be asked.
fn way_to_root() -> Option<&'static [&'static str]> {
    let id = Run::new("id").arg("-u").capture().ok()?;
    if id.text().trim() == "0" {
        return Some(&[]);
    }
    let sudo = Run::new("sudo").args(["-n", "true"]).capture();
    sudo.is_ok().then_some(&["sudo", "-n"])
}
