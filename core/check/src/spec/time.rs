//! Rules about moments, and the `jti` that makes a token usable once.

use super::{Judge, at_most};
use crate::facts::{Claims, Moment};
use crate::guess::Kind;
use crate::report::Report;
use crate::rule::RuleId;
use crate::verdict::{Reason, Verdict, Violation};
use privyseal_core::field::Fault;
use privyseal_core::limits::MAX_JTI;
use privyseal_core::scheme::{Lifetime, Rule};
use privyseal_core::time::UnixTime;

const CIBA: &str = "CIBA Core section 7.1.1: aud, iss, exp, iat, nbf and jti are required";

const EXP: &str = "RFC 7523 section 3, point 4: exp is required, in seconds";
const EXPIRED: &str = "RFC 7519 section 4.1.4: exp is still to come";
const FUTURE: &str = "RFC 7523 section 3, points 5 and 6: neither iat nor nbf is still to come";
const REPLAY: &str = "RFC 7523 section 3, point 7: a jti is used once";
const JTI: &str = "RFC 7519 section 4.1.7; itsme: at most 255 characters";

impl Judge<'_, '_> {
    pub(super) fn moments(&self, report: &mut Report) {
        let is_request = self.kind == Kind::Request;
        let iat = self.scheme.issued_at_required();
        let iat = if is_request {
            Rule::new(true, CIBA)
        } else {
            iat
        };
        self.on_claims(
            report,
            RuleId::ClaimIat,
            iat.source(),
            &[],
            |claims| match claims.iat {
                Moment::Absent if !iat.value() => Ok(()),
                moment => moment.required().map(|_| ()),
            },
        );
        self.on_claims(report, RuleId::ClaimExp, EXP, &[], |claims| {
            claims.exp.required().map(|_| ())
        });
        self.lifetime(report);
        self.not_before(report);
        self.on_claims(report, RuleId::ClaimJti, JTI, &[], |claims| {
            at_most(claims.jti.required()?, MAX_JTI)
        });
        self.now(report);
    }

    fn lifetime(&self, report: &mut Report) {
        let rule = match (self.kind, self.scheme.request_object()) {
            (Kind::Request, Some(rules)) => rules.lifetime(),
            _ => self.scheme.lifetime(),
        };
        let verdict = match self.facts.claims().map(|claims| (claims.iat, claims.exp)) {
            None => Verdict::NotChecked(Reason::Needs(RuleId::PayloadJson)),
            Some((iat, exp)) => match (iat.value(), exp.value()) {
                (Some(iat), Some(exp)) => lives(rule.value(), iat, exp).into(),
                (_, None) => Verdict::NotChecked(Reason::Needs(RuleId::ClaimExp)),
                (None, Some(exp)) => self.rest_of_life(rule.value(), exp),
            },
        };
        report.put(RuleId::Lifetime, rule.source(), verdict);
    }

    /// Of a token that does not say when it was made: no later than now, so what is left of its life tells enough.
    fn rest_of_life(&self, rule: Lifetime, exp: u64) -> Verdict {
        let latest = self.question.now.saturating_add(self.question.leeway);
        let (value, max) = (exp.saturating_sub(latest.as_secs()), rule.max());
        if value > max {
            let min = rule.min();
            return Verdict::Broken(Fault::OutOfRange { value, min, max }.into());
        }
        Verdict::NotChecked(Reason::Needs(RuleId::ClaimIat))
    }

    fn not_before(&self, report: &mut Report) {
        if self.kind == Kind::Request {
            self.on_claims(report, RuleId::ClaimNbf, CIBA, &[], |claims| {
                claims.nbf.required().map(|_| ())
            });
            return;
        }
        let source = self.scheme.not_before().source();
        let verdict = match self.facts.claims() {
            None => Verdict::NotChecked(Reason::Needs(RuleId::PayloadJson)),
            Some(claims) => nbf_is_iat(claims),
        };
        report.put(RuleId::ClaimNbf, source, verdict);
    }

    /// What only the clock can say.
    fn now(&self, report: &mut Report) {
        let (now, leeway) = (self.question.now, self.question.leeway);
        self.on_claims(
            report,
            RuleId::NotExpired,
            EXPIRED,
            &[RuleId::ClaimExp],
            |claims| match UnixTime::from_secs(claims.exp.required()?) {
                Ok(exp) if now >= exp.saturating_add(leeway) => {
                    Err(Violation::Expired { exp, now })
                }
                _ => Ok(()),
            },
        );
        let needs: &[_] = match self.kind {
            Kind::Request => &[RuleId::ClaimIat, RuleId::ClaimNbf],
            _ => &[RuleId::ClaimIat],
        };
        self.on_claims(report, RuleId::NotFuture, FUTURE, needs, |claims| {
            // Else it equals iat, by a rule of its own.
            let is_judged = self.kind == Kind::Request || matches!(claims.iat, Moment::Absent);
            let nbf = claims.nbf.value().filter(|_| is_judged);
            let last = claims.iat.value().max(nbf).map(UnixTime::from_secs);
            match last {
                Some(Ok(moment)) if moment > now.saturating_add(leeway) => {
                    Err(Violation::Future { moment, now })
                }
                _ => Ok(()),
            }
        });
        let why = "whether the jti was used before, only its receiver knows";
        report.put(RuleId::Replay, REPLAY, Verdict::because(why));
    }
}

/// Whether `exp - iat` is an allowed lifetime.
fn lives(rule: Lifetime, iat: u64, exp: u64) -> Result<(), Violation> {
    let Some(value) = exp.checked_sub(iat) else {
        return Err(Violation::Text("is negative: exp is before iat"));
    };
    let (min, max) = (rule.min(), rule.max());
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(if min == max {
        Violation::Differs {
            found: value,
            expected: min,
        }
    } else {
        Fault::OutOfRange { value, min, max }.into()
    })
}

/// No `nbf`, or one that says what `iat` says: both kinds of scheme accept that much.
fn nbf_is_iat(claims: &Claims<'_>) -> Verdict {
    match (claims.nbf, claims.iat.value()) {
        (Moment::Absent, _) => Verdict::Passed,
        (Moment::Wrong(why), _) => Verdict::Broken(why),
        (Moment::Is(_), None) => match claims.iat {
            Moment::Absent => Verdict::because("iat, which it must equal, is absent"),
            _ => Verdict::NotChecked(Reason::Needs(RuleId::ClaimIat)),
        },
        (Moment::Is(nbf), Some(iat)) if nbf == iat => Verdict::Passed,
        (Moment::Is(_), Some(_)) => Verdict::Broken(Violation::Text("is another moment than iat")),
    }
}
