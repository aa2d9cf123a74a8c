//! Members of a TOML table, each asked for by name and type; what nobody may ask for is an error.

use core::ops::RangeInclusive;

use toml::{Table, Value};

use super::PolicyFault;

/// A table, and where it stands.
pub(super) struct Members<'t> {
    path: String,
    table: &'t Table,
}

impl<'t> Members<'t> {
    /// `table` at `path` (empty for the whole file), which may have members of these names only.
    pub(super) fn new(path: &str, table: &'t Table, known: &[&str]) -> Result<Self, PolicyFault> {
        let members = Self {
            path: path.to_owned(),
            table,
        };
        match table.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(members),
            Some(name) => Err(PolicyFault {
                member: members.at(&name.escape_default().to_string()),
                found: "is not known".to_owned(),
                rule: format!("known here are {}", known.join(", ")),
            }),
        }
    }

    /// The path of a member.
    pub(super) fn at(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// A fault of the member `name`.
    pub(super) fn fault(
        &self,
        name: &str,
        found: impl Into<String>,
        rule: impl Into<String>,
    ) -> PolicyFault {
        PolicyFault {
            member: self.at(name),
            found: found.into(),
            rule: rule.into(),
        }
    }

    /// A member that must be there.
    pub(super) fn required<T>(
        &self,
        name: &str,
        value: Option<T>,
        rule: &str,
    ) -> Result<T, PolicyFault> {
        value.ok_or_else(|| self.fault(name, "is missing", rule))
    }

    pub(super) fn table(&self, name: &str) -> Result<Option<&'t Table>, PolicyFault> {
        self.value(name, "a table", Value::as_table)
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'t str>, PolicyFault> {
        self.value(name, "a string", Value::as_str)
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, PolicyFault> {
        self.value(name, "true or false", Value::as_bool)
    }

    /// A whole number within `range`; `what` says what it counts.
    pub(super) fn number(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
        what: &str,
    ) -> Result<Option<u64>, PolicyFault> {
        let Some(value) = self.value(name, "a whole number", Value::as_integer)? else {
            return Ok(None);
        };
        let (min, max) = (range.start(), range.end());
        match u64::try_from(value)
            .ok()
            .filter(|value| range.contains(value))
        {
            Some(value) => Ok(Some(value)),
            None => Err(self.fault(
                name,
                format!("is {value}"),
                format!("it must be {min} to {max}: {what}"),
            )),
        }
    }

    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<&'t str>>, PolicyFault> {
        let Some(values) = self.value(name, "an array of strings", Value::as_array)? else {
            return Ok(None);
        };
        let texts = values.iter().enumerate().map(|(position, value)| {
            let name = format!("{name}[{position}]");
            value
                .as_str()
                .ok_or_else(|| self.fault(&name, shape(value), "it must be a string"))
        });
        texts.collect::<Result<_, _>>().map(Some)
    }

    fn value<T>(
        &self,
        name: &str,
        wanted: &str,
        read: impl Fn(&'t Value) -> Option<T>,
    ) -> Result<Option<T>, PolicyFault> {
        let Some(value) = self.table.get(name) else {
            return Ok(None);
        };
        match read(value) {
            Some(read) => Ok(Some(read)),
            None => Err(self.fault(name, shape(value), format!("it must be {wanted}"))),
        }
    }
}

/// What kind of value it is, without the value.
fn shape(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "is a string",
        Value::Integer(_) => "is a whole number",
        Value::Float(_) => "is a number with a fraction",
        Value::Boolean(_) => "is a truth value",
        Value::Datetime(_) => "is a date",
        Value::Array(_) => "is an array",
        Value::Table(_) => "is a table",
    }
}
