//! The Debian package: dpkg installs it into a folder, its agent runs as the unit says, and it goes without a trace of
//! its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use privyseal_test_base::scratch::{target_dir, workspace};
use privyseal_test_base::tool::{LONG_LIMIT, cargo, command, run, run_within};

use crate::stage::Stage;

/// The package of this build.
fn built() -> PathBuf {
    let folder = target_dir().join("dist");
    let packages = || {
        let entries = fs::read_dir(&folder).into_iter().flatten();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|it| it == "deb"))
    };
    packages().for_each(|old| fs::remove_file(old).unwrap());
    let mut dist = cargo(["xtask", "dist", "--debug", "deb"]);
    run_within(LONG_LIMIT, dist.current_dir(workspace()));
    let [package] = &packages().collect::<Vec<_>>()[..] else {
        panic!("not one package in {}", folder.display());
    };
    package.clone()
}

/// dpkg on a machine that is a folder; nobody's rights are needed.
fn dpkg(root: &Path, words: &[&str]) -> Command {
    let mut dpkg = command("dpkg", ["--force-script-chrootless"]);
    dpkg.args(["--force-depends", "--force-not-root"]);
    dpkg.arg(format!("--root={}", root.display())).args(words);
    dpkg
}

#[test]
fn the_debian_package_is_installed_runs_and_is_removed() {
    let package = built();
    let mut stage = Stage::new();
    let root = stage.path("root");
    for folder in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "etc"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    fs::write(root.join("var/lib/dpkg/status"), "").unwrap();
    run(&mut dpkg(&root, &["--install", package.to_str().unwrap()]));

    let users = fs::read_to_string(root.join("etc/passwd")).unwrap();
    assert!(users.contains("privyseal:x:"), "{users}");
    let groups = fs::read_to_string(root.join("etc/group")).unwrap();
    let group = groups
        .lines()
        .find(|it| it.starts_with("privyseal-gateway:"));
    assert!(
        group.is_some_and(|it| it.ends_with(":privyseal")),
        "{groups}"
    );
    for file in [
        "usr/share/man/man1/privyseal.1.gz",
        "usr/share/man/man1/privyseal-agent.1.gz",
        "usr/share/bash-completion/completions/privyseal",
        "usr/share/zsh/vendor-completions/_privyseal",
        "usr/share/fish/vendor_completions.d/privyseal.fish",
        "usr/share/doc/privyseal/copyright",
        "usr/lib/systemd/system/privyseal-agent.socket",
        "usr/lib/udev/rules.d/70-privyseal-gateway.rules",
    ] {
        assert!(root.join(file).is_file(), "no {file}");
    }
    let program = root.join("usr/bin/privyseal");
    // What the image for containers starts, and as whom, is in the package.
    let image = workspace().join("host/cli/packaging/Containerfile");
    let image = fs::read_to_string(image).unwrap();
    for line in [
        "\nUSER privyseal\n",
        "\nENTRYPOINT [\"/usr/bin/privyseal\"]\n",
    ] {
        assert!(image.contains(line), "no {line} in {image}");
    }
    // Nothing but the system's C library, which loads modules.
    let needed = run(command("objdump", ["-p"]).arg(&program));
    let needed = String::from_utf8(needed).unwrap();
    let needed = needed
        .lines()
        .filter_map(|line| line.trim().strip_prefix("NEEDED"));
    for library in needed.map(str::trim) {
        let of_the_system = ["libc.so.", "libm.so.", "libgcc_s.so.", "ld-linux"];
        assert!(
            of_the_system.iter().any(|it| library.starts_with(it)),
            "{library}"
        );
    }

    // The file that comes with it serves nobody, and says so.
    let config = root.join("etc/privyseal/config.toml");
    let start = |stage: &Stage| {
        let unit = root.join("usr/lib/systemd/system/privyseal-agent.service");
        let unit = fs::read_to_string(unit).unwrap();
        let line = unit
            .lines()
            .find_map(|line| line.strip_prefix("ExecStart="));
        let mut words = line
            .unwrap()
            .split(' ')
            .map(|word| match word.strip_prefix('/') {
                Some(path) => root.join(path).into_os_string(),
                None => word.into(),
            });
        let mut agent = stage.command(&[words.next().unwrap().to_str().unwrap()]);
        // As systemd makes them for the unit.
        for (variable, folder) in [("RUNTIME_DIRECTORY", "run"), ("LOGS_DIRECTORY", "var/log")] {
            let folder = root.join(folder).join("privyseal");
            fs::create_dir_all(&folder).unwrap();
            agent.env(variable, folder);
        }
        agent.args(words);
        agent
    };
    let outcome = privyseal_test_suite::flow::Outcome::of(&mut start(&stage));
    outcome.failed(2, "no profile has allow-uids");
    // Its example is a profile, once it is no comment; what is said to people has a space.
    let given = fs::read_to_string(&config).unwrap();
    let hidden = |line: &str| line.starts_with('#') && !line.starts_with("# ");
    let shown = |line| if hidden(line) { &line[1..] } else { line };
    let lines: Vec<_> = given.lines().map(shown).collect();
    fs::write(&config, lines.join("\n")).unwrap();
    let check = ["profile", "check", "--config", config.to_str().unwrap()];
    let mut checking = stage.command(&[&[program.to_str().unwrap()], &check[..]].concat());
    let checked = privyseal_test_suite::flow::Outcome::of(&mut checking);
    // It is right, but for the module and the PIN of nobody.
    for line in [
        "kpn                  2 things are broken\n",
        "[agent]              good\n",
    ] {
        assert!(checked.stdout.contains(line), "{checked:?}");
    }

    fs::write(&config, given + &stage.profile()).unwrap();
    stage.socket = root.join("run/privyseal/agent.sock");
    let agent = stage.start_command(start(&stage));
    assert_eq!(agent.assertion().status, 200, "{}", agent.log());
    agent.stop();

    run(&mut dpkg(&root, &["--purge", "privyseal"]));
    assert!(!program.exists() && !config.exists());
    // What was signed stays.
    let log = root.join("var/log/privyseal/audit.jsonl");
    assert_eq!(crate::stage::audited(&log).len(), 2);
}
