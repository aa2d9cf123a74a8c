//! The whole set of refusals: each rule beside the sentence that it comes from, broken alone. The sentences are those of the
//! pages of FIAM, iSHARE, itsme and eHealth, and of the RFCs where these name them or are silent.

use std::collections::BTreeSet;

use std::sync::Arc;

use privyseal::schemes::own;
use privyseal_check::RuleId;
use privyseal_core::scheme::{EHEALTH, FIAM, ISHARE, SchemeRules};
use privyseal_receiver::replay::MemoryStore;
use privyseal_receiver::{
    Receiver, RegisteredClients, Rejection, Revocation, TokenForm, VerifiedParty,
};
use privyseal_test_judges::decode::{to_base64, to_base64url};
use privyseal_test_pki::{CertificateSpec, TestPki, Usage, test_key};
use privyseal_test_servers::ishare_server::party_info;
use serde_json::{Value, json};

use crate::command::{CUSTOMER, FIAM as FIAM_PROVIDER, claims};
use crate::kinds::{jwk, keys};
use crate::stage::{CONSUMER, World, now, sign, sign_text};

/// Rules of what a client signs besides assertions: no receiver of assertions sees it.
const OF_REQUEST_OBJECTS: [RuleId; 9] = [
    RuleId::RequestScope,
    RuleId::RequestLoginHint,
    RuleId::RequestAcr,
    RuleId::RequestExpiry,
    RuleId::RequestNotification,
    RuleId::RequestClaims,
    RuleId::RequestMembers,
    RuleId::HintType,
    RuleId::HintValue,
];

/// Rules of the request around an assertion, and of what a receiver needs.
const OF_REQUESTS: [&str; 6] = [
    "client-authentication",
    "token-request",
    "grant-type",
    "resource",
    "scope",
    "unavailable",
];

