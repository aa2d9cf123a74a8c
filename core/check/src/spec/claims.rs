//! Rules about issuer, subject and audience.

use super::{Judge, form_is};
use crate::facts::Claims;
use crate::guess::Kind;
use crate::report::Report;
use crate::rule::RuleId;
use crate::verdict::{Reason, Verdict, Violation, ensure};
use privyseal_core::field::{Fault, Field};
use privyseal_core::id::{Audience, ClientId, IdSyntax};
use privyseal_core::scheme::KeyReference;

const SUB: &str = "RFC 7523 section 3, point 2: sub is required";
const EQUAL: &str =
    "RFC 7523 section 3, point 2B; OIDC Core section 9: sub is the client_id, as iss is";
const ISS: &str = "RFC 7523 section 3, point 1: iss is required";

impl Judge<'_, '_> {
    /// `iss`, `sub`, and the client id that both are.
    pub(super) fn who(&self, report: &mut Report) {
        self.issuer_claim(report);
        self.on_claims(report, RuleId::ClaimSub, SUB, &[], |claims| {
            claims.sub.required().map(|_| ())
        });
        let both = [RuleId::ClaimIss, RuleId::ClaimSub];
        self.on_claims(report, RuleId::IssEqualsSub, EQUAL, &both, |claims| {
            let is_equal = claims.iss.value() == claims.sub.value();
            ensure(is_equal, Violation::Text("iss and sub differ"))
        });
        self.client_id(report);
        let iss = self.facts.claims().and_then(|claims| claims.iss.value());
        self.in_leaf(iss, &[RuleId::ClientId, RuleId::X5cCertificates], report);
    }

    /// `iss` alone: a request object has no `sub`.
    pub(super) fn issuer(&self, report: &mut Report) {
        self.issuer_claim(report);
        self.client_id(report);
    }

    pub(super) fn audience(&self, report: &mut Report) {
        let source = match (self.kind, self.scheme.request_object()) {
            (Kind::Request, Some(rules)) => rules.audience_path().source(),
            _ => self.scheme.audience().source(),
        };
        self.on_claims(report, RuleId::ClaimAud, source, &[], |claims| {
            self.is_audience(claims)
        });
    }

    fn issuer_claim(&self, report: &mut Report) {
        self.on_claims(report, RuleId::ClaimIss, ISS, &[], |claims| {
            claims.iss.required().map(|_| ())
        });
    }

    fn client_id(&self, report: &mut Report) {
        let source = self.scheme.client_id().source();
        self.on_claims(
            report,
            RuleId::ClientId,
            source,
            &[RuleId::ClaimIss],
            |claims| {
                let id = ClientId::new(claims.iss.required()?).map_err(|error| error.fault)?;
                self.scheme
                    .check_client_id(&id)
                    .map_err(|error| error.fault.into())
            },
        );
    }

    /// Whether the leaf names who `iss` is, where the scheme wants that.
    pub(super) fn in_leaf(&self, iss: Option<&str>, needs: &[RuleId], report: &mut Report) {
        if let Some(source) = self.scheme.client_id_in_leaf() {
            let judge = || self.is_in_leaf(iss);
            report.put_after(RuleId::ClientIdInLeaf, source, needs, judge);
        }
    }

    fn is_in_leaf(&self, iss: Option<&str>) -> Verdict {
        let id = iss.and_then(|iss| ClientId::new(iss).ok());
        let is_in_leaf = id
            .zip(self.leaf())
            .and_then(|(id, leaf)| self.scheme.is_client_id_in_leaf(&id, &leaf));
        let why = Violation::Text("is not that of the leaf certificate's organizationIdentifier");
        match is_in_leaf {
            None => Verdict::NotChecked(Reason::Because("an EORI is not in the certificate")),
            Some(holds) => ensure(holds, why).into(),
        }
    }

    fn is_audience(&self, claims: &Claims<'_>) -> Result<(), Violation> {
        let of_type = |found| Violation::kind(found, "one string");
        let text = claims.aud.required().map_err(|why| match why {
            Violation::Type { .. } if claims.is_aud_array => of_type("an array"),
            Violation::Type { found, .. } => of_type(found),
            why => why,
        })?;
        // Receivers that know the keys take one value in either form (RFC 7519 section 4.1.3).
        let has_chain = self.scheme.key_reference().value() == KeyReference::X5cWithRoot;
        ensure(!has_chain || !claims.is_aud_array, of_type("an array"))?;
        Audience::new(text).map_err(|error| error.fault)?;
        let rule = self.scheme.audience().value();
        IdSyntax::check(
            rule.syntax(),
            Field::Audience,
            text,
            self.scheme.audience().source(),
        )
        .map_err(|error| error.fault)?;
        if let (true, Some(only)) = (rule.only_default(), rule.default()) {
            ensure(text == only, form_is(only))?;
        }
        if let Some(expected) = self.question.audience {
            let is_right = text == expected.as_str();
            return ensure(is_right, Violation::Text("is not the given audience"));
        }
        if let Some(default) = rule.default() {
            return ensure(text == default, form_is(default));
        }
        let is_endpoint = rule
            .endpoints()
            .iter()
            .any(|endpoint| text.ends_with(endpoint.audience_path()));
        match self.kind {
            Kind::Request if is_endpoint => {
                Err(Violation::Text("is an endpoint, where the issuer belongs"))
            }
            Kind::Assertion if !is_endpoint && !rule.endpoints().is_empty() => Err(Fault::Form {
                expected: "the URL of one of the scheme's endpoints",
            }
            .into()),
            _ => Ok(()),
        }
    }
}
