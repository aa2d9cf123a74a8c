//! From TOML to a policy, each value by the rule of its scheme.

use privyseal_core::kid::Kid;
use privyseal_core::limits::{CLOCK_FLOOR, MAX_UNIX_TIME};
use privyseal_core::scheme::KeyReference;
use privyseal_core::{Audience, ClientId, RsaPublicKey, Scheme};
use privyseal_protocol::policy::{
    MAX_JUMP_SECONDS, MAX_PRESENCE_SECONDS, MAX_RATE, MAX_RATE_SECONDS,
};
use privyseal_protocol::{Rate, SchemeId};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;
use toml::Table;

use super::members::Members;
use super::{GatewayPolicy, PolicyFault, SchemeEntry};
use crate::jose::kid_form::{KidChoice, KidForm};

/// Bits of the authority's key: its signature must fit a message.
const AUTHORITY_BITS: [usize; 2] = [2048, 3072];

/// Gives the content of a file that the policy names.
type ReadFile<'f> = &'f dyn Fn(&str) -> Result<Vec<u8>, String>;

pub(super) fn policy(text: &str, file: ReadFile<'_>) -> Result<GatewayPolicy, PolicyFault> {
    let table: Table = text.parse().map_err(|error| syntax(text, &error))?;
    let top = Members::new(
        "",
        &table,
        &[
            "schemes",
            "max-lifetime",
            "max-jump",
            "rate",
            "time-floor",
            "authority",
            "presence",
            "board-entropy",
        ],
    )?;
    let schemes = schemes(&top)?;
    let max_lifetime = required_number(
        &top,
        "max-lifetime",
        1..=u64::from(u32::MAX),
        "seconds, the longest exp - iat",
    )?;
    for entry in &schemes {
        let rule = entry.scheme.rules().lifetime;
        if max_lifetime < rule.value.min {
            return Err(top.fault(
                "max-lifetime",
                format!("is {max_lifetime}"),
                format!(
                    "{} wants {} s at least ({})",
                    entry.scheme.rules().title,
                    rule.value.min,
                    rule.source
                ),
            ));
        }
    }
    Ok(GatewayPolicy {
        schemes,
        max_lifetime: narrow(max_lifetime),
        rate: rate(&top)?,
        time_floor: top.number(
            "time-floor",
            CLOCK_FLOOR..=MAX_UNIX_TIME,
            "seconds since the epoch, not before this software was released",
        )?,
        max_jump: narrow(required_number(
            &top,
            "max-jump",
            0..=MAX_JUMP_SECONDS.into(),
            "seconds that the host's clock may be ahead of the device's, time without power included",
        )?),
        authority: authority(&top, file)?,
        presence: top
            .number(
                "presence",
                1..=MAX_PRESENCE_SECONDS.into(),
                "seconds within which the button must be pressed",
            )?
            .map(narrow),
        board_entropy: top.required(
            "board-entropy",
            top.flag("board-entropy")?,
            "say whether the board's own random generator must take part (true or false)",
        )?,
    })
}

fn schemes(top: &Members<'_>) -> Result<Vec<SchemeEntry>, PolicyFault> {
    const RULE: &str = "a policy has at least one table [schemes.NAME]";
    let table = top.required("schemes", top.table("schemes")?, RULE)?;
    let known: Vec<_> = SchemeId::ALL.iter().map(|id| id.rules().name).collect();
    let members = Members::new("schemes", table, &known)?;
    let mut entries = Vec::new();
    for scheme in SchemeId::ALL {
        if let Some(table) = members.table(scheme.rules().name)? {
            entries.push(entry(scheme, &members.at(scheme.rules().name), table)?);
        }
    }
    if entries.is_empty() {
        return Err(top.fault("schemes", "is empty", RULE));
    }
    Ok(entries)
}

fn entry(id: SchemeId, path: &str, table: &Table) -> Result<SchemeEntry, PolicyFault> {
    let members = Members::new(path, table, &["client-id", "kid", "kid-form", "audiences"])?;
    Ok(SchemeEntry {
        scheme: id,
        client_id: client_id(&members, id.rules())?,
        kid: kid(&members, id.rules())?,
        audiences: audiences(&members, id.rules())?,
    })
}

fn client_id(members: &Members<'_>, rules: &Scheme) -> Result<Option<String>, PolicyFault> {
    const NAME: &str = "client-id";
    let Some(text) = members.text(NAME)? else {
        return if rules.client_id_in_leaf.is_some() {
            Ok(None)
        } else {
            let rule = format!(
                "{} hands it out, no certificate says it ({})",
                rules.title, rules.client_id.source
            );
            Err(members.fault(NAME, "is missing", rule))
        };
    };
    ClientId::new(text)
        .and_then(|id| rules.check_client_id(&id))
        .map_err(|error| members.fault(NAME, shown(text), error.to_string()))?;
    Ok(Some(text.to_owned()))
}

