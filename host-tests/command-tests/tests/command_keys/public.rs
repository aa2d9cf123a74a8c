//! The public half of a key.

use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use privyseal_test_base::tool;
use privyseal_test_pki::test_key;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{output, printed, token};

#[test]
fn jwks_has_the_numbers_of_the_key_and_its_kid() {
    let token = token();
    let other = test_key("stranger", 3072);
    token.import_key(&other, "02", "L");
    let (first, second) = (token.uri("K"), token.uri("L"));
    let text = printed(&token, &["jwks", "--key", &first, "--key", &second]);
    let set: Value = serde_json::from_str(&text).unwrap();
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    for (jwk, key) in keys.iter().zip([test_key("seal", 2048), other]) {
        assert_eq!(
            [&jwk["kty"], &jwk["use"], &jwk["alg"]],
            ["RSA", "sig", "RS256"]
        );
        assert_eq!(jwk["e"], "AQAB");
        let modulus = Base64UrlUnpadded::decode_vec(jwk["n"].as_str().unwrap()).unwrap();
        assert_eq!(modulus, key.public_key().modulus());
        // RFC 7638 section 3.
        let canonical = format!(r#"{{"e":"AQAB","kty":"RSA","n":{}}}"#, jwk["n"]);
        let thumbprint = Base64UrlUnpadded::encode_string(&Sha256::digest(canonical));
        assert_eq!(jwk["kid"], thumbprint.as_str());
        assert!(jwk.get("x5c").is_none() && jwk.get("d").is_none());
    }
}

#[test]
fn jwks_with_keycloaks_kid_and_the_chain() {
    let token = token();
    let uri = token.uri("K");
    let arguments = ["jwks", "--key", &uri, "--kid-form", "keycloak", "--x5c"];
    let set: Value = serde_json::from_str(&printed(&token, &arguments)).unwrap();
    let jwk = &set["keys"][0];
    let spki = test_key("seal", 2048).spki_der();
    let kid = Base64UrlUnpadded::encode_string(&Sha256::digest(&spki));
    assert_eq!(jwk["kid"], kid.as_str());
    let chain = jwk["x5c"].as_array().unwrap();
    assert_eq!(chain.len(), 4, "leaf, issuing, sub, root");
    let leaf = Base64::decode_vec(chain[0].as_str().unwrap()).unwrap();
    let (_, leaf) = x509_parser::parse_x509_certificate(&leaf).unwrap();
    assert_eq!(leaf.public_key().raw, spki);

    let twice = output(&token, &["jwks", "--key", &uri, "--key", &uri]);
    assert_eq!(twice.status.code(), Some(2), "one kid for two keys");
}

/// p11tool prints one for each object, with the object's own label.
#[test]
fn the_uri_of_its_certificate_or_public_key_names_the_key() {
    let token = token();
    token.import_key(&test_key("stranger", 2048), "02", "leaf");
    let key = token.uri("K");
    let expected = printed(&token, &["jwks", "--key", &key]);
    let (_, reach) = key.split_once('?').unwrap();
    let named = |object: &str| {
        let uri = format!(
            "pkcs11:model=SoftHSM%20v2;manufacturer=SoftHSM%20project;token=T;{object}?{reach}"
        );
        output(&token, &["jwks", "--key", &uri])
    };
    for object in [
        "id=%01;object=leaf;type=cert",
        "id=%01;object=K;type=public",
        "object=K;type=public",
    ] {
        let found = String::from_utf8(named(object).stdout).unwrap();
        assert_eq!(found, expected, "{object}");
    }
    // The certificates of those that issued it have no key.
    for object in ["id=%a0;object=authority%201;type=cert", "id=%01;type=data"] {
        assert_ne!(named(object).status.code(), Some(0), "{object}");
    }
}

#[test]
fn openssl_verifies_a_certification_request_and_reads_it() {
    let token = token();
    let uri = token.uri("K");
    let subject = "CN=Test eSeal,organizationIdentifier=NTRNL-12345678,O=A\\, B,C=NL";
    let usage = "nonRepudiation,digitalSignature";
    let arguments = [
        "csr",
        "--key",
        &uri,
        "--subject",
        subject,
        "--key-usage",
        usage,
    ];
    let pem = printed(&token, &arguments);
    let arguments = "req -verify -noout -text -nameopt utf8,sep_comma_plus,sname";
    let judge = tool::output(
        &mut tool::command("openssl", arguments.split(' ')),
        pem.as_bytes(),
    );
    let said = String::from_utf8(judge.stderr).unwrap();
    assert!(
        judge.status.success() && said.contains("verify OK"),
        "{said}"
    );
    let text = String::from_utf8(judge.stdout).unwrap();
    for words in [
        "C=NL,O=A, B,organizationIdentifier=NTRNL-12345678,CN=Test eSeal",
        "Digital Signature, Non Repudiation",
        "(2048 bit)",
    ] {
        assert!(text.contains(words), "{words} is not in:\n{text}");
    }
    let arguments = ["req", "-pubkey", "-noout"];
    let judge = tool::output(&mut tool::command("openssl", arguments), pem.as_bytes());
    assert_eq!(
        String::from_utf8(judge.stdout).unwrap(),
        test_key("seal", 2048).spki_pem()
    );
}