/// The rules that refused something.
#[derive(Default)]
struct Judged(BTreeSet<&'static str>);

impl Judged {
    #[track_caller]
    fn refuses<T>(&mut self, sentence: &str, rule: &str, outcome: Result<T, Rejection>) {
        let Err(rejection) = outcome else {
            panic!("it was accepted, against the sentence: {sentence}");
        };
        let found = rejection.rule().name();
        assert_eq!(found, rule, "{rejection}, by the sentence: {sentence}");
        self.0.insert(found);
    }
}

#[test]
fn each_sentence_refuses_what_breaks_it_and_no_rule_has_none() {
    let mut judged = Judged::default();
    fiam(&mut judged);
    ishare(&mut judged);
    keys_by_name(&mut judged);
    requests(&mut judged);
    let rules = RuleId::ALL.iter();
    let rules = rules.filter(|rule| !OF_REQUEST_OBJECTS.contains(rule));
    let whole: BTreeSet<_> = rules.map(|rule| rule.name()).chain(OF_REQUESTS).collect();
    assert_eq!(judged.0, whole);
}

/// What breaks a sentence: a change of a good header and good claims.
type Change = fn(&mut Value, &mut Value);

/// FIAM's page, step 1 and the table of response codes.
const FIAM_PAGE: &[(&str, &str, Change)] = &[
    (
        "Signed JWTs in FIAM MUST use and specify the RS256 algorithm in the alg header parameter.",
        "header-alg",
        |header, _| header["alg"] = json!("RS384"),
    ),
    (
        "Example JWT Header: \"typ\": \"JWT\"",
        "header-typ",
        |header, _| header["typ"] = json!("at+jwt"),
    ),
    (
        "Signed JWTs MUST contain an array of the complete certificate chain that should be used for validating the \
         JWT's signature in the x5c header parameter",
        "header-x5c",
        |header, _| header["x5c"] = Value::Null,
    ),
    (
        "including the root certificate of the issuing CA",
        "x5c-root",
        |header, _| _ = header["x5c"].as_array_mut().unwrap().pop(),
    ),
    (
        "The iss and sub claims MUST contain a valid Party Identifier of the party that creates and signes the JWT",
        "client-id",
        |_, claims| {
            claims["iss"] = json!("somebody");
            claims["sub"] = json!("somebody");
        },
    ),
    (
        "The aud claim MUST contain a valid Party Identifier of the party receiving the JWT, which is the FIAM service.",
        "claim-aud",
        |_, claims| claims["aud"] = json!("EU.EORI.NL000000009"),
    ),
    (
        "The JWT MUST always contain the iat claim.",
        "claim-iat",
        |_, claims| _ = claims.as_object_mut().unwrap().remove("iat"),
    ),
    (
        "The JWT MUST be set to expire in 30 seconds. The combination of iat and exp claims MUST reflect that.",
        "lifetime",
        |_, claims| claims["exp"] = json!(claims["exp"].as_u64().unwrap() + 1),
    ),
    (
        "Both iat and exp MUST be in seconds, NOT milliseconds.",
        "claim-exp",
        |_, claims| claims["exp"] = json!(claims["exp"].as_u64().unwrap() * 1000),
    ),
    (
        "The JWT MUST contain the jti claim for audit trail purposes.",
        "claim-jti",
        |_, claims| _ = claims.as_object_mut().unwrap().remove("jti"),
    ),
    (
        "The payload: \"iat\": 1730094300, \"nbf\": 1730094300",
        "claim-nbf",
        |_, claims| claims["nbf"] = json!(claims["iat"].as_u64().unwrap() - 1),
    ),
    (
        "401 Unauthorized: Token expired",
        "time-not-expired",
        |_, claims| {
            for name in ["iat", "nbf", "exp"] {
                claims[name] = json!(claims[name].as_u64().unwrap() - 60);
            }
        },
    ),
    (
        "RFC 7515 section 4.1.6: Each string in the array is a base64-encoded (not base64url-encoded) DER PKIX \
         certificate value.",
        "x5c-encoding",
        |header, _| header["x5c"][0] = json!("-_-_"),
    ),
    (
        "RFC 7515 section 4.1.6: DER PKIX certificate value",
        "x5c-certificates",
        |header, _| header["x5c"][0] = json!("aGVsbG8="),
    ),
    (
        "RFC 7515 section 4.1.6: with each subsequent certificate being the one used to certify the previous one",
        "x5c-order",
        |header, _| header["x5c"].as_array_mut().unwrap().swap(1, 2),
    ),
    (
        "RFC 7515 section 4.1.11: If any of the listed extension Header Parameters are not understood and supported \
         by the recipient, then the JWS is invalid.",
        "header-members",
        |header, _| header["crit"] = json!(["exp"]),
    ),
];

fn fiam(judged: &mut Judged) {
    let world = World::new();
    let clients = RegisteredClients::default().certificate(CUSTOMER, &world.chain[0]);
    let receiver = Receiver::builder(&FIAM)
        .replay(Arc::new(MemoryStore::new(1000)))
        .audience(FIAM_PROVIDER);
    let receiver = receiver.trust(world.root()).clients(clients);
    let receiver = receiver.build().unwrap();
    let accept = |assertion: &str| receiver.accept(&TokenForm::of_assertion(assertion));
    let good = || {
        let mut claims = claims(CUSTOMER, FIAM_PROVIDER);
        claims["nbf"] = claims["iat"].clone();
        (world.header(), claims)
    };
    for (sentence, rule, change) in FIAM_PAGE {
        let (mut header, mut claims) = good();
        change(&mut header, &mut claims);
        let outcome = accept(&world.sign(&header, &claims));
        // Whatever it breaks, the log says who was refused.
        let named = outcome.as_ref().unwrap_err().claimed();
        let [issuer, jti] = ["iss", "jti"].map(|name| claims[name].as_str().unwrap_or_default());
        assert_eq!(named, Some((issuer, jti)), "{rule}");
        judged.refuses(sentence, rule, outcome);
    }
    let (header, claims) = good();
    let assertion = world.sign(&header, &claims);
    accept(&assertion).unwrap();
    let sentence = "An new jti must be used for each JWT to avoid replay attacks.";
    judged.refuses(sentence, "replay", accept(&assertion));

    let (header, claims) = good();
    let other_key = test_key("registry", 2048);
    let forged = sign(&other_key, &header, &claims);
    let sentence = "401 Unauthorized: invalid signature";
    judged.refuses(sentence, "signature", accept(&forged));
    let other = World {
        chain: world.pki.seal_chain(&other_key),
        key: other_key,
        ..World::new()
    };
    let sentence = "401 Unauthorized: wrong certificate";
    let wrong = other.sign(&other.header(), &claims);
    judged.refuses(sentence, "party-status", accept(&wrong));

    let sentence = "A JWT consists of three parts: JWT Header, JWT Payload, Signature";
    judged.refuses(sentence, "jws-form", accept("e30.e30"));
    let (header, claims) = good();
    let twice = |value: &Value, member: &str| format!("{{{member},{}", &value.to_string()[1..]);
    let sentence =
        "RFC 7515 section 4: The Header Parameter names within the JOSE Header MUST be unique";
    let header_twice = twice(&header, "\"alg\":\"none\"");
    let assertion = sign_text(&world.key, &header_twice, &claims.to_string());
    judged.refuses(sentence, "header-json", accept(&assertion));
    let sentence = "RFC 7519 section 4: The Claim Names within a JWT Claims Set MUST be unique";
    let claims_twice = twice(&claims, "\"jti\":\"other\"");
    let assertion = sign_text(&world.key, &header.to_string(), &claims_twice);
    judged.refuses(sentence, "payload-json", accept(&assertion));
}

/// iSHARE's pages on authentication, of version 2.1 and, where it says so, of version 1.
fn ishare(judged: &mut Judged) {
    let world = World::new();
    let with_leaf = |spec: &CertificateSpec| World {
        chain: world.pki.chain(&world.key.spki_der(), spec),
        ..World::new()
    };
    let listed = |party: &World| world.registry_of(party_info(CONSUMER, "Active", &party.chain));
    let accept = |party: &World, config| world.play(config).accept(&party.assertion());

    let stranger = World {
        chain: TestPki::new().seal_chain(&world.key),
        ..World::new()
    };
    let sentence = "A request in iSHARE must always be signed by a certificate that is issued by a certificate \
                    authority on the trusted list of iSHARE.";
    judged.refuses(sentence, "chain-trusted", accept(&stranger, world.honest()));

    let mut forged = with_leaf(&CertificateSpec::seal());
    *forged.chain[0].last_mut().unwrap() ^= 1;
    let sentence = "The party receiving the request signed by such a certificate is responsible for verifying that \
                    the certificate is issued and signed by a certificate authority on the trusted list.";
    judged.refuses(sentence, "x5c-chain", accept(&forged, listed(&forged)));

    let signs = with_leaf(&CertificateSpec::seal().usage(&[Usage::DigitalSignature]));
    let sentence =
        "For eIDAS eSEALs it is \"Is the Key Usage (2.5.29.15) equal to \"Non-Repudiation\".";
    judged.refuses(sentence, "leaf-key-usage", accept(&signs, listed(&signs)));

    let seconds = now().as_secs();
    let expired = with_leaf(&CertificateSpec::seal().valid(seconds - 7200, seconds - 3600));
    let sentence = "Verifying the validity of the certificate (steps 2.2.2 and 2.2.3)";
    judged.refuses(sentence, "x5c-dates", accept(&expired, listed(&expired)));

    let best = "Any other best practices for validating certificates (such as a check on revocation lists) still apply.";
    let lists = world.lists(&[&world.chain[0]]);
    let revocation = Revocation::by_lists(lists);
    let stage = world.play_with(&ISHARE, world.honest(), |it| it.revocation(revocation));
    judged.refuses(best, "revocation", stage.accept(&world.assertion()));
    let server = with_leaf(&CertificateSpec::seal().purposes(&["1.3.6.1.5.5.7.3.1"]));
    judged.refuses(best, "leaf-purpose", accept(&server, listed(&server)));
    let key = test_key("small", 1024);
    let small = World {
        chain: world.pki.seal_chain(&key),
        key,
        ..World::new()
    };
    judged.refuses(best, "key-size", accept(&small, listed(&small)));

    let stage = world.play(world.honest());
    let other = "did:ishare:EU.NL.NTRNL-20000002";
    let as_other = world.with_claims(|claims| {
        claims["iss"] = json!(other);
        claims["sub"] = json!(other);
    });
    let form = |assertion| TokenForm::of_assertion(assertion).client_id(other);
    let sentence = "Within iSHARE, it is necessary to match the identity on the certificate that is used to sign the \
                    client_assertion with the party identifier within that client_assertion.";
    let accepted = stage.receiver.accept(&form(as_other));
    judged.refuses(sentence, "client-id-in-leaf", accepted);
    let sentence = "Parameter party_id value should be client_id from request (it should be equal to iss or sub in \
                    client_assertion).";
    let accepted = stage.receiver.accept(&form(world.assertion()));
    judged.refuses(sentence, "client-id", accepted);

    let sentence = "In the information, the status of the party is listed under \"status\" and should be equal to \
                    \"Active\".";
    let pending = world.registry_of(party_info(CONSUMER, "Pending", &world.chain));
    judged.refuses(sentence, "party-status", accept(&world, pending));
    let sentence = "One of these certificates should be matching the certificate used for signing the JWT (client \
                    assertion)";
    let other_chain = world.pki.seal_chain(&test_key("registry", 2048));
    let registered = world.registry_of(party_info(CONSUMER, "Active", &other_chain));
    judged.refuses(sentence, "party-status", accept(&world, registered));
    let sentence = "Decode the parties_token received and check the signature.";
    let lying = world.honest().lying(|draft| draft.changed_later = true);
    judged.refuses(sentence, "unavailable", accept(&world, lying));
}

/// eHealth section 5.3, itsme's page, and the section of RFC 7523 that eHealth names.
const EHEALTH_PAGE: &[(&str, &str, Change)] = &[
    (
        "iss and sub correspond to the client_id.",
        "iss-equals-sub",
        |_, claims| claims["sub"] = json!("two"),
    ),
    (
        "aud contains the identification of the authorization server (example: \
         \"https://[IAMConnectRoot]/auth/realms/[realm id]\").",
        "claim-aud",
        |_, claims| claims["aud"] = json!("https://idp.example/auth/realms/healthcare"),
    ),
    (
        "jti: A unique identifier for the token, containing maximum 255 characters.",
        "claim-jti",
        |_, claims| claims["jti"] = json!("j".repeat(256)),
    ),
    (
        "exp: The expiration time of the token in seconds since January 1, 1970 UTC.",
        "claim-exp",
        |_, claims| claims["exp"] = json!("2030-01-01T00:00:00Z"),
    ),
    (
        "RFC 7523 section 3, point 1: The JWT MUST contain an \"iss\" (issuer) claim",
        "claim-iss",
        |_, claims| _ = claims.as_object_mut().unwrap().remove("iss"),
    ),
    (
        "RFC 7523 section 3, point 2: The JWT MUST contain a \"sub\" (subject) claim",
        "claim-sub",
        |_, claims| _ = claims.as_object_mut().unwrap().remove("sub"),
    ),
    (
        "The \"nbf\" (not before) claim identifies the time before which the JWT MUST NOT be accepted for processing.",
        "time-not-future",
        |_, claims| {
            claims["nbf"] = json!(claims["exp"]);
            claims.as_object_mut().unwrap().remove("iat");
        },
    ),
    (
        "RFC 7515 section 4.1.4: Its value MUST be a case-sensitive string.",
        "header-kid",
        |header, _| header["kid"] = json!(7),
    ),
    (
        "Add the new key to JWK set, with a new \"kid\". Start using the new key to sign JWTs",
        "key-known",
        |header, _| header["kid"] = json!("new"),
    ),
];

fn keys_by_name(judged: &mut Judged) {
    let world = World::new();
    let audience = "https://idp.example/auth/realms/M2M";
    let receiver = |scheme: &'static SchemeRules, audience| {
        let clients = RegisteredClients::default()
            .keys("one", keys(&[jwk(&world.key, "a")]))
            .certificate("one", &world.chain[0]);
        let builder = Receiver::builder(scheme)
            .replay(Arc::new(MemoryStore::new(1000)))
            .audience(audience);
        builder.clients(clients).build().unwrap()
    };
    let ehealth = receiver(&EHEALTH, audience);
    let accept = |receiver: &Receiver, header: &Value, claims: &Value| {
        receiver.accept(&TokenForm::of_assertion(world.sign(header, claims)))
    };
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "a" });
    for (sentence, rule, change) in EHEALTH_PAGE {
        let (mut header, mut claims) = (header.clone(), claims("one", audience));
        change(&mut header, &mut claims);
        judged.refuses(sentence, rule, accept(&ehealth, &header, &claims));
    }
    let claims_now = claims("one", audience);
    accept(&ehealth, &header, &claims_now).unwrap();
    let sentence = "jti is used by the authorization server to prevent the JWT from being replayed";
    judged.refuses(sentence, "replay", accept(&ehealth, &header, &claims_now));

    let audience = "https://as.example/token";
    let acme = format!(
        "[scheme.acme]\nkey = \"x5t#S256\"\naudience = \"{audience}\"\nlifetime = 60\n\
         [scheme.acme.token-request]\npath = \"/token\"\nbase-url = \"https://as.example\"\n"
    );
    let acme = own::rules(&own::from_toml(&acme).unwrap(), "acme").unwrap();
    let acme = receiver(acme, audience);
    let sentence = "RFC 7515 section 4.1.8: a base64url-encoded SHA-256 thumbprint of the DER encoding of the X.509 \
                    certificate";
    for (named, rule) in [
        (to_base64(&[7; 32]), "header-x5t-s256"),
        (to_base64url(&[7; 32]), "key-known"),
    ] {
        let header = json!({ "alg": "RS256", "typ": "JWT", "x5t#S256": named });
        let accepted = accept(&acme, &header, &claims("one", audience));
        judged.refuses(sentence, rule, accepted);
    }
}

