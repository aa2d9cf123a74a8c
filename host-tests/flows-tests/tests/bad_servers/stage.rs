//! Every request of the library but those of CIBA, against one server.

use core::error::Error as _;
use std::thread;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use privyseal::http::{HttpCause, HttpError};
use privyseal::schemes::ishare::{Expected, PartyQuery, Registry};
use privyseal::{
    AccessToken, AssertionOptions, AssertionSource as _, BaseUrl, Certificates, Error, ErrorKind,
    Http, HttpOptions, Provider, ProviderMetadata, RetryPolicy, Roots, SigningClient, base::clock,
    oauth, schemes::fiam,
};
use privyseal_core::ClientId;
use privyseal_core::scheme::FIAM;
use privyseal_test_judges::decode::Parts;
use privyseal_test_pki::{TestPki, test_key};
use privyseal_test_servers::bad_server::{BadServer, Reply};
use privyseal_test_suite::software_signer::SoftwareSigner;
use zeroize::Zeroizing;

/// The access token of the calls: no text that anything else has in it.
pub(crate) const BEARER: &str = "s3cr3t-b3ar3r-0123456789abcdef";

/// The whole time that a request may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(2);

/// The most that is taken of a reply without end: the largest body is a mebibyte, the rest waits in the system.
const MOST: usize = 16 * 1024 * 1024;

/// A request that a flow makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Token,
    Scoped,
    Refreshed,
    Introspection,
    Call,
    Pages,
    TrustedList,
    Party,
    UserInfo,
    Discovery,
    Claims,
}

impl Ask {
    pub(crate) const ALL: [Self; 11] = [
        Self::Token,
        Self::Scoped,
        Self::Refreshed,
        Self::Introspection,
        Self::Call,
        Self::Pages,
        Self::TrustedList,
        Self::Party,
        Self::UserInfo,
        Self::Discovery,
        Self::Claims,
    ];

    /// Whether nothing secret is sent: metadata and keys are for everybody.
    pub(crate) const fn is_public(self) -> bool {
        matches!(self, Self::Discovery | Self::Claims)
    }
}

pub(crate) fn http(trust: &[u8], timeout: Duration) -> Http {
    http_retrying(trust, timeout, RetryPolicy::NEVER)
}

pub(crate) fn http_retrying(trust: &[u8], timeout: Duration, retry: RetryPolicy) -> Http {
    Http::new(
        &HttpOptions::default()
            .roots(Roots::Only(Certificates::from(vec![trust.to_vec()])))
            .timeout(timeout)
            .retry(retry),
    )
}

/// Asks once, and gives the error that must come.
pub(crate) fn failure(ask: Ask, http: &Http, base_url: &str) -> Error {
    answer(ask, http, base_url).expect_err("no such answer is accepted")
}

/// Asks once.
pub(crate) fn answer(ask: Ask, http: &Http, base_url: &str) -> Result<(), Error> {
    let base: BaseUrl = base_url.parse().unwrap();
    let mut token = bearer();
    let refresh = token.take_refresh_token().unwrap();
    let trust = Certificates::from(vec![TestPki::new().root.certificate]);
    let expected = Expected::new("EU.EORI.NL000000000", "EU.EORI.NL123456789", &trust);
    let registry = Registry::new(http, &base, &token, expected);
    let (client, options) = (minter(), AssertionOptions::default());
    match ask {
        Ask::Token => drop(client.access_token(http, &base, &options)?),
        Ask::Scoped => drop(client.access_token_with_scope(http, &base, &options, "openid")?),
        Ask::Refreshed => drop(client.refreshed_token(http, &base, &options, &refresh)?),
        Ask::Introspection => {
            let endpoint = base.join("/introspect").unwrap();
            drop(client.introspect(http, &endpoint, &options, BEARER)?);
        }
        Ask::UserInfo => drop(provider(base_url).userinfo(http, &token, "client")?),
        Ask::Discovery => drop(Provider::discover(http, base.as_str())?),
        Ask::Claims => {
            let now = clock::now().unwrap();
            drop(provider(base_url).access_token_claims(http, now, &jws())?);
        }
        Ask::Call => drop(oauth::call(
            http,
            &base,
            "/service-consumers/contracts",
            &token,
        )?),
        Ask::Pages => drop(fiam::contracts(http, &base, &token)?.records()?),
        Ask::TrustedList => drop(registry.trusted_list()?),
        Ask::Party => drop(registry.party(PartyQuery::Id("EU.EORI.NL1"))?),
    }
    Ok(())
}