fn kid(members: &Members<'_>, rules: &Scheme) -> Result<Option<KidChoice>, PolicyFault> {
    let (given, form) = (members.text("kid")?, members.text("kid-form")?);
    let source = rules.key_reference.source;
    if rules.key_reference.value != KeyReference::Kid {
        let name = given.map(|_| "kid").or(form.map(|_| "kid-form"));
        return match name {
            None => Ok(None),
            Some(name) => {
                let rule = format!("{} sends its certificate chain ({source})", rules.title);
                Err(members.fault(name, "is not for this scheme", rule))
            }
        };
    }
    match (given, form) {
        (Some(text), None) => match Kid::new(text) {
            Ok(kid) => Ok(Some(KidChoice::Given(kid.as_str().to_owned()))),
            Err(error) => Err(members.fault("kid", shown(text), error.to_string())),
        },
        (None, Some(text)) => {
            let form = KidForm::by_name(text).ok_or_else(|| {
                let names = KidForm::ALL.map(KidForm::name).join(" or ");
                members.fault("kid-form", shown(text), format!("it must be {names}"))
            })?;
            Ok(Some(KidChoice::Computed(form)))
        }
        (Some(_), Some(_)) => {
            Err(members.fault("kid", "is there with kid-form", "one of them says it"))
        }
        (None, None) => Err(members.fault(
            "kid",
            "is missing",
            format!(
                "{} names the key by kid, or give kid-form ({source})",
                rules.title
            ),
        )),
    }
}

fn audiences(members: &Members<'_>, rules: &Scheme) -> Result<Vec<String>, PolicyFault> {
    const NAME: &str = "audiences";
    const RULE: &str = "the device signs for audiences that are listed here and for no other";
    let texts = members.required(NAME, members.texts(NAME)?, RULE)?;
    if texts.is_empty() {
        return Err(members.fault(NAME, "is empty", RULE));
    }
    for (position, &text) in texts.iter().enumerate() {
        let name = format!("{NAME}[{position}]");
        Audience::new(text)
            .and_then(|audience| rules.audience(Some(audience)))
            .map_err(|error| members.fault(&name, shown(text), error.to_string()))?;
        if texts.iter().take(position).any(|&other| other == text) {
            return Err(members.fault(&name, shown(text), "it is there twice"));
        }
    }
    Ok(texts.into_iter().map(str::to_owned).collect())
}

fn rate(top: &Members<'_>) -> Result<Rate, PolicyFault> {
    const RULE: &str = "a device has a rate limit: a table with assertions and seconds";
    let table = top.required("rate", top.table("rate")?, RULE)?;
    let members = Members::new("rate", table, &["assertions", "seconds"])?;
    Ok(Rate {
        assertions: narrow(required_number(
            &members,
            "assertions",
            1..=MAX_RATE.into(),
            "assertions in the period, so many at once",
        )?),
        seconds: narrow(required_number(
            &members,
            "seconds",
            1..=MAX_RATE_SECONDS.into(),
            "the period",
        )?),
    })
}

fn authority(top: &Members<'_>, file: ReadFile<'_>) -> Result<Option<Vec<u8>>, PolicyFault> {
    const NAME: &str = "authority";
    let Some(name) = top.text(NAME)? else {
        return Ok(None);
    };
    let content = file(name).map_err(|error| {
        let found = format!("names {}, which cannot be read", name.escape_default());
        top.fault(NAME, found, error)
    })?;
    let spki = if content.first() == Some(&0x30) {
        content
    } else {
        SubjectPublicKeyInfoDer::from_pem_slice(&content)
            .map(|spki| spki.as_ref().to_vec())
            .unwrap_or_default()
    };
    let rule =
        "it must be an RSA public key of 2048 or 3072 bits, PEM or DER (RFC 7468 section 13)";
    match RsaPublicKey::from_spki(&spki) {
        Ok(key) if AUTHORITY_BITS.contains(&key.bits()) => Ok(Some(spki)),
        Ok(key) => Err(top.fault(NAME, format!("names a key of {} bits", key.bits()), rule)),
        Err(_) => Err(top.fault(NAME, "names a file with something else", rule)),
    }
}

fn required_number(
    members: &Members<'_>,
    name: &str,
    range: core::ops::RangeInclusive<u64>,
    what: &str,
) -> Result<u64, PolicyFault> {
    let value = members.number(name, range, what)?;
    members.required(name, value, &format!("it says how many {what}"))
}

/// The value's range is that of its type, or within it.
fn narrow<T: TryFrom<u64> + From<u8>>(value: u64) -> T {
    T::try_from(value).unwrap_or(T::from(u8::MAX))
}

/// A value of a policy, which is no secret.
fn shown(text: &str) -> String {
    format!("is {:?}", text.chars().take(64).collect::<String>())
}

fn syntax(text: &str, error: &toml::de::Error) -> PolicyFault {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    PolicyFault {
        member: format!("line {line}"),
        found: "is not TOML".to_owned(),
        rule: error.message().replace('\n', " "),
    }
}
