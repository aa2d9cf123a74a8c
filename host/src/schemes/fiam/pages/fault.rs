//! What can be wrong with a page.

use core::fmt;
use core::time::Duration;

use super::{MAX_LIST, MAX_PAGES, MAX_RECORDS};

/// Why an answer is not the page that was asked for, or the list is not one that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PageFault {
    /// The answer is not JSON.
    NotJson,
    /// A member is missing or of another type.
    Member(&'static str),
    /// Another page than the one that was asked for.
    OtherPage {
        /// Its number.
        asked: u64,
        /// The number in the answer.
        given: u64,
    },
    /// More pages than [`MAX_PAGES`].
    TooMany(u64),
    /// A page without records, and not the last.
    Empty(u64),
    /// A record that is no object.
    Record,
    /// More records than [`MAX_RECORDS`].
    TooManyRecords,
    /// The time for the whole list is over.
    Late {
        /// How long that is.
        limit: Duration,
        /// How many pages came.
        pages: u64,
    },
    /// All pages together are longer than [`MAX_LIST`].
    TooLong,
    /// Another number of records than the server said.
    Total {
        /// What it said.
        said: u64,
        /// What came.
        read: u64,
    },
}

impl fmt::Display for PageFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("the page is not JSON"),
            Self::Member(name) => write!(
                f,
                "the page's {name} is missing, or not what FIAM's documentation shows"
            ),
            Self::OtherPage { asked, given } => write!(
                f,
                "page {asked} was asked for, and page {given} came: the server does not know the \
                 query page={asked}, or lies"
            ),
            Self::TooMany(count) => write!(
                f,
                "page_count is {count}, and at most {MAX_PAGES} pages are read"
            ),
            Self::Empty(page) => write!(
                f,
                "page {page} has no records, although page_count says that more pages follow"
            ),
            Self::Record => f.write_str("a record is not a JSON object"),
            Self::TooManyRecords => write!(
                f,
                "the list has more records than the {MAX_RECORDS} that are read"
            ),
            Self::Late { limit, pages } => write!(
                f,
                "{pages} pages came within {} s, which is the time for the whole list",
                limit.as_secs()
            ),
            Self::TooLong => write!(f, "the pages together are longer than {MAX_LIST} bytes"),
            Self::Total { said, read } => write!(
                f,
                "total_count is {said}, and {read} records came; ask again if the list was changed \
                 meanwhile"
            ),
        }
    }
}

impl core::error::Error for PageFault {}
