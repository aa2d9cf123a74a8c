//! Ways around the seal that do not compile: other bytes signed, other rules, a proof by somebody else.

#[test]
fn the_seal() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/seal/*.rs");
}
