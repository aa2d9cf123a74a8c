//! Tokens of others that come in: access and id tokens, signed UserInfo, delegation evidence. One verdict for each rule.

mod delegation;

use privyseal::UnixTime;
use privyseal::base::display::escape_for_display;
use privyseal::jose::jwk::KeySet;
use privyseal::jose::jws::{ClaimRules, Jws, JwsFault, check_subject, judge_access_token_type};
use privyseal::jose::{JoseError, JoseFault};
use privyseal::oauth::Introspection;
use privyseal::report::{Report, Verdict};
use privyseal_core::rsa::VerifyingKey;
use serde_json::{Map, Value};

pub use delegation::verify_delegation;

/// What a token of an OpenID provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenKind {
    /// An access token (RFC 9068, and as Keycloak writes it).
    Access,
    /// An id_token (OpenID Connect Core section 3.1.3.7).
    Id,
    /// A signed response of the UserInfo endpoint (OpenID Connect Core section 5.3.2).
    UserInfo,
}

/// What a token must say.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Wanted<'a> {
    /// What every token must say; of an access token the audience may be left open.
    pub claims: ClaimRules<'a>,
    /// The `nonce` of the authentication request, for an id_token.
    pub nonce: Option<&'a str>,
    /// Roles that an access token must give, as Keycloak names them.
    pub roles: &'a [String],
}

impl<'a> Wanted<'a> {
    /// From `issuer`, at `now`, with clocks that differ by 10 s at most.
    pub const fn new(issuer: &'a str, now: UnixTime) -> Self {
        Self {
            claims: ClaimRules::new(issuer, now),
            nonce: None,
            roles: &[],
        }
    }
}

/// A token, with a verdict for each rule.
#[derive(Clone, Debug, Default)]
pub struct VerifiedToken {
    report: Report,
    claims: Option<Map<String, Value>>,
}

impl VerifiedToken {
    /// Each rule that was judged, and how it came out.
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// The claims, if no rule is broken.
    pub fn claims(&self) -> Option<&Map<String, Value>> {
        self.claims.as_ref().filter(|_| self.report.broken() == 0)
    }

    /// Records how a rule came out; gives what held.
    fn judge<T>(&mut self, rule: &'static str, outcome: Result<T, impl ToString>) -> Option<T> {
        self.record(rule, rule, outcome)
    }

    fn record<T>(
        &mut self,
        rule: &'static str,
        shown: &str,
        outcome: Result<T, impl ToString>,
    ) -> Option<T> {
        let (verdict, text) = match &outcome {
            Ok(_) => (Verdict::Passed, shown.to_owned()),
            Err(why) => (Verdict::Broken, format!("{shown}: {}", why.to_string())),
        };
        // The token's own texts may be among it.
        let text = escape_for_display(&text);
        self.report.add_rule(verdict, rule, text);
        outcome.ok()
    }

    /// A rule that nobody asked to be judged.
    fn leave_open(&mut self, rule: &'static str, why: &str) {
        let text = format!("{rule}: {why}");
        self.report.add_rule(Verdict::NotChecked, rule, text);
    }

    /// What an access token has beside the claims that all tokens have.
    fn judge_access(
        &mut self,
        claims: &Map<String, Value>,
        wanted: &Wanted<'_>,
        typ: Result<(), String>,
    ) {
        if wanted.claims.audience.is_none() {
            self.leave_open("aud", NO_AUDIENCE);
        }
        self.judge("typ", typ);
        for role in wanted.roles {
            let has = roles(claims, wanted.claims.audience).contains(&role.as_str());
            let outcome = has.then_some(()).ok_or("the token does not give it");
            self.record("role", &format!("role {role}"), outcome);
        }
        // RFC 7800: who presents it must have a key (DPoP, RFC 9449; mutual TLS, RFC 8705), and is not here.
        if claims.contains_key("cnf") {
            let open = "whether who presents the token has the key that it is bound to";
            self.leave_open("cnf", open);
        }
    }

    fn judge_claims(
        &mut self,
        rules: ClaimRules<'_>,
        claims: &Map<String, Value>,
        needed: impl Fn(&str) -> bool,
    ) {
        for (name, outcome) in rules.judge(claims) {
            if needed(name) || claims.contains_key(name) {
                self.judge(name, outcome.map_err(|error| clause(&error)));
            }
        }
    }
}

const NO_AUDIENCE: &str = "nobody said which audience it must have";

/// What is wrong with a claim, without the words for a JWS: there may be none.
fn clause(error: &JoseError) -> String {
    match error.fault() {
        JoseFault::Jws(JwsFault::Claim { what, .. }) => what.clone(),
        _ => error.to_string(),
    }
}

/// Judges the response of the server that issued an access token to a question about it (RFC 7662): that it is good and an
/// access token, its issuer, its audience where one is wanted, and its roles; its times where they are there.
pub fn verify_introspection(response: &[u8], wanted: &Wanted<'_>) -> VerifiedToken {
    let mut verified = VerifiedToken::default();
    let said = Introspection::from_response(response.to_vec().into());
    let Some(said) = verified.judge("response", said) else {
        return verified;
    };
    let active = said.is_active().then_some(());
    let active = active.ok_or("the server says that the token is not good");
    if verified.judge("active", active).is_none() {
        return verified;
    }
    let claims = said.members();
    verified.judge_claims(wanted.claims, claims, |name| matches!(name, "iss" | "aud"));
    let typ = judge_access_token_type(claims, None).map_err(|error| clause(&error));
    verified.judge_access(claims, wanted, typ);
    verified.claims = Some(claims.clone());
    verified
}

