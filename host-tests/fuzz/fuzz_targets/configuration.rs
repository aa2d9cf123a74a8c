//! What people write down: schemes of their own, profiles, policies of gateways; and such a policy on the wire.
#![no_main]

use libfuzzer_sys::fuzz_target;
use privyseal::profile::Profiles;
use privyseal::schemes::own;
use privyseal_core::jws::Algorithm;
use privyseal_gateway::policy::GatewayPolicy;
use privyseal_protocol::{MAX_POLICY, Policy};

fuzz_target!(|data: &[u8]| {
    if let Some(policy) = Policy::from_bytes(data) {
        let _ = policy.check().is_ok();
        let mut buffer = [0; MAX_POLICY];
        if let Some(bytes) = policy.to_bytes(&mut buffer) {
            assert_eq!(
                Policy::from_bytes(bytes),
                Some(policy),
                "it is what was written"
            );
        }
    }
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    for scheme in own::from_toml(text).unwrap_or_default() {
        let (lifetime, audience) = (scheme.lifetime().value(), scheme.audience().value());
        assert!(lifetime.min() <= lifetime.default() && lifetime.default() <= lifetime.max());
        assert!(
            lifetime.max() <= 600 && lifetime.min() > 0,
            "ten minutes are the most"
        );
        assert_eq!(scheme.algorithms().value(), [Algorithm::Rs256]);
        assert!(audience.default().is_some() || !audience.syntax().is_empty());
        assert!(
            scheme.built_in().is_none(),
            "it does not stand in for another"
        );
    }
    let _ = GatewayPolicy::from_toml(text, |_| Ok(Vec::new())).is_ok();
    profiles(text);
});

/// They are read from files only.
fn profiles(text: &str) {
    thread_local! {
        static FOLDER: tempfile::TempDir = tempfile::tempdir_in(
            if std::path::Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" },
        ).expect("a folder");
    }
    FOLDER.with(|folder| {
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).expect("a file");
        if let Ok(profiles) = Profiles::from_file(&path) {
            for (name, profile) in profiles.iter() {
                assert_eq!(profile.name(), Some(name));
                let _ = profile.check().is_ok();
            }
        }
    });
}
