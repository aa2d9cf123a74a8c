//! A YubiHSM, simulated: set-up, attestation, audit, and what it refuses.

use privyseal_test_pki::{pem_chain, test_key};
use privyseal_test_simulators::yubihsm_sim::{FACTORY_PASSWORD, YubihsmSim};

use crate::{EORI, NOW, only_for_me, pki, seal, transcript};

#[test]
fn a_yubihsm() {
    let folder = tempfile::tempdir().unwrap();
    let key = test_key("seal", 2048);
    let chain = pki().chain(&key.spki_der(), &seal());
    let sim = YubihsmSim::start();
    sim.import_key(100, "eSeal", &key);
    sim.store_certificates(101, "eSeal", &chain);
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (name, content) in [
        ("chain.pem", pem_chain(&chain).as_bytes()),
        ("password", b"only to sign"),
        ("factory", FACTORY_PASSWORD.as_bytes()),
        ("wrong", b"wrong"),
    ] {
        std::fs::write(path(name), content).unwrap();
        if name != "wrong" {
            only_for_me(&path(name));
        }
    }
    let mut transcript = transcript();
    transcript.hide(folder.path().display(), "[DIR]");
    let uri = |rest: &str| {
        let separator = if rest.contains('?') { '&' } else { '?' };
        sim.uri(&format!(
            "{rest}{separator}pin-source=file:{}",
            path("factory")
        ))
    };
    let (key, new, none) = (uri("key-id=100"), uri("key-id=7"), uri("key-id=9"));
    let audited = uri(&format!("key-id=100?audit-dir={}", path("audit")));
    let wrong = sim.uri(&format!("key-id=100?pin-source=file:{}", path("wrong")));
    let (file, chain) = (path("password"), path("chain.pem"));
    let secret = format!("file:{file}");
    let sign = [
        "sign",
        "--scheme",
        "fiam",
        "--now",
        NOW,
        "--client-id",
        EORI,
    ];
    let generate = ["keys", "generate", "--label", "new", "--key"];
    let put = ["yubihsm", "put-auth-key", "--key", &key, "--id"];
    let store = ["keys", "put-chain", "--key", &key, "--chain"];
    for words in [
        &[&sign[..], &["--key", &audited, "--chain", "token"]].concat()[..],
        &["yubihsm", "audit", "--key", &audited],
        &["keys", "--key", &key],
        &["keys", "--key", &key, "--json"],
        &[&sign[..], &["--key", &key, "--chain", "token"]].concat(),
        &[&sign[..], &["--key", &none]].concat(),
        &[&sign[..], &["--key", &wrong]].concat(),
        &["jwks", "--key", &key, "--kid", "k1"],
        &["csr", "--key", &key, "--subject", "CN=x"],
        &["chain", "--key", &key, "--scheme", "fiam", "--now", NOW],
        &["doctor", "--key", &key, "--scheme", "fiam"],
        &[&generate[..], &[&new]].concat(),
        &[&generate[..], &[&new]].concat(),
        &[&put[..], &["2", "--password-source", &secret]].concat(),
        &[&put[..], &["2", "--password-source", &secret]].concat(),
        &[&put[..], &["3", "--password-source", "file:/nowhere"]].concat(),
        &[&put[..], &["4", "--password-source", &file]].concat(),
        &[&store[..], &[&chain]].concat(),
        &[&store[..], &[&chain, "--replace"]].concat(),
        &[&store[..], &["/nowhere"]].concat(),
        &["yubihsm", "attest", "--key", &new],
        &["yubihsm", "attest", "--key", &none],
        &["yubihsm", "audit", "--key", &key],
        &["yubihsm", "audit", "--key", &audited],
    ] {
        transcript.run(words);
    }
    transcript.is("yubihsm");
}