/// The request around the assertion.
fn requests(judged: &mut Judged) {
    let accept = |scheme: &SchemeRules, members: &[(&str, &str)]| {
        let members = members
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let body = members.collect::<Vec<_>>().join("&");
        TokenForm::parse(body.as_bytes()).and_then(|form| form.check_token_request(scheme))
    };
    let sentence = "grant_type MANDATORY. Value MUST be set to \"client_credentials\"";
    let code = accept(&EHEALTH, &[("grant_type", "authorization_code")]);
    judged.refuses(sentence, "grant-type", code);
    judged.refuses(sentence, "token-request", accept(&EHEALTH, &[]));
    let sentence = "RFC 6749 section 5.2, invalid_scope: The requested scope is invalid, unknown, malformed, or exceeds \
                    the scope granted by the resource owner.";
    let grant = ("grant_type", "client_credentials");
    let other = accept(&ISHARE, &[grant, ("scope", "ishare")]);
    judged.refuses(sentence, "scope", other);
    let sentence = "RFC 6749 section 3.3: If the client omits the scope parameter when requesting authorization, the \
                    authorization server MUST either process the request using a pre-defined default value or fail the \
                    request indicating an invalid scope.";
    let none = accept(&ISHARE, &[grant, ("scope", "")]);
    assert_eq!(none.as_ref().unwrap_err().oauth_error(), "invalid_scope");
    judged.refuses(sentence, "scope", none);
    let acme = "[scheme.acme]\nkey = \"kid\"\naudience = \"https://as.example/token\"\nlifetime = 60\n\
                [scheme.acme.token-request]\npath = \"/token\"\nbase-url = \"https://as.example\"\n\
                scope = \"read write\"\nmembers = { resource = \"https://api.example\" }\n";
    let acme = own::rules(&own::from_toml(acme).unwrap(), "acme").unwrap();
    let resource = ("resource", "https://api.example");
    let sentence = "RFC 6749 section 3.3: If the value contains multiple space-delimited strings, their order does not matter";
    for scope in ["read write", "write+read"] {
        accept(acme, &[grant, resource, ("scope", scope)]).unwrap();
    }
    for scope in ["read", "read+write+admin"] {
        let other = accept(acme, &[grant, resource, ("scope", scope)]);
        judged.refuses(sentence, "scope", other);
    }
    let sentence = "what [scheme.NAME.token-request] says for one's own: members";
    let scope = ("scope", "read+write");
    for (members, rule) in [
        (&[grant, scope][..], "resource"),
        (&[grant, scope, ("resource", "")], "resource"),
        (
            &[grant, scope, ("resource", "https://other.example")],
            "resource",
        ),
        (&[grant, scope, resource, resource], "token-request"),
        (&[grant, scope, ("resource", ""), resource], "token-request"),
    ] {
        let refused = accept(acme, members);
        // RFC 8707 section 2: "The requested resource is invalid, missing, unknown, or malformed."
        let is_target = refused.as_ref().unwrap_err().oauth_error() == "invalid_target";
        assert_eq!(is_target, rule == "resource");
        judged.refuses(sentence, rule, refused);
    }
    let sentence = "client-id = false of [scheme.NAME.token-request]: the form must not carry it";
    let plain = "[scheme.plain]\nkey = \"kid\"\naudience = \"https://as.example/token\"\nlifetime = 60\n\
                 [scheme.plain.token-request]\npath = \"/token\"\nbase-url = \"https://as.example\"\nclient-id = false\n";
    let plain = own::rules(&own::from_toml(plain).unwrap(), "plain").unwrap();
    let named = accept(plain, &[grant, ("client_id", "x")]);
    judged.refuses(sentence, "token-request", named);
    // FIAM's document says nothing of it: RFC 7521 section 4.2 leaves it to the client.
    accept(&FIAM, &[grant, ("client_id", CUSTOMER)]).unwrap();
    accept(acme, &[grant, scope, resource, ("client_id", "x")]).unwrap();
    // FIAM's form has three members, and eHealth's has no scope: whatever it is, it is not granted.
    for scheme in [&FIAM, &EHEALTH] {
        judged.refuses(
            sentence,
            "scope",
            accept(scheme, &[grant, ("scope", "foo")]),
        );
        // "Parameters sent without a value MUST be treated as if they were omitted from the request."
        accept(scheme, &[grant, ("scope", "")]).unwrap();
    }
    let sentence = "RFC 6749 section 3.2: Request and response parameters MUST NOT be included more than once.";
    let twice: Result<(), _> = accept(&EHEALTH, &[grant, grant]);
    judged.refuses(sentence, "token-request", twice);

    let world = World::new();
    let receive = |body: &str| -> Result<VerifiedParty, Rejection> {
        let stage = world.play(world.honest());
        stage.receiver.accept(&TokenForm::parse(body.as_bytes())?)
    };
    let assertion = world.assertion();
    let sentence = "client_assertion_type MANDATORY. Value must be set to \
                    \"urn:ietf:params:oauth:client-assertion-type:jwt-bearer\"";
    let other =
        format!("client_id={CONSUMER}&client_assertion_type=x&client_assertion={assertion}");
    judged.refuses(sentence, "token-request", receive(&other));
    let sentence = "RFC 6749 section 5.2, invalid_client: no client authentication included, or unsupported authentication method";
    for none in ["client_id=x", "client_id=x&client_secret=x"] {
        judged.refuses(sentence, "client-authentication", receive(none));
    }
    let sentence = "RFC 6749 section 2.3: The client MUST NOT use more than one authentication method in each request.";
    let bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let twice = format!(
        "client_id={CONSUMER}&client_secret=x&client_assertion_type={bearer}&client_assertion={assertion}"
    );
    judged.refuses(sentence, "token-request", receive(&twice));
    let sentence = "The client_id MUST contain a valid Party Identifier of the client.";
    let nobody = format!("client_assertion_type={bearer}&client_assertion={assertion}");
    judged.refuses(sentence, "token-request", receive(&nobody));
}
