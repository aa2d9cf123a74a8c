//! A list that comes in pages, asked for page by page and never without end.
//!
//! FIAM's documentation shows the members of a page (`page`, `page_count`, `records`, `size`,
//! `total_count`) and not the query that asks for the next one. The first page is asked for as documented,
//! the others with `page=N`. A server that does not know that query answers with page 1 again, and that
//! is an error here, as is every other number that does not agree with the rest.

mod fault;
mod page;

use serde_json::{Value, json};

use crate::access_token::AccessToken;
use crate::client;
use crate::error::Error;
use crate::http::{BaseUrl, Http, Url};

pub use fault::PageFault;
pub use page::Page;

/// The most pages of one list. With a hundred records on each, 100,000 records.
pub const MAX_PAGES: u64 = 1000;

/// The most bytes of all pages of one list together.
pub const MAX_LIST: usize = 32 * 1024 * 1024;

/// The pages of one list. Ends after the last page, or after the first error.
#[derive(Debug)]
pub struct Pages<'a> {
    http: &'a Http,
    base: &'a BaseUrl,
    path: String,
    token: &'a AccessToken,
    /// The page to ask for; `None` after the last.
    next: Option<u64>,
    read: Read,
}

/// What came so far.
#[derive(Clone, Copy, Debug, Default)]
struct Read {
    bytes: usize,
    records: u64,
}

/// All records of a list, and that they are all.
#[derive(Clone, Debug, PartialEq)]
pub struct Records(pub Vec<Value>);

impl<'a> Pages<'a> {
    /// The pages of the list at `path` below `base`. Asks nothing yet.
    pub fn new(
        http: &'a Http,
        base: &'a BaseUrl,
        path: &str,
        token: &'a AccessToken,
    ) -> Result<Self, Error> {
        let pages = Self {
            http,
            base,
            path: path.to_owned(),
            token,
            next: Some(1),
            read: Read::default(),
        };
        // The longest URL of all.
        pages.url(MAX_PAGES)?;
        Ok(pages)
    }

    /// Asks for all pages. As many records as the server says there are, or an error.
    pub fn records(self) -> Result<Records, Error> {
        let mut records = Vec::new();
        for page in self {
            records.extend(page?.records);
        }
        Ok(Records(records))
    }

    fn get(&mut self, number: u64) -> Result<Page, Error> {
        let body = client::call(self.http, self.base, &self.path_of(number), self.token)?;
        let url = self.url(number)?;
        self.take(number, &body).map_err(|fault| Error::Response {
            url,
            reason: fault.to_string(),
        })
    }

    /// Judges a page, and decides which is the next.
    fn take(&mut self, number: u64, body: &[u8]) -> Result<Page, PageFault> {
        let page = Page::parse(body)?;
        self.read.bytes = self.read.bytes.saturating_add(body.len());
        if self.read.bytes > MAX_LIST {
            return Err(PageFault::TooLong);
        }
        page.is_answer_to(number)?;
        let count = u64::try_from(page.records.len()).unwrap_or(u64::MAX);
        self.read.records = self.read.records.saturating_add(count);
        if page.is_last() {
            page.is_total(self.read.records)?;
        } else {
            self.next = Some(number.saturating_add(1));
        }
        Ok(page)
    }

    fn path_of(&self, number: u64) -> String {
        if number == 1 {
            return self.path.clone();
        }
        let join = if self.path.contains('?') { '&' } else { '?' };
        format!("{}{join}page={number}", self.path)
    }

    fn url(&self, number: u64) -> Result<Url, Error> {
        let url = self.base.join(&self.path_of(number));
        url.map_err(|error| Error::Option {
            option: "--call",
            reason: error.to_string(),
        })
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<Page, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.next.take()?;
        Some(self.get(number))
    }
}

impl Records {
    /// One object in the shape of a page: `records`, and `total_count` of them.
    pub fn to_json(&self) -> Value {
        json!({ "records": self.0, "total_count": self.0.len() })
    }
}
