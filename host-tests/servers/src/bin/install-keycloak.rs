//! Installs the Keycloak that tests start: `cargo xtask setup` runs it.

fn main() {
    privyseal_test_servers::keycloak::install();
}