/// Judges a token that a key of `keys` must have signed. Of a JWK Set that is being rolled over, both keys are in it.
pub fn verify_token(
    token: &str,
    kind: TokenKind,
    keys: &KeySet,
    wanted: &Wanted<'_>,
) -> VerifiedToken {
    let mut verified = VerifiedToken::default();
    let jws = verified.judge("a JWS by RS256", Jws::parse(token.trim()));
    let Some(jws) = jws else { return verified };
    let typ = jws.header().typ().map(str::to_owned);
    let Some(key) = verified.judge("signed by a key that is known", key(&jws, keys)) else {
        return verified;
    };
    let payload = verified.judge("the signature", jws.verify(&key));
    let claims = payload.and_then(|payload| verified.judge("claims in JSON", payload.claims()));
    let Some(claims) = claims else {
        return verified;
    };
    // UserInfo need not expire.
    let is_needed = |name: &str| kind != TokenKind::UserInfo || name != "exp";
    verified.judge_claims(wanted.claims, &claims, is_needed);
    let typ = typ.as_deref();
    if kind == TokenKind::Access {
        verified.judge_access(&claims, wanted, access_token(&claims, typ));
    } else {
        if wanted.claims.audience.is_none() {
            verified.judge("aud", Err::<(), _>(NO_AUDIENCE));
        }
        verified.judge("kind", no_other_kind(&claims, typ, kind));
        if kind == TokenKind::Id {
            verified.judge("azp", authorized_party(&claims, wanted.claims.audience));
            if let Some(nonce) = wanted.nonce {
                let is_same = claims.get("nonce").is_some_and(|it| it == nonce);
                let same = is_same.then_some(()).ok_or("is not the one of the request");
                verified.judge("nonce", same);
            }
        }
        let sub = check_subject(&claims, "OpenID Connect Core");
        verified.judge("sub", sub.map_err(|error| clause(&error)));
    }
    verified.claims = Some(claims);
    verified
}

fn key(jws: &Jws<'_>, keys: &KeySet) -> Result<VerifyingKey, String> {
    let is_meant = |kid: Option<&str>| jws.header().kid().is_none() || kid == jws.header().kid();
    let mut fitting = keys.iter().filter(|(kid, _)| is_meant(*kid));
    let (_, key) = fitting.next().ok_or("the key set has none of its kid")?;
    if fitting.next().is_some() {
        return Err("the key set has several that it may mean".to_owned());
    }
    let key = key.clone().and_then(VerifyingKey::new);
    key.map_err(|error| format!("the key {error}"))
}

/// Something must say that it is one: an id_token has the same issuer and key (RFC 9068 section 4).
fn access_token(claims: &Map<String, Value>, header_typ: Option<&str>) -> Result<(), String> {
    judge_access_token_type(claims, header_typ).map_err(|error| clause(&error))?;
    let is_at_jwt = |typ: &str| typ.to_ascii_lowercase().ends_with("at+jwt");
    if claims.contains_key("typ") || header_typ.is_some_and(is_at_jwt) {
        return Ok(());
    }
    Err("nothing says that it is an access token: typ is neither at+jwt nor Bearer".to_owned())
}

/// Whether nothing says that it is another kind of token: no `typ` but its own, no claim that only others have (`events`
/// of a logout token), and what an id_token has and an access token of the same issuer has not.
fn no_other_kind(
    claims: &Map<String, Value>,
    header_typ: Option<&str>,
    kind: TokenKind,
) -> Result<(), String> {
    let (own_typ, needed, of_others): (_, &[&str], &[&str]) = match kind {
        TokenKind::Id => (Some("ID"), &["iat", "aud"], &["events"]),
        _ => (None, &[], &["events", "nonce", "at_hash", "c_hash"]),
    };
    let is_jwt = |typ: &str| matches!(&*typ.to_ascii_lowercase(), "jwt" | "application/jwt");
    let is_own = |typ: &Value| own_typ.is_some_and(|own| typ == own);
    if !claims.get("typ").is_none_or(is_own) || !header_typ.is_none_or(is_jwt) {
        return Err("typ says that it is another kind of token".to_owned());
    }
    let is_there = |name: &&&str| claims.contains_key(**name);
    if let Some(name) = of_others.iter().find(is_there) {
        return Err(format!("{name} is a claim of another kind of token"));
    }
    let missing = needed.iter().find(|name| !is_there(name));
    missing.map_or(Ok(()), |name| Err(format!("{name} is missing")))
}

/// OpenID Connect Core section 3.1.3.7, points 4 and 5.
fn authorized_party(
    claims: &Map<String, Value>,
    client_id: Option<&str>,
) -> Result<(), &'static str> {
    let has_several = matches!(claims.get("aud"), Some(Value::Array(list)) if list.len() > 1);
    match (claims.get("azp"), client_id) {
        (None, _) if has_several => Err("is missing, and there are several audiences"),
        (Some(azp), Some(client_id)) if azp != client_id => Err("is another client"),
        _ => Ok(()),
    }
}

/// The roles of the realm, and those at the audience, as Keycloak writes them. A role of the same name at another client
/// is another role.
fn roles<'c>(claims: &'c Map<String, Value>, audience: Option<&str>) -> Vec<&'c str> {
    let clients = claims.get("resource_access");
    let at_audience = audience.and_then(|audience| clients?.get(audience));
    let places = claims.get("realm_access").into_iter().chain(at_audience);
    places
        .filter_map(|place| place.get("roles")?.as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}
