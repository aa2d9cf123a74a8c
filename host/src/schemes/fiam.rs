//! What FIAM offers with an access token: the contracts of a data consumer.

mod page;
mod pages;

use crate::http::{BaseUrl, Http, Url};
use crate::oauth::{AccessToken, OAuthError};

pub use page::{MAX_LIST, MAX_PAGES, MAX_RECORDS, Page, PageFault, Records};
pub use pages::{MAX_TIME, Pages};

/// "Get contracts" of FIAM's documentation, below the base URL.
pub const CONTRACTS: &str = "/service-consumers/contracts";

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FiamError {
    /// The server cannot be asked, refused, or answered with no JSON.
    #[error("{0}")]
    OAuth(#[from] OAuthError),
    /// The response is not the page that was asked for, or the list does not end.
    #[error("{url}: {fault}")]
    Page {
        /// Where it came from.
        url: Url,
        /// What is wrong with it.
        fault: PageFault,
    },
}

/// The contracts of the party that `token` was given to: an iterator over pages, the first of which is asked
/// for when it is needed.
///
/// A contract is a JSON object with the members of FIAM's example (`id`, `data_owner`, `resource` ...). They
/// are given as they come: the documentation says that they will change.
///
/// # Errors
///
/// As [`Pages::new`].
pub fn contracts<'a>(
    http: &'a Http,
    base: &'a BaseUrl,
    token: &'a AccessToken,
) -> Result<Pages<'a>, FiamError> {
    Pages::new(http, base, CONTRACTS, token)
}
