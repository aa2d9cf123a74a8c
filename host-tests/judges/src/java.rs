//! Java with Nimbus, the OAuth library that people there use.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use privyseal_test_base::scratch::{cache_dir, workspace};
use privyseal_test_base::tool::{LONG_LIMIT, command, run_within};

/// Java with Nimbus and what it needs on its class path. Gets them from Maven if they are missing or their pins have changed.
///
/// # Panics
/// If Maven or the packages cannot be had.
pub fn with_nimbus() -> Command {
    let mut java = command("java", ["-cp"]);
    java.arg(jars().join("*"));
    java
}

fn jars() -> PathBuf {
    let pom = workspace().join("docs/examples/java/pom.xml");
    let folder = cache_dir("nimbus");
    let installed = folder.join("pom.xml");
    let wanted = fs::read(&pom).expect("the example's pom.xml is there");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return folder;
    }
    let copy = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
    let mut maven = command("mvn", ["--batch-mode", "--quiet", copy, "-f"]);
    maven.arg(&pom);
    maven.arg(format!("-DoutputDirectory={}", folder.display()));
    run_within(LONG_LIMIT, &mut maven);
    fs::write(installed, wanted).expect("target/ can be written");
    folder
}
