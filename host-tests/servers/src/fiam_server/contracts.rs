//! "Get contracts" of FIAM's documentation, with its example's members, in pages.

use serde_json::{Value, json};

use super::AUDIENCE;
use privyseal_test_judges::assertion_judge::Refusal;

/// What each party has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contracts {
    pub(super) count: usize,
    pub(super) page_size: usize,
}

impl Contracts {
    /// The page that the query asks for; the first, if it asks for none.
    pub(super) fn page(self, party: &str, query: Option<&str>) -> Result<Value, Refusal> {
        let page = page_number(query)?;
        let page_count = self.count.div_ceil(self.page_size).max(1);
        if page > page_count {
            return Err(Refusal::bad_request("invalid_request", "no such page"));
        }
        let first = (page - 1) * self.page_size;
        let records: Vec<_> = (first..self.count)
            .take(self.page_size)
            .map(|index| contract(party, index + 1))
            .collect();
        Ok(json!({
            "page": page,
            "page_count": page_count,
            "size": records.len(),
            "total_count": self.count,
            "records": records,
        }))
    }
}

fn page_number(query: Option<&str>) -> Result<usize, Refusal> {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    match pairs.find(|(name, _)| name == "page") {
        None => Ok(1),
        Some((_, page)) => match page.parse() {
            Ok(page @ 1..) => Ok(page),
            _ => Err(Refusal::bad_request("invalid_request", "page is no number")),
        },
    }
}

fn contract(party: &str, number: usize) -> Value {
    json!({
        "action": "read",
        "data_owner": "EU.EORI.NL000000001",
        "end_date": "2030-12-31T23:59:59.000Z",
        "id": format!("contract-{number}"),
        "resource": if number.is_multiple_of(2) { "gas" } else { "electricity" },
        "resource_attribute": "*",
        "resource_type": "meter-reading",
        "service_consumer": party,
        "service_provider": AUDIENCE,
        "start_date": "2026-01-01T00:00:00.000Z",
    })
}
