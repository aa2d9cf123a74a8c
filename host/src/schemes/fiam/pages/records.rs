//! All records of a list as one object.

use core::fmt;

use super::Page;

/// All records of a list, in the shape of a page: `records`, and `total_count` of them.
///
/// They are kept as text, which takes no more memory than what the server sent; in values it would be some
/// twenty times that.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Records {
    /// With a comma between each two.
    text: String,
    count: usize,
}

impl Records {
    /// Adds the records of a page.
    pub fn add(&mut self, page: Page) {
        for record in page.records {
            if self.count > 0 {
                self.text.push(',');
            }
            self.text.push_str(&record.to_string());
            self.count = self.count.saturating_add(1);
        }
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The object, as JSON.
    pub fn into_json(self) -> String {
        let Self { text, count } = self;
        format!(r#"{{"records":[{text}],"total_count":{count}}}"#)
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Records({})", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_object_of_all_pages() {
        let page = |records| Page {
            page: 1,
            page_count: 1,
            total_count: 1,
            records,
        };
        let mut records = Records::default();
        assert_eq!(
            records.clone().into_json(),
            r#"{"records":[],"total_count":0}"#
        );
        records.add(page(vec![json!({"id": "a"}), json!({})]));
        records.add(page(Vec::new()));
        records.add(page(vec![json!({"id": 7})]));
        assert_eq!(records.count(), 3);
        assert_eq!(
            records.into_json(),
            r#"{"records":[{"id":"a"},{},{"id":7}],"total_count":3}"#
        );
    }
}
