use privyseal_protocol::{DeviceState, FrameError, ImageFault, Part, PartFault, Refusal};

use crate::pinned;

#[test]
fn every_fault_of_a_frame() {
    pinned! { FrameError:
        FrameError::Cobs => "00";
        FrameError::TooLong => "01";
        FrameError::TooShort => "02";
        FrameError::Checksum => "03";
        FrameError::Version { found: 200 } => "04 Version" "c8 found";
        FrameError::Body => "05";
    }
}

#[test]
fn every_fault_of_a_part() {
    pinned! { PartFault:
        PartFault::Size { min: 48, max: 300 } => "00 Size" "30 min" "ac02 max";
        PartFault::Offset { expected: 256 } => "01 Offset" "8002 expected";
        PartFault::ChunkSize => "02";
        PartFault::NotUploaded => "03";
        PartFault::Missing { received: 256 } => "04 Missing" "8002 received";
        PartFault::Malformed => "05";
        PartFault::Rule => "06";
        PartFault::KeyMismatch => "07";
    }
}

#[test]
fn every_refusal() {
    pinned! { Refusal:
        Refusal::Frame(FrameError::Version { found: 2 }) => "00 Frame" "04 Version" "02 found";
        Refusal::State(DeviceState::Ready) => "01 State" "02 Ready";
        Refusal::NotReadable(Part::Seed) => "02 NotReadable" "03 Seed";
        Refusal::Part { part: Part::Policy, fault: PartFault::Rule } => "03 Part" "01 part" "06 fault";
        Refusal::PairwiseTest => "04";
        Refusal::Scheme => "05";
        Refusal::Audience => "06";
        Refusal::Lifetime { max: 300 } => "07 Lifetime" "ac02 max";
        Refusal::Field => "08";
        Refusal::Clock => "09";
        Refusal::TimeBack { floor: 1_790_000_000 } => "0a TimeBack" "80f7c4d506 floor";
        Refusal::TimeAhead { ceiling: 1_790_086_400 } => "0b TimeAhead" "809acad506 ceiling";
        Refusal::Rate { wait: 3_600 } => "0c Rate" "901c wait";
        Refusal::Presence => "0d";
        Refusal::Authority => "0e";
        Refusal::Device => "0f";
        Refusal::Entropy => "10";
        Refusal::Storage => "11";
        Refusal::Fault => "12";
        Refusal::KeySize => "13";
        Refusal::KeyEntropy => "14";
        Refusal::Unlock => "15";
        Refusal::KeyUnlock => "16";
        Refusal::Renewal => "17";
        Refusal::Statement => "18";
        Refusal::Content => "19";
        Refusal::Image(ImageFault::Board) => "1a Image" "04 fault";
        Refusal::Unwrap => "1b";
        Refusal::Ciphertext => "1c";
    }
}

#[test]
fn every_fault_of_an_image() {
    pinned! { ImageFault:
        ImageFault::NoFirstStage => "00";
        ImageFault::Offset { expected: 256 } => "01 Offset" "8002 expected";
        ImageFault::Size { max: 256 } => "02 Size" "8002 max";
        ImageFault::Header => "03";
        ImageFault::Board => "04";
        ImageFault::Version { found: 6, least: 300 } => "05 Version" "06 found" "ac02 least";
        ImageFault::Signature => "06";
        ImageFault::Digest => "07";
        ImageFault::NoRoom => "08";
    }
}
