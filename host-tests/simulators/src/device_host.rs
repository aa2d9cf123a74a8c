//! The host's end of a device's line, for tests: asks anything, and checks that answers are whole. It
//! talks to a device in the same thread, on a line with both ends in one hand; the host of users is
//! another one and talks to a real line.

use privyseal_firmware_app::Device;
use privyseal_firmware_app::fake::{FakeBoard, Wire};
use privyseal_protocol::{
    Content, CsrRequest, DeviceState, FrameDecoder, Generate, Info, MAX_COMPOSED, Provision,
    Refusal, Request, Response, SignRequest,
};

use crate::link::{Upload, composing, frame};

/// A device on a board without hardware, and the line to it.
pub type TestDevice = Device<FakeBoard<Wire>>;

/// Puts bytes on the line, lets the device work, and takes what it says.
pub fn exchange(device: &mut TestDevice, bytes: &[u8]) -> Vec<u8> {
    device.board().serial.to_device.extend(bytes);
    device.poll();
    std::mem::take(&mut device.board().serial.from_device)
}

/// Each answer in what a device said, with its id.
///
/// # Panics
/// If something in it is no answer: a device says nothing else.
pub fn answers(bytes: &[u8], mut each: impl FnMut(u8, Response<'_>)) {
    let mut decoder = FrameDecoder::new();
    for &byte in bytes {
        if let Some(outcome) = decoder.feed(byte) {
            let message = outcome.expect("a whole frame");
            let response = message.read().expect("a response");
            each(message.id, response);
        }
    }
}

/// Asks for one thing and gives what `take` makes of its answers.
///
/// # Errors
/// The device's refusal.
///
/// # Panics
/// If an answer is to something else, or there is none.
pub fn ask<T: Default>(
    device: &mut TestDevice,
    request: &Request<'_>,
    mut take: impl FnMut(&mut T, Response<'_>),
) -> Result<T, Refusal> {
    let said = exchange(device, &frame(7, request));
    let mut outcome = Ok(T::default());
    let mut count = 0;
    answers(&said, |id, response| {
        assert_eq!(id, 7, "an answer to another request");
        count += 1;
        match (response, &mut outcome) {
            (Response::Refused(refusal), _) => outcome = Err(refusal),
            (response, Ok(value)) => take(value, response),
            _ => panic!("an answer behind a refusal"),
        }
    });
    // A device whose power went says nothing.
    assert!(
        count > 0 || device.board().power().is_off(),
        "no answer to {request:?}"
    );
    outcome
}

/// The device's own account.
///
/// # Panics
/// If there is none.
pub fn info(device: &mut TestDevice) -> Info<'static> {
    let mut found = None;
    ask(device, &Request::Info, |(): &mut (), response| {
        let Response::Info(info) = response else {
            panic!("{response:?}");
        };
        // The only text in it is the firmware's version.
        found = Some(Info {
            firmware: "",
            ..info
        });
    })
    .expect("info is never refused");
    found.expect("info")
}

/// Provisions a device, step by step, until it refuses one.
///
/// # Errors
/// The refusal.
///
/// # Panics
/// If a step is answered with something else.
pub fn provision(device: &mut TestDevice, upload: &Upload) -> Result<(), Refusal> {
    send_parts(device, upload)?;
    step(device, Provision::Commit)
}

/// Provisions a device up to the commit, which is not sent.
///
/// # Errors
/// The refusal of a step.
///
/// # Panics
/// As [`Upload::totals`].
pub fn send_parts(device: &mut TestDevice, upload: &Upload) -> Result<(), Refusal> {
    upload.send(|sent| step(device, sent))
}

/// One step of provisioning.
///
/// # Errors
/// The refusal.
///
/// # Panics
/// If it is answered with something else.
pub fn step(device: &mut TestDevice, step: Provision<'_>) -> Result<(), Refusal> {
    ask(device, &Request::Provision(step), |(), response| {
        assert!(
            matches!(
                response,
                Response::Accepted { .. } | Response::Provisioned { .. }
            ),
            "{response:?}"
        );
    })
}

/// Has a key made, and waits for it; the device may lose its power meanwhile.
///
/// # Errors
/// The refusal, or the state that it came to instead.
///
/// # Panics
/// If it makes one for ever.
pub fn generate(device: &mut TestDevice, asked: &Generate<'_>) -> Result<(), Refusal> {
    ask(device, &Request::Generate(*asked), |(), response| {
        assert_eq!(response, Response::Accepted { received: 0 });
    })?;
    for _ in 0..100_000 {
        if device.board().power().is_off() {
            return Err(Refusal::Storage);
        }
        match info(device).state {
            DeviceState::Generating => {}
            DeviceState::Uncertified => return Ok(()),
            // The power went while it said so.
            _ if device.board().power().is_off() => return Err(Refusal::Storage),
            state => return Err(Refusal::State(state)),
        }
    }
    panic!("it has no end");
}

/// Has a certification request made, and gives its DER; empty if the device's power went.
///
/// # Errors
/// The refusal.
///
/// # Panics
/// If the pieces do not make a request.
pub fn request_csr(device: &mut TestDevice, asked: &CsrRequest<'_>) -> Result<Vec<u8>, Refusal> {
    let request = Request::Csr(asked.clone());
    let (der, total) = ask(device, &request, |made: &mut (Vec<u8>, u32), response| {
        let Response::CertificationRequest {
            total,
            offset,
            bytes,
        } = response
        else {
            panic!("{response:?}");
        };
        add_piece(made, total, offset, bytes);
    })?;
    assert_eq!(usize::try_from(total), Ok(der.len()), "a whole request");
    Ok(der)
}

/// Has an assertion made, and gives it whole; empty if the device's power went.
///
/// # Errors
/// The refusal.
///
/// # Panics
/// If the pieces do not make a token.
pub fn sign(device: &mut TestDevice, request: SignRequest<'_>) -> Result<String, Refusal> {
    token(device, &Request::Sign(request))
}

/// Has the statement of a content made, as [`sign`] has an assertion.
///
/// # Errors
/// The refusal.
///
/// # Panics
/// As [`sign`].
pub fn state(
    device: &mut TestDevice,
    request: SignRequest<'_>,
    content: &Content<'_>,
) -> Result<String, Refusal> {
    let mut buffer = [0; MAX_COMPOSED];
    for piece in composing(content.to_bytes(&mut buffer).expect("it fits")) {
        compose(device, &piece)?;
    }
    token(device, &Request::SignComposed(request))
}

/// Sends a piece of a content.
///
/// # Errors
/// The refusal.
///
/// # Panics
/// If it is answered with something else.
pub fn compose(device: &mut TestDevice, piece: &Request<'_>) -> Result<(), Refusal> {
    ask(device, piece, |(), response| {
        assert!(
            matches!(response, Response::Accepted { .. }),
            "{response:?}"
        );
    })
}

/// Has a content key unwrapped; empty if the device's power went.
///
/// # Errors
/// The refusal.
///
/// # Panics
/// If it is answered with something else.
pub fn unwrap_key(device: &mut TestDevice, ciphertext: &[u8]) -> Result<Vec<u8>, Refusal> {
    let request = Request::Unwrap { ciphertext };
    ask(device, &request, |key: &mut Vec<u8>, response| {
        let Response::ContentKey { bytes } = response else {
            panic!("{response:?}");
        };
        key.extend(bytes);
    })
}

/// The token that a request gives, whole.
///
/// # Errors
/// The refusal.
///
/// # Panics
/// As [`sign`].
pub fn token(device: &mut TestDevice, request: &Request<'_>) -> Result<String, Refusal> {
    let (token, total) = ask(device, request, |made: &mut (Vec<u8>, u32), response| {
        let Response::Token {
            total,
            offset,
            bytes,
        } = response
        else {
            panic!("{response:?}");
        };
        add_piece(made, total, offset, bytes);
    })?;
    assert_eq!(usize::try_from(total), Ok(token.len()), "a whole token");
    Ok(String::from_utf8(token).expect("a token is ASCII"))
}

/// Adds a piece of an answer, which begins where the one before it ended.
fn add_piece((bytes, whole): &mut (Vec<u8>, u32), total: u32, offset: u32, piece: &[u8]) {
    assert_eq!(usize::try_from(offset), Ok(bytes.len()));
    bytes.extend_from_slice(piece);
    *whole = total;
}
