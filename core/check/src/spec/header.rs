//! Rules about the JOSE header: the algorithm, the type, and nothing else in it.

use super::Judge;
use super::form_is;
use crate::guess::Kind;
use crate::report::Report;
use crate::rule::RuleId;
use crate::verdict::{Violation, ensure};
use privyseal_core::field::Fault;
use privyseal_core::jws::Algorithm;
use privyseal_core::scheme::KeyReference;

impl Judge<'_, '_> {
    pub(super) fn header(&self, report: &mut Report) {
        let rule = self.scheme.algorithms();
        self.on_header(report, RuleId::HeaderAlg, rule.source(), &[], |header| {
            let alg = header.alg.required()?;
            if rule.value().iter().any(|accepted| accepted.name() == alg) {
                return Ok(());
            }
            Err(match alg {
                "none" => Violation::Text("is none: the token is not signed"),
                _ => form_is(
                    rule.value()
                        .first()
                        .map_or("known", |accepted| accepted.name()),
                ),
            })
        });
        self.typ(report);
        self.members(report);
    }

    fn typ(&self, report: &mut Report) {
        let with_x5c = self.scheme.key_reference().value() == KeyReference::X5cWithRoot;
        let source = if with_x5c {
            self.scheme.key_reference().source()
        } else {
            "RFC 7519 section 5.1: typ, if it is there, is JWT"
        };
        self.on_header(
            report,
            RuleId::HeaderTyp,
            source,
            &[],
            |header| match header.typ.optional()? {
                Some("JWT") => Ok(()),
                Some(typ) if !with_x5c && self.is_typ(typ) => Ok(()),
                None if !with_x5c => Ok(()),
                None => Err(Fault::Missing.into()),
                Some(_) => Err(form_is("JWT")),
            },
        );
    }

    /// A media type, in any case and with or without `application/` (RFC 7515 section 4.1.9).
    fn is_typ(&self, typ: &str) -> bool {
        const APPLICATION: &str = "application/";
        let (prefix, rest) = typ.split_at_checked(APPLICATION.len()).unwrap_or(("", typ));
        let is_prefix = prefix.eq_ignore_ascii_case(APPLICATION);
        let typ = if is_prefix { rest } else { typ };
        // What draft-ietf-oauth-rfc7523bis and RFC 9101 section 10.8 give each kind.
        let own = match self.kind {
            Kind::Assertion => "client-authentication+jwt",
            Kind::Request => "oauth-authz-req+jwt",
            Kind::LoginHint | Kind::Encrypted => "JWT",
        };
        ["JWT", own]
            .iter()
            .any(|known| typ.eq_ignore_ascii_case(known))
    }

    fn members(&self, report: &mut Report) {
        let rule = self.scheme.key_reference();
        self.on_header(
            report,
            RuleId::HeaderMembers,
            rule.source(),
            &[],
            |header| {
                let (names, why): (&[&str], _) = match rule.value() {
                    KeyReference::X5cWithRoot => (
                        &["alg", "typ", "x5c"],
                        "has another member than alg, typ and x5c",
                    ),
                    KeyReference::X5tS256 => (
                        &["alg", "typ", "x5t#S256"],
                        "has another member than alg, typ and x5t#S256",
                    ),
                    KeyReference::Kid => (
                        &["alg", "kid", "typ"],
                        "has another member than alg, kid and typ",
                    ),
                };
                ensure(header.has_only(names), Violation::Text(why))
            },
        );
    }

    /// The algorithm that the header names, if the scheme accepts it.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        let alg = self.facts.header()?.alg.value()?;
        self.scheme
            .algorithms()
            .value()
            .iter()
            .copied()
            .find(|accepted| accepted.name() == alg)
    }
}
