//! One page, as the server numbers it.

use serde_json::Value;

use super::{MAX_PAGES, PageFault};

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Its number, from 1.
    pub page: u64,
    /// How many pages there are; 0 or 1 where the list is empty.
    pub page_count: u64,
    /// How many records all pages have together.
    pub total_count: u64,
    /// The records of this page.
    pub records: Vec<Value>,
}

impl Page {
    /// Reads the JSON of a page. `size` is not read: the documentation does not say whether it is the
    /// number of records on this page or the largest there may be.
    pub fn parse(body: &[u8]) -> Result<Self, PageFault> {
        let mut json: Value = serde_json::from_slice(body).map_err(|_| PageFault::NotJson)?;
        let number = |name| {
            let number = json.get(name).and_then(Value::as_u64);
            number.ok_or(PageFault::Member(name))
        };
        let (page, page_count) = (number("page")?, number("page_count")?);
        let total_count = number("total_count")?;
        let Some(Value::Array(records)) = json.get_mut("records").map(Value::take) else {
            return Err(PageFault::Member("records"));
        };
        if !records.iter().all(Value::is_object) {
            return Err(PageFault::Record);
        }
        Ok(Self {
            page,
            page_count,
            total_count,
            records,
        })
    }

    /// Whether no page follows.
    pub const fn is_last(&self) -> bool {
        self.page >= self.page_count
    }

    /// Whether this is the page that was asked for, and the list is one that can end.
    pub(super) const fn is_answer_to(&self, asked: u64) -> Result<(), PageFault> {
        if self.page != asked {
            return Err(PageFault::OtherPage {
                asked,
                given: self.page,
            });
        }
        if self.page_count > MAX_PAGES {
            return Err(PageFault::TooMany(self.page_count));
        }
        if self.records.is_empty() && !self.is_last() {
            return Err(PageFault::Empty(self.page));
        }
        Ok(())
    }

    /// Whether `read` records are all there are.
    pub(super) const fn is_total(&self, read: u64) -> Result<(), PageFault> {
        if self.total_count != read {
            return Err(PageFault::Total {
                said: self.total_count,
                read,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(page: u64, page_count: u64, total_count: u64, records: usize) -> Page {
        Page {
            page,
            page_count,
            total_count,
            records: vec![serde_json::json!({}); records],
        }
    }

    #[test]
    fn the_page_of_the_documentation_is_read() {
        let body = br#"{"page":1,"page_count":1,"records":[{"id":"a"}],"size":1,"total_count":1}"#;
        let page = Page::parse(body).unwrap();
        assert_eq!((page.page, page.page_count, page.total_count), (1, 1, 1));
        assert_eq!(page.records, [serde_json::json!({"id": "a"})]);
        assert!(page.is_last());
    }

    #[test]
    fn what_is_no_page_is_named() {
        for (body, words) in [
            ("", "not JSON"),
            ("[]", "page is missing"),
            (r#"{"page":"1"}"#, "page is missing"),
            (r#"{"page":-1}"#, "page is missing"),
            (r#"{"page":1}"#, "page_count is missing"),
            (r#"{"page":1,"page_count":1}"#, "total_count is missing"),
            (
                r#"{"page":1,"page_count":1,"total_count":0,"records":{}}"#,
                "records is missing",
            ),
            (
                r#"{"page":1,"page_count":1,"total_count":2,"records":[{},0]}"#,
                "a record is not a JSON object",
            ),
        ] {
            let fault = Page::parse(body.as_bytes()).unwrap_err();
            assert!(fault.to_string().contains(words), "{body}: {fault}");
        }
    }

    #[test]
    fn numbers_that_do_not_agree_end_the_list() {
        assert_eq!(page(1, 3, 9, 1).is_answer_to(1), Ok(()));
        assert_eq!(page(1, 0, 0, 0).is_answer_to(1), Ok(()));
        let (asked, given) = (2, 1);
        assert_eq!(
            page(1, 3, 9, 1).is_answer_to(2),
            Err(PageFault::OtherPage { asked, given })
        );
        assert_eq!(page(1, 2, 9, 0).is_answer_to(1), Err(PageFault::Empty(1)));
        assert_eq!(page(1, MAX_PAGES, 9, 1).is_answer_to(1), Ok(()));
        assert_eq!(
            page(1, MAX_PAGES + 1, 9, 1).is_answer_to(1),
            Err(PageFault::TooMany(MAX_PAGES + 1))
        );
        assert_eq!(
            page(1, 1, 2, 1).is_total(1),
            Err(PageFault::Total { said: 2, read: 1 })
        );
    }
}
