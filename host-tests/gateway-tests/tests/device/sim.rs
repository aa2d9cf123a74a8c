//! The simulator: the same device behind a Unix socket, one host after another.

use privyseal_core::scheme::FIAM;
use privyseal_test_base::clock::run_start;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use privyseal_protocol::{
    DeviceState, FrameDecoder, Provision, Request, Response, SchemeId, SignRequest,
};
use privyseal_test_simulators::device_sim::{DeviceSim, Options};
use privyseal_test_simulators::link::frame;

use crate::fixture::{policy, provisioned};

/// Sends a request and gives what `last` makes of each answer until it makes something.
fn ask<T>(
    stream: &mut UnixStream,
    request: &Request<'_>,
    mut last: impl FnMut(Response<'_>) -> Option<T>,
) -> T {
    // The zero ends what another host may have begun.
    stream.write_all(&[0]).expect("a device");
    stream.write_all(&frame(3, request)).expect("a device");
    let mut decoder = FrameDecoder::new();
    let mut byte = [0];
    loop {
        stream.read_exact(&mut byte).expect("an answer in time");
        if let Some(message) = decoder.feed(byte[0]) {
            let message = message.expect("a whole frame");
            if message.id == 0 {
                continue;
            }
            if let Some(value) = last(message.read().expect("a response")) {
                return value;
            }
        }
    }
}

fn connect(sim: &DeviceSim) -> UnixStream {
    let stream = UnixStream::connect(sim.socket()).expect("a device");
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("a time limit");
    stream
}

fn info(stream: &mut UnixStream) -> (DeviceState, u64) {
    ask(stream, &Request::Info, |response| match response {
        Response::Info(info) => Some((info.state, info.counter)),
        other => panic!("{other:?}"),
    })
}

#[test]
fn one_host_after_another() {
    let mut sim = DeviceSim::start(Options::default());
    for _ in 0..3 {
        let mut stream = connect(&sim);
        assert_eq!(info(&mut stream), (DeviceState::Empty, 0));
        // Half a frame of a host that went away harms nobody.
        stream.write_all(&[9, 9, 9]).expect("a device");
    }
    let mut stream = connect(&sim);
    let totals = crate::fixture::upload(&policy()).totals();
    let begin = Request::Provision(Provision::Begin(totals));
    ask(&mut stream, &begin, |response| match response {
        Response::Accepted { .. } => Some(()),
        other => panic!("{other:?}"),
    });
    assert_eq!(info(&mut stream), (DeviceState::Provisioning, 0));
    drop(stream);
    assert_eq!(info(&mut connect(&sim)), (DeviceState::Provisioning, 0));
    sim.restart();
    assert_eq!(info(&mut connect(&sim)), (DeviceState::Empty, 0));
}

#[test]
fn it_keeps_what_it_was_given_through_a_restart() {
    let mut device = provisioned(&policy());
    let options = Options {
        device: device.board().device,
        memory: device.board().memory(),
        ..Options::default()
    };
    let mut sim = DeviceSim::start(options);
    for counter in 1..3 {
        let mut stream = connect(&sim);
        let request = Request::Sign(SignRequest::new(SchemeId::of(&FIAM), run_start()));
        ask(&mut stream, &request, |response| match response {
            Response::Token {
                total,
                offset,
                bytes,
            } => (offset + u32::try_from(bytes.len()).expect("a length") == total).then_some(()),
            other => panic!("{other:?}"),
        });
        assert_eq!(info(&mut stream), (DeviceState::Ready, counter));
        sim.restart();
    }
}