pub(crate) fn bearer() -> AccessToken {
    let body = format!(
        r#"{{"access_token":"{BEARER}","token_type":"Bearer","refresh_token":"{BEARER}"}}"#
    );
    AccessToken::from_response(Zeroizing::new(body.into_bytes())).unwrap()
}

fn provider(issuer: &str) -> Provider {
    let metadata = format!(
        r#"{{"issuer":"{issuer}","jwks_uri":"{issuer}/jwks","token_endpoint":"{issuer}/token",
        "userinfo_endpoint":"{issuer}/userinfo"}}"#
    );
    Provider::new(ProviderMetadata::from_bytes(issuer, metadata.as_bytes()).unwrap())
}

/// Of no key's.
fn jws() -> String {
    let part = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    let header = part(r#"{"alg":"RS256","kid":"k"}"#);
    format!("{header}.{}.{}", part("{}"), part("signature"))
}

pub(crate) fn minter() -> SigningClient<SoftwareSigner> {
    let key = test_key("seal", 2048);
    let certificates = Certificates::from(TestPki::new().seal_chain(&key));
    let id = ClientId::new("EU.EORI.NL123456789").unwrap();
    let chain = certificates.chain().unwrap();
    SigningClient::new(&FIAM, id, chain, SoftwareSigner::new(&key)).unwrap()
}

/// Everything that an error can be made to say.
pub(crate) fn everything(error: &Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text} {cause} {cause:?}");
        source = cause.source();
    }
    text
}

/// Nothing in `text` gives away what the server was sent.
#[track_caller]
pub(crate) fn nothing_leaks(text: &str, server: &BadServer) {
    let text = text.to_lowercase();
    for piece in [&BEARER[..16], &BEARER[15..]] {
        assert!(!text.contains(piece), "the access token is in: {text}");
    }
    for request in server.requests() {
        let assertion = request
            .split("client_assertion=")
            .nth(1)
            .unwrap_or_default();
        // A header is the same every time and no secret; claims and signature are the assertion.
        for part in assertion
            .split(['.', '&'])
            .skip(1)
            .filter(|part| part.len() > 16)
        {
            let piece = &part[..16].to_lowercase();
            assert!(
                !text.contains(piece),
                "a piece of the assertion is in: {text}"
            );
        }
    }
}

/// Every request against a server that replies so; each fails, with one of these exit codes, and says `words`.
/// All at once: some of them wait.
pub(crate) fn each_fails(reply: &Reply, words: &str, exits: &[ErrorKind]) {
    for_each(&Ask::ALL, |ask| fails(ask, reply, words, exits));
}

/// One request against a server that replies so.
pub(crate) fn fails(ask: Ask, reply: &Reply, words: &str, exits: &[ErrorKind]) {
    let server = BadServer::start(vec![reply.clone()]);
    let http = http(server.certificate(), LIMIT);
    let error = failure(ask, &http, &server.base_url());
    let text = everything(&error);
    assert!(
        text.contains(words),
        "{ask:?} {reply:?}: no {words:?} in: {text}"
    );
    assert!(exits.contains(&error.kind()), "{ask:?} {reply:?}: {text}");
    let is_forgotten = matches!(reply, Reply::EndlessContinue);
    let sent = server.sent();
    assert!(
        is_forgotten || sent <= MOST,
        "{ask:?} {reply:?}: {sent} bytes"
    );
    assert_eq!(
        server.requests().len(),
        1,
        "{ask:?}: one request, no other try"
    );
    nothing_leaks(&text, &server);
    assert!(!error.to_string().contains('\n'), "one line: {text}");
}

/// All at once; the first panic is that of the test.
pub(crate) fn for_each<T: Copy + Send + Sync>(cases: &[T], test: impl Fn(T) + Sync) {
    thread::scope(|scope| {
        for case in cases {
            let test = &test;
            scope.spawn(move || test(*case));
        }
    });
}

/// What kind of network trouble it was.
pub(crate) fn cause(error: &Error) -> Option<HttpCause> {
    error.find::<HttpError>().map(HttpError::cause)
}

/// The claims of the JWS in that member of a form.
pub(crate) fn jwt(request: &str, member: &str) -> serde_json::Value {
    let form = request.split("\r\n\r\n").nth(1).unwrap();
    let mut members = form.split('&');
    Parts::of(members.find_map(|it| it.strip_prefix(member)).unwrap()).claims()
}
