//! What FIAM offers with an access token: the contracts of a data consumer.

pub mod pages;

use crate::error::Error;
use crate::http::{BaseUrl, Http};
use crate::oauth::AccessToken;

pub use pages::{Page, Pages, Records};

/// "Get contracts" of FIAM's documentation, below the base URL.
pub const CONTRACTS: &str = "/service-consumers/contracts";

/// The contracts of the party that `token` was given to: an iterator over pages, the first of which is asked
/// for when it is needed.
///
/// A contract is a JSON object with the members of FIAM's example (`id`, `data_owner`, `resource` ...). They
/// are given as they come: the documentation says that they will change.
pub fn contracts<'a>(
    http: &'a Http,
    base: &'a BaseUrl,
    token: &'a AccessToken,
) -> Result<Pages<'a>, Error> {
    Pages::new(http, base, CONTRACTS, token)
}
