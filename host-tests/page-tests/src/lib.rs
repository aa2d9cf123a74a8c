//! Tests of the page that explains, in a browser.
