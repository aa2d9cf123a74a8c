//! Clients as a file lists them.

use std::fs;

use privyseal_core::scheme::{EHEALTH, FIAM, Scheme};
use privyseal_receiver::RegisteredClients;
use serde_json::json;

use crate::kinds::jwk;
use crate::stage::World;

#[test]
fn each_client_of_a_file_has_a_key_that_the_scheme_looks_at() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("seal", &world.chain[0]);
    write("ca", &world.chain[1]);
    let named = jwk(&world.key, "a");
    let mut unnamed = named.clone();
    unnamed.as_object_mut().unwrap().remove("kid");
    for (name, keys) in [
        ("keys", vec![&named]),
        ("unnamed", vec![&unnamed]),
        ("twice", vec![&named, &named]),
    ] {
        write(name, json!({ "keys": keys }).to_string().as_bytes());
    }
    let read = |scheme: &Scheme, id: &str, text: &str| {
        write("clients", format!("[client.\"{id}\"]\n{text}").as_bytes());
        let clients = RegisteredClients::from_file(&folder.path().join("clients"), scheme);
        clients
            .map(|clients| clients.is_empty())
            .map_err(|it| it.to_string())
    };
    let (seal, set) = ("certificates = [\"seal\"]", "jwks = \"keys\"");
    let id = "EU.EORI.NL123456789";
    assert_eq!(read(&FIAM, id, seal), Ok(false));
    assert_eq!(read(&EHEALTH, "one", set), Ok(false));
    let both = format!("{seal}\n{set}");
    for (scheme, id, text, words) in [
        (&FIAM, "somebody", seal, "client somebody: "),
        (&EHEALTH, " one", set, "begins or ends with a space"),
        (&FIAM, id, &both, "nothing but the RSA key of a certificate"),
        (
            &EHEALTH,
            "one",
            &both,
            "nothing but an RSA key of a JWK Set",
        ),
        (&FIAM, id, set, "no key that"),
        (&EHEALTH, "one", seal, "no key that"),
        (&EHEALTH, "one", "jwks = \"unnamed\"", "no key that"),
        (&EHEALTH, "one", "jwks = \"twice\"", "have the kid \"a\""),
        (
            &FIAM,
            id,
            "certificates = [\"ca\"]",
            "no certificate of a client",
        ),
        (
            &FIAM,
            id,
            "certificates = [\".\"]",
            "client EU.EORI.NL123456789: ",
        ),
    ] {
        let refused = read(scheme, id, text).unwrap_err();
        assert!(refused.contains(words), "{text}: {refused}");
    }
}
