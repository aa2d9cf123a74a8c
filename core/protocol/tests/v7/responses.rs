use privyseal_protocol::{
    AtRest, DeviceState, Generation, Info, Origin, Part, ReadOut, Refusal, Response,
};

use crate::pinned;

#[test]
fn every_state_and_protection() {
    pinned! { DeviceState:
        DeviceState::Empty => "00";
        DeviceState::Provisioning => "01";
        DeviceState::Ready => "02";
        DeviceState::Faulted => "03";
        DeviceState::Generating => "04";
        DeviceState::Uncertified => "05";
        DeviceState::Locked => "06";
    }
    pinned! { Origin:
        Origin::Generated => "00";
        Origin::Imported => "01";
    }
    pinned! { ReadOut:
        ReadOut::Open => "00";
        ReadOut::Protected => "01";
        ReadOut::Closed => "02";
    }
}

#[test]
fn every_response() {
    pinned! { Response<'_>:
        Response::Info(Info {
            firmware: "0.1.0",
            image: [0x11; 32],
            device: *b"this device!",
            read_out: Some(ReadOut::Protected),
            state: DeviceState::Faulted,
            fault: Some(Refusal::Entropy),
            key: Some([0x22; 32]),
            counter: 1 << 40,
            time_floor: 1_790_000_000,
            time_ceiling: 1_790_086_400,
            challenge: [0x33; 16],
            rate_left: 10_000,
            boots: 300,
            uptime: 86_400,
            log_next: 99_999,
            bad_frames: 12,
            origin: Some(Origin::Imported),
            generation: Some(Generation { bits: 4096, primes: 1, candidates: 300 }),
            at_rest: Some(AtRest { device_secret: false, unlock_secret: true }),
        }) =>
            "00 Info"
            "05 length" "'0.1.0' firmware"
            "11*32 image"
            "'this device!' device"
            "01 it can say" "01 read_out"
            "03 state"
            "01 a fault" "10 Entropy"
            "01 a key" "22*32 SHA-256"
            "808080808020 counter"
            "80f7c4d506 time_floor"
            "809acad506 time_ceiling"
            "33*16 challenge"
            "904e rate_left"
            "ac02 boots"
            "80a305 uptime"
            "9f8d06 log_next"
            "0c bad_frames"
            "01 an origin" "01 Imported"
            "01 a generation" "8020 bits" "01 primes" "ac02 candidates"
            "01 it is kept" "00 device_secret" "01 unlock_secret";
        Response::Info(Info {
            firmware: "",
            image: [0; 32],
            device: [0; 12],
            read_out: None,
            state: DeviceState::Empty,
            fault: None,
            key: None,
            counter: 0,
            time_floor: 0,
            time_ceiling: 0,
            challenge: [0; 16],
            rate_left: 0,
            boots: 0,
            uptime: 0,
            log_next: 0,
            bad_frames: 0,
            origin: None,
            generation: None,
            at_rest: None,
        }) =>
            "00 Info"
            "00 no firmware"
            "00*32 image"
            "00*12 device"
            "00 it cannot say" "00 state" "00 no fault" "00 no key" "00 counter" "00 time_floor" "00 time_ceiling"
            "00*16 challenge"
            "00 rate_left" "00 boots" "00 uptime" "00 log_next" "00 bad_frames"
            "00 no origin" "00 no generation" "00 not kept";
        Response::Data { part: Part::PublicKey, total: 294, offset: 300, bytes: &[9, 0, 9] } =>
            "01 Data" "04 part" "a602 total" "ac02 offset" "03 length" "090009 bytes";
        Response::Accepted { received: 256 } => "02 Accepted" "8002 received";
        Response::Provisioned { key: [0x22; 32] } => "03 Provisioned" "22*32 key";
        Response::Token { total: 10_000, offset: 384, bytes: &[b'A'; 384] } =>
            "04 Token" "904e total" "8003 offset" "8003 length" "41*384 bytes";
        Response::Entry { record: &[0x44; 112] } => "05 Entry" "70 length" "44*112 record";
        Response::LogEnd { first: 300, next: 99_999, head: [0x66; 32] } =>
            "06 LogEnd" "ac02 first" "9f8d06 next" "66*32 head";
        Response::TimeSet { floor: 1_790_000_000 } => "07 TimeSet" "80f7c4d506 floor";
        Response::Wiped => "08 Wiped";
        Response::Refused(Refusal::Rate { wait: 60 }) => "09 Refused" "0c Rate" "3c wait";
        Response::CertificationRequest { total: 1_000, offset: 384, bytes: &[0x30; 384] } =>
            "0a CertificationRequest" "e807 total" "8003 offset" "8003 length" "30*384 bytes";
        Response::Unlocked => "0b Unlocked";
        Response::ContentKey { bytes: &[0x77; 32] } => "0c ContentKey" "20 length" "77*32 bytes";
    }
}
