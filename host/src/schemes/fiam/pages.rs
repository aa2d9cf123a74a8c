//! A list that comes in pages, asked for page by page and never without end.
//!
//! FIAM's documentation shows the members of a page (`page`, `page_count`, `records`, `size`,
//! `total_count`) and not the query that asks for the next one. The first page is asked for as documented,
//! the others with `page=N`. A server that does not know that query answers with page 1 again, and that
//! is an error here, as is every other number that does not agree with the rest.

use core::time::Duration;
use std::time::Instant;

use super::FiamError;
use super::page::{MAX_LIST, MAX_PAGES, MAX_RECORDS, Page, PageFault, Records};
use crate::http::{BaseUrl, Http, Url, UrlError};
use crate::oauth::{self, AccessToken, OAuthError};

/// How long after the first page of a list another one is asked for, unless said otherwise.
pub const MAX_TIME: Duration = Duration::from_secs(300);

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
    limit: Duration,
    /// When the first page was asked for.
    start: Option<Instant>,
}

/// What came so far.
#[derive(Clone, Copy, Debug, Default)]
struct Read {
    bytes: usize,
    records: u64,
}

impl<'a> Pages<'a> {
    /// The pages of the list at `path` below `base`. Asks nothing yet.
    ///
    /// # Errors
    ///
    /// [`FiamError::OAuth`] if `path` with the number of a page makes no URL.
    pub fn new(
        http: &'a Http,
        base: &'a BaseUrl,
        path: &str,
        token: &'a AccessToken,
    ) -> Result<Self, FiamError> {
        let pages = Self {
            http,
            base,
            path: path.to_owned(),
            token,
            next: Some(1),
            read: Read::default(),
            limit: MAX_TIME,
            start: None,
        };
        // The longest URL of all.
        pages.url(MAX_PAGES).map_err(OAuthError::from)?;
        Ok(pages)
    }

    /// The same, of which no page is asked for later than this after the first.
    #[must_use]
    pub const fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Asks for all pages. As many records as the server says there are, or an error.
    ///
    /// # Errors
    ///
    /// That of the first page that has one.
    pub fn records(self) -> Result<Records, FiamError> {
        let mut records = Records::default();
        for page in self {
            records.add(page?);
        }
        Ok(records)
    }

    fn get(&mut self, number: u64) -> Result<Page, FiamError> {
        let url = self.url(number).map_err(OAuthError::from)?;
        let unusable = |fault| FiamError::Page { url, fault };
        let start = *self.start.get_or_insert_with(Instant::now);
        if number > 1 && start.elapsed() > self.limit {
            let (limit, pages) = (self.limit, number.saturating_sub(1));
            return Err(unusable(PageFault::Late { limit, pages }));
        }
        let body = oauth::call(self.http, self.base, &self.path_of(number), self.token)?;
        self.take(number, &body).map_err(unusable)
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
        if self.read.records > MAX_RECORDS {
            return Err(PageFault::TooManyRecords);
        }
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

    fn url(&self, number: u64) -> Result<Url, UrlError> {
        self.base.join(&self.path_of(number))
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<Page, FiamError>;

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.next.take()?;
        Some(self.get(number))
    }
}
