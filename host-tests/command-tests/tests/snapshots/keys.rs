//! A key in SoftHSM: what signs, what is refused, and what is said of the key.

use privyseal_test_pki::{CertificateSpec, pem_chain, test_key};
use privyseal_test_suite::softhsm::{PIN, SoftHsmToken};

use crate::{EORI, KEY, NOW, at, client, file, only_for_me, seal};

#[test]
fn assertions() {
    let client = client();
    let mut transcript = at(&client);
    let uri = client.token.uri(KEY);
    let expired = CertificateSpec::seal().valid(1_500_000_000, 1_700_000_000);
    let expired = client.pki.chain(&client.key.spki_der(), &expired);
    let stranger = client
        .pki
        .chain(&test_key("stranger", 2048).spki_der(), &seal());
    client.file("expired.pem", pem_chain(&expired));
    client.file("stranger.pem", pem_chain(&stranger));
    client.file("no-root.pem", pem_chain(&client.chain[..3]));
    let chain = file(&client, "chain.pem");
    let fiam = ["sign", "--scheme", "fiam", "--key", &uri, "--now", NOW];
    let fiam = [&fiam[..], &["--client-id", EORI, "--jti", "1"]].concat();
    let ishare = ["sign", "--scheme", "ishare", "--key", &uri, "--now", NOW];
    let itsme = ["sign", "--scheme", "itsme", "--key", &uri, "--now", NOW];
    let itsme = [&itsme[..], &["--client-id", "partner"]].concat();
    let ehealth = ["sign", "--scheme", "ehealth", "--key", &uri, "--now", NOW];
    let ehealth = [&ehealth[..], &["--client-id", "nihii-12345678"]].concat();
    for (usual, more) in [
        (&fiam, &["--chain", "token"][..]),
        (&fiam, &["--chain", &chain]),
        (&fiam, &["--lifetime", "31"]),
        (&fiam, &["--lifetime", "0"]),
        (&fiam, &["--backdate", "5"]),
        (&fiam, &["--backdate", "6"]),
        (&fiam, &["--audience", "EU.EORI.NLKPNFIAMTEST"]),
        (&fiam, &["--audience", "not an id"]),
        (&fiam, &["--kid", "k"]),
        (&fiam, &["--endpoint", "token"]),
        (&fiam, &["--realm", "M2M"]),
        (&fiam, &["--chain", "/nowhere/chain.pem"]),
        (&fiam, &["--chain", "/dev/null"]),
        (&fiam, &["--chain", &file(&client, "no-root.pem")]),
        (&fiam, &["--chain", &file(&client, "expired.pem")]),
        (&fiam, &["--chain", &file(&client, "stranger.pem")]),
        (&fiam, &["--refuse-extractable"]),
        (&fiam, &["--require-certificate"]),
        (&fiam, &["--min-key-bits", "3072"]),
        (&ishare.to_vec(), &["--audience", "EU.EORI.NLDHUBSCHEME1"]),
        (&ishare.to_vec(), &[]),
        (&itsme, &["--endpoint", "token", "--kid", "k1"]),
        (&itsme, &["--endpoint", "token"]),
        (&itsme, &["--kid", "k1"]),
        (
            &itsme,
            &["--endpoint", "request", "--kid", "k1", "--scope", "openid"],
        ),
        (&itsme, &["--endpoint", "request", "--kid", "k1"]),
        (&ehealth, &["--realm", "M2M", "--kid-form", "keycloak"]),
        (&ehealth, &["--kid-form", "keycloak"]),
    ] {
        transcript.run(&[usual, more].concat());
    }
    let sign = ["sign", "--scheme", "fiam", "--key", &uri];
    for more in [
        &["--now", NOW, "--client-id", "nobody"][..],
        &["--now", NOW, "--client-id", EORI, "--jti", ""],
        &["--now", NOW, "--client-id", EORI, "--jti", &"j".repeat(256)],
        &["--now", "1000000000", "--client-id", EORI],
        &["--now", "9000000000", "--client-id", EORI],
        &["--now", NOW],
    ] {
        transcript.run(&[&sign[..], more].concat());
    }
    transcript.is("sign");
}

