//! Tests of the page that explains, in a browser.

#![allow(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::missing_errors_doc,
    unnameable_types,
    reason = "for tests, which nobody links to"
)]
