//! By what revocation is judged, owned by a receiver that lives long.

use privyseal::http::RevocationFetcher;
use privyseal::pki::crl::Crl;
use privyseal::pki::revocation::RevocationOptions;

/// Lists, and who gets more. By default revocation is not judged.
#[derive(Debug, Default)]
pub struct Revocation {
    lists: Vec<Crl>,
    fetcher: Option<RevocationFetcher>,
    allow_unknown: bool,
}

impl Revocation {
    /// By these lists.
    pub fn by_lists(lists: Vec<Crl>) -> Self {
        Self {
            lists,
            ..Self::default()
        }
    }

    /// Also by what each certificate's CA publishes.
    #[must_use]
    pub fn online(mut self, fetcher: RevocationFetcher) -> Self {
        self.fetcher = Some(fetcher);
        self
    }

    /// Accepts certificates of which it cannot be told whether they were revoked.
    #[must_use]
    pub const fn allow_unknown(mut self, allow: bool) -> Self {
        self.allow_unknown = allow;
        self
    }

    /// The same, as the checks take it.
    pub fn options(&self) -> RevocationOptions<'_> {
        let mut options = RevocationOptions::files(&self.lists);
        options.fetch = self.fetcher.as_ref().map(|fetcher| fetcher as _);
        options.allow_unknown = self.allow_unknown;
        options
    }
}