#[test]
fn keys_and_pins_that_do_not_serve() {
    let client = client();
    client.token.generate_key(2048, "02", "bare");
    client.token.generate_key(1024, "03", "small");
    let open = ["--extractable"];
    client.token.generate_special_key(2048, "04", "open", &open);
    client.file("wrong-pin", "0000");
    client.file("empty-pin", "");
    only_for_me(&file(&client, "empty-pin"));
    let mut transcript = at(&client);
    let module = SoftHsmToken::module().display().to_string();
    let pin = client.token.pin_file().display().to_string();
    let uri = |path: &str, pin: &str| format!("pkcs11:{path}?module-path={module}&{pin}");
    let right = format!("pin-source=file:{pin}");
    let pin_file = |name: &str| format!("pin-source=file:{}", file(&client, name));
    for uri in [
        uri("token=Other;object=K", &right),
        uri("token=T;object=Other", &right),
        uri("token=T", &right),
        uri("token=T;object=bare", &right),
        uri("token=T;object=small", &right),
        uri("token=T;object=open", &right),
        uri("token=T;id=%01", &right),
        uri("token=T;object=K;id=%02", &right),
        uri("slot-id=99;object=K", &right),
        uri("token=T;object=K", &pin_file("wrong-pin")),
        uri("token=T;object=K", &pin_file("empty-pin")),
        uri("token=T;object=K", &pin_file("no-pin")),
        uri("token=T;object=K", &format!("pin-value={PIN}")),
        uri("token=T;object=K", ""),
    ] {
        let sign = ["sign", "--scheme", "fiam", "--key", &uri, "--now", NOW];
        transcript.run(&[&sign[..], &["--client-id", EORI]].concat());
    }
    transcript.is("sign_with_other_keys");
}

#[test]
fn what_is_public_of_a_key() {
    let client = client();
    client.token.generate_decryption_key(2048, "05", "decrypt");
    let mut transcript = at(&client);
    let uri = client.token.uri(KEY);
    let decrypt = client.token.uri("decrypt");
    let none = client.token.uri("none");
    let csr = ["csr", "--key", &uri, "--subject"];
    for words in [
        &["keys", "--key", &uri][..],
        &["keys", "--key", &uri, "--json"],
        &[
            "keys",
            "--key",
            &uri,
            "--scheme",
            "fiam",
            "--min-key-bits",
            "4096",
        ],
        &["keys", "--key", &none],
        &["jwks", "--key", &uri],
        &["jwks", "--key", &uri, "--kid", "k1", "--x5c"],
        &["jwks", "--key", &uri, "--encryption-key", &decrypt],
        &["jwks", "--key", &uri, "--key", &uri],
        &["jwks", "--key", &uri, "--kid", "a", "--kid", "b"],
        &["jwks", "--key", &uri, "--encryption-alg", "RSA-OAEP"],
        &["jwks", "--key", &none],
        &[
            &csr[..],
            &["CN=Test eSeal,organizationIdentifier=NTRNL-12345678,C=NL"],
        ]
        .concat(),
        &[
            &csr[..],
            &["/C=NL/CN=Test eSeal", "--key-usage", "nonRepudiation"],
        ]
        .concat(),
        &[&csr[..], &[""]].concat(),
        &[&csr[..], &["Test eSeal"]].concat(),
        &[&csr[..], &["CN="]].concat(),
        &[&csr[..], &["C=Netherlands"]].concat(),
        &[&csr[..], &["X=y"]].concat(),
        &["chain", "--key", &uri, "--now", NOW],
        &[
            "chain", "--key", &uri, "--now", NOW, "--scheme", "fiam", "--json",
        ],
        &["chain", "--key", &decrypt, "--now", NOW],
        &["doctor", "--key", &uri],
        &["doctor", "--key", &uri, "--scheme", "fiam", "--json"],
        &["doctor", "--key", &none],
        &["doctor", "--key", &decrypt],
    ] {
        transcript.run(words);
    }
    transcript.is("keys");
}

/// Judged as those who receive it would.
#[test]
fn a_token_of_ours() {
    let client = client();
    let mut transcript = at(&client);
    let uri = client.token.uri(KEY);
    let list = client.pki.issuing.revocation_list(&[]);
    client.file("issuing.crl", list);
    let (root, crl) = (file(&client, "root.pem"), file(&client, "issuing.crl"));
    let sign = ["sign", "--scheme", "fiam", "--key", &uri, "--now", NOW];
    let token = transcript.run(&[&sign[..], &["--client-id", EORI, "--jti", "1"]].concat());
    let token = token.trim_end();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{signed}.AAAA{}", &signature[4..]);
    let later = "1780272300";
    for (token, now, more) in [
        (token, NOW, &[][..]),
        (token, NOW, &["--trust", &root]),
        (token, NOW, &["--trust", &root, "--json"]),
        (
            token,
            NOW,
            &["--trust", &root, "--scheme", "fiam", "--crl", &crl],
        ),
        (token, later, &["--trust", &root]),
        (token, NOW, &["--trust", &root, "--scheme", "ishare"]),
        (token, NOW, &["--trust", &root, "--scheme", "itsme"]),
        (
            token,
            NOW,
            &["--trust", &root, "--audience", "EU.EORI.NL000000001"],
        ),
        (&forged, NOW, &["--trust", &root]),
    ] {
        transcript.run(&[&["check", token, "--now", now], more].concat());
    }
    transcript.is("check");
}
