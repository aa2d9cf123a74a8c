//! Licence expressions as crates give them: SPDX with `AND`, `OR`, `WITH` and brackets, and the
//! old `/` for `OR`.

/// Whether the allowed licences are enough for the expression. What cannot be read is refused.
pub(super) fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let mut words = Words {
        all: spaced.split_whitespace().collect(),
        at: 0,
        allowed,
    };
    words
        .either()
        .is_some_and(|fits| fits && words.at == words.all.len())
}

struct Words<'a> {
    all: Vec<&'a str>,
    at: usize,
    allowed: &'a [String],
}

impl Words<'_> {
    /// `a OR b OR ..`, the weakest binding. Every side is read, also when one is enough.
    fn either(&mut self) -> Option<bool> {
        let mut fits = self.both()?;
        while self.take("OR") {
            fits |= self.both()?;
        }
        Some(fits)
    }

    fn both(&mut self) -> Option<bool> {
        let mut fits = self.one()?;
        while self.take("AND") {
            fits &= self.one()?;
        }
        Some(fits)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let fits = self.either()?;
            return self.take(")").then_some(fits);
        }
        let name = *self.all.get(self.at)?;
        self.at += 1;
        if self.take("WITH") {
            let exception = *self.all.get(self.at)?;
            self.at += 1;
            let whole = format!("{name} WITH {exception}");
            return Some(self.allowed.contains(&whole));
        }
        Some(self.allowed.iter().any(|known| known == name))
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.all.get(self.at) == Some(&word);
        self.at += usize::from(found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    fn fits(expression: &str) -> bool {
        is_allowed(expression, &["MIT".to_owned(), "ISC".to_owned()])
    }

    #[test]
    fn one_side_of_or_is_enough_and_both_of_and_are_needed() {
        assert!(
            fits("MIT") && fits("MIT OR GPL-3.0") && fits("GPL-3.0/MIT") && fits("MIT AND ISC")
        );
        assert!(!fits("GPL-3.0") && !fits("MIT AND GPL-3.0") && !fits("GPL-3.0 OR Apache-2.0"));
    }

    #[test]
    fn and_binds_closer_than_or_and_brackets_closer_still() {
        assert!(fits("MIT OR GPL-3.0 AND ISC"));
        assert!(!fits("(MIT OR GPL-3.0) AND GPL-3.0"));
        assert!(fits("(GPL-3.0 OR MIT) AND ISC"));
    }

    #[test]
    fn an_exception_must_be_allowed_as_such() {
        assert!(!fits("MIT WITH some-exception"));
        assert!(fits("MIT WITH some-exception OR ISC"));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert!(!fits("") && !fits("MIT OR") && !fits("(MIT") && !fits("MIT ISC") && !fits("MIT)"));
    }
}
