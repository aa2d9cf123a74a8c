//! One page, as the server numbers it, and the records of all.

use core::time::Duration;

use serde_json::Value;

/// The most pages of one list.
pub const MAX_PAGES: u64 = 1000;

/// The most records of one list: a hundred on each page.
pub const MAX_RECORDS: u64 = 100_000;

/// The most bytes of all pages of one list together.
pub const MAX_LIST: usize = 32 * 1024 * 1024;

/// Why a response is not the page that was asked for, or the list is not one that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PageFault {
    /// The response is not JSON.
    #[error("the page is not JSON")]
    NotJson,
    /// A member is missing or of another type.
    #[error("the page's {0} is missing, or not what FIAM's documentation shows")]
    Member(&'static str),
    /// Another page than the one that was asked for.
    #[error(
        "page {asked} was asked for, and page {given} came: the server does not know the query \
         page={asked}, or lies"
    )]
    OtherPage {
        /// Its number.
        asked: u64,
        /// The number in the response.
        given: u64,
    },
    /// More pages than [`MAX_PAGES`].
    #[error("page_count is {0}, and at most {MAX_PAGES} pages are read")]
    TooMany(u64),
    /// A page without records, and not the last.
    #[error("page {0} has no records, although page_count says that more pages follow")]
    Empty(u64),
    /// A record that is no object.
    #[error("a record is not a JSON object")]
    Record,
    /// More records than [`MAX_RECORDS`].
    #[error("the list has more records than the {MAX_RECORDS} that are read")]
    TooManyRecords,
    /// The time for the whole list is over.
    #[error("{pages} pages came within {} s, which is the time for the whole list", limit.as_secs())]
    Late {
        /// How long that is.
        limit: Duration,
        /// How many pages came.
        pages: u64,
    },
    /// All pages together are longer than [`MAX_LIST`].
    #[error("the pages together are longer than {MAX_LIST} bytes")]
    TooLong,
    /// Another number of records than the server said.
    #[error(
        "total_count is {said}, and {read} records came; ask again if the list was changed meanwhile"
    )]
    Total {
        /// What it said.
        said: u64,
        /// What came.
        read: u64,
    },
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
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
    ///
    /// # Errors
    ///
    /// [`PageFault`] with the member that is missing or of another type.
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

privyseal_core::opaque_debug! { [] Records: count; }

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn page(page: u64, page_count: u64, total_count: u64, records: usize) -> Page {
        Page {
            page,
            page_count,
            total_count,
            records: vec![json!({}); records],
        }
    }

    #[test]
    fn the_page_of_the_documentation_is_read() {
        let body = br#"{"page":1,"page_count":1,"records":[{"id":"a"}],"size":1,"total_count":1}"#;
        let page = Page::parse(body).unwrap();
        assert_eq!((page.page, page.page_count, page.total_count), (1, 1, 1));
        assert_eq!(page.records, [json!({"id": "a"})]);
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
