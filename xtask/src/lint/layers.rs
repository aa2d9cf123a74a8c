//! Which crate may depend on which, as data. Everything here is listed from the ground up: arrows point down the list.

/// Crates by layer, lowest first. A crate may depend on crates of lower lines in a ladder that has both.
pub(crate) const LADDERS: [&[&[&str]]; 2] = [
    &[
        &["privyseal-ifma"],
        &["privyseal-core"],
        &["privyseal-check", "privyseal-protocol"],
        &["privyseal-hsm"],
        &["privyseal-pkcs11", "privyseal-yubihsm"],
        &["privyseal-gateway"],
        &["privyseal"],
        &["privyseal-receiver"],
        &["privyseal-agent", "libprivyseal", "privyseal-web"],
        &["privyseal-cli", "privyseal-web-bundle"],
    ],
    &[
        &["privyseal-ifma", "privyseal-firmware-rsa"],
        &["privyseal-core"],
        &["privyseal-check", "privyseal-protocol"],
        &["privyseal-firmware-app"],
        &["privyseal-firmware-common"],
        &[
            "privyseal-firmware-stm32f405",
            "privyseal-firmware-mps2-an386",
        ],
    ],
];

/// Crates of others that only tests may use; `deny.toml` has the reasons, and cannot tell what is for tests.
pub(super) const FOR_TESTS: &[&str] = &["rsa"];

/// Top-level modules of the library `privyseal`. Other crates need no order, only no circle.
pub(super) const FLOORS: (&str, &[&str]) = (
    "privyseal",
    &[
        "base", "pki", "keys", "http", "jose", "oauth", "gateway", "oidc", "schemes", "report",
        "client", "profile", "error",
    ],
);
