//! Yubico's own client drives the simulator: it generates, imports, signs, lists, audits, and is refused
//! where a device refuses.

use std::process::Command;

use privyseal_test_base::scratch::host_tests;
use privyseal_test_judges::python;
use privyseal_test_simulators::yubihsm_sim::YubihsmSim;

#[test]
fn yubicos_client_accepts_the_simulator() {
    let sim = YubihsmSim::start();
    let script = host_tests("python/yubihsm_client.py");
    let output = Command::new(python::interpreter())
        .arg(script)
        .arg(sim.port().to_string())
        .output()
        .unwrap();
    let (said, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}\n{errors}");
    assert_eq!(
        said.lines().filter(|line| line.starts_with("ok ")).count(),
        12,
        "{said}"
    );
}
