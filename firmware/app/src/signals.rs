//! What a person sees and does: the LED and the button.

use privyseal_protocol::DeviceState;

use crate::board::Board;

/// Shows the state: lit when ready; a short flash every two seconds when empty, a longer one when the certificate is
/// missing; even blinking while it is provisioned or makes a key; fast blinking when it signs no more.
pub(crate) fn show<B: Board>(board: &mut B, state: DeviceState) {
    let millis = board.millis();
    board.light(match state {
        DeviceState::Ready => true,
        DeviceState::Empty => millis % 2_000 < 100,
        DeviceState::Uncertified => millis % 2_000 < 400,
        DeviceState::Provisioning | DeviceState::Generating => millis % 1_000 < 500,
        _ => millis % 200 < 100,
    });
}

/// Waits for the button: it must be seen up and then down within the time, so a button that is stuck or
/// taped down is nobody's presence. The LED blinks meanwhile.
pub(crate) fn wait_for_press<B: Board>(board: &mut B, seconds: u8) -> bool {
    let end = board
        .millis()
        .saturating_add(u64::from(seconds).saturating_mul(1000));
    let mut was_up = false;
    loop {
        board.feed_watchdog();
        match board.is_pressed() {
            Some(false) => was_up = true,
            Some(true) if was_up => return true,
            Some(true) => {}
            None => return false,
        }
        let millis = board.millis();
        if millis >= end {
            return false;
        }
        board.light(millis % 400 < 200);
        board.rest();
    }
}
