//! The programs of `host/capi/examples`, each with a key in SoftHSM and the test server of FIAM.

#![allow(clippy::unwrap_used)] // A test stops where something is wrong.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use privyseal_test_base::scratch::{cache_dir, target_dir, workspace};
use privyseal_test_base::tool::{LONG_LIMIT, cargo, command, output_within, run, run_within};
use privyseal_test_judges::decode::Parts;
use privyseal_test_servers::fiam_server::{Config, FiamServer};
use privyseal_test_suite::flow::{Client, KEY};

/// The version of JNA that is asked of Maven.
const JNA: &str = "5.18.1";

/// What every program is given: the library, a profile, and a server that judges what it sends.
struct Setting {
    client: Client,
    /// It stops with the test.
    _server: FiamServer,
    config: PathBuf,
}

impl Setting {
    fn new() -> Self {
        let client = Client::new();
        let server = FiamServer::start(Config::trusting(&client.pki.root.certificate)).unwrap();
        client.file("ca.pem", server.tls_ca_pem());
        let profile = |name: &str, key: &str| {
            format!(
                "[profile.{name}]\nscheme = \"fiam\"\nkey = \"{}\"\nclient-id = \"EU.EORI.NL123456789\"\n\
                 base-url = \"{}\"\ncacert = \"ca.pem\"\n",
                client.token.uri(key),
                server.base_url(),
            )
        };
        let text = profile("kpn", KEY) + &profile("absent", "none");
        let config = client.file("config.toml", text);
        Self {
            client,
            _server: server,
            config,
        }
    }

    /// Runs a program with a profile: first with the good one, then with one whose key is not there.
    fn judge(&self, program: impl Fn() -> Command) {
        let run = |profile: &str| {
            let mut command = program();
            command.arg(&self.config).arg(profile);
            command.env("SOFTHSM2_CONF", self.client.token.configuration());
            output_within(LONG_LIMIT, &mut command, &[])
        };
        let done = run("kpn");
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(0), "{said}");
        let printed = String::from_utf8(done.stdout).unwrap();
        let [assertion, token] = printed.lines().collect::<Vec<_>>()[..] else {
            panic!("not two lines: {printed}");
        };
        assert_eq!(Parts::of(assertion).claims()["iss"], "EU.EORI.NL123456789");
        // The server gives one to an assertion that it judged.
        assert!(token.len() > 20, "{token}");

        let refused = run("absent");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(3), "{said}");
        assert!(said.contains("none fits the URI"), "{said}");
        assert!(refused.stdout.is_empty());
    }
}

fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        // Of the whole workspace, so that what all depend on is built once, with the same features.
        run_within(
            LONG_LIMIT,
            &mut cargo(["build", "--quiet", "--workspace", "--lib"]),
        );
        let library = target_dir().join("debug/libprivyseal_capi.so");
        assert!(library.is_file(), "{}", library.display());
        library
    })
}

fn example(name: &str) -> PathBuf {
    workspace().join("host/capi/examples").join(name)
}

/// What `pkg-config` would say of an installed library.
fn flags() -> [OsString; 3] {
    let folder = library().parent().unwrap();
    let include = workspace().join("host/capi/include");
    let mut flags = [
        OsString::from("-I"),
        OsString::from("-L"),
        OsString::from("-lprivyseal_capi"),
    ];
    flags[0].push(include);
    flags[1].push(folder);
    flags
}

/// A program written in C, built with warnings as errors.
fn built_from_c(folder: &Path) -> PathBuf {
    let program = folder.join("token");
    let mut cc = command(
        "cc",
        [
            "-std=c11",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-pedantic",
            "-g",
            "-o",
        ],
    );
    run(cc.arg(&program).arg(example("token.c")).args(flags()));
    program
}

fn with_library(mut command: Command) -> Command {
    command.env("LD_LIBRARY_PATH", library().parent().unwrap());
    command
}

#[test]
fn c() {
    let setting = Setting::new();
    let program = built_from_c(setting.client.token.dir());
    setting.judge(|| with_library(Command::new(&program)));
}

/// Nothing that the library allocates for a caller is left, and nothing is read or written where it must not be.
#[test]
fn c_under_valgrind() {
    let setting = Setting::new();
    let program = built_from_c(setting.client.token.dir());
    setting.judge(|| {
        let words = [
            "--quiet",
            "--leak-check=full",
            // The assembly of ring writes what valgrind does not see: memory is judged, not values.
            "--undef-value-errors=no",
            "--show-leak-kinds=definite",
            "--errors-for-leak-kinds=definite",
            "--error-exitcode=99",
        ];
        let mut valgrind = with_library(command("valgrind", words));
        valgrind.arg(&program);
        valgrind
    });
}

#[test]
fn python() {
    Setting::new().judge(|| {
        let mut python = command::<&str>("python3", []);
        python.arg(example("token.py")).arg(library());
        python
    });
}

#[test]
fn go() {
    let setting = Setting::new();
    let folder = setting.client.token.dir();
    let program = folder.join("go-token");
    let packages = folder.join("pkgconfig");
    fs::create_dir(&packages).unwrap();
    let [include, folder, name] = flags().map(|it| it.into_string().unwrap());
    let description = format!(
        "Name: privyseal\nDescription: the library of this build\nVersion: 0\nCflags: {include}\nLibs: {folder} {name}\n"
    );
    fs::write(packages.join("privyseal.pc"), description).unwrap();
    let mut build = command("go", ["build", "-o"]);
    build.arg(&program).current_dir(example("go"));
    build
        .env("PKG_CONFIG_PATH", packages)
        .env("CGO_ENABLED", "1");
    build
        .env("GOFLAGS", "-mod=mod")
        .env("GOCACHE", cache_dir("go-build"));
    run_within(LONG_LIMIT, &mut build);
    setting.judge(|| with_library(Command::new(&program)));
}

#[test]
fn java() {
    let folder = cache_dir("jna");
    let jar = folder.join(format!("jna-{JNA}.jar"));
    if !jar.is_file() {
        let get = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy";
        let mut maven = command("mvn", ["--batch-mode", "--quiet", get]);
        maven.arg(format!("-Dartifact=net.java.dev.jna:jna:{JNA}"));
        maven.arg(format!("-DoutputDirectory={}", folder.display()));
        run_within(LONG_LIMIT, &mut maven);
    }
    Setting::new().judge(|| {
        let mut java = command("java", ["-cp"]);
        java.arg(&jar).arg(example("Token.java")).arg(library());
        java
    });
}

/// The installed header is what the code says.
#[test]
fn the_header_is_that_of_the_code() {
    let source = workspace().join("host/capi");
    let config = cbindgen::Config::from_file(source.join("cbindgen.toml")).unwrap();
    let mut made = Vec::new();
    let builder = cbindgen::Builder::new().with_config(config);
    let files = ["src/lib.rs"].map(|file| source.join(file));
    let builder = files.into_iter().fold(builder, cbindgen::Builder::with_src);
    builder.generate().unwrap().write(&mut made);
    let header = source.join("include/privyseal.h");
    if env::var_os("SAVE_HEADER").is_some() {
        fs::write(&header, &made).unwrap();
    }
    let made = String::from_utf8(made).unwrap();
    assert_eq!(
        made,
        fs::read_to_string(&header).unwrap_or_default(),
        "run with SAVE_HEADER=1"
    );
}
