//! The receivers, as read from their source code.

use super::{Demand, Receiver};
use privyseal_core::cert::KeyUsage::{DigitalSignature, NonRepudiation};
use privyseal_core::scheme::KeyReference::{Kid, X5cWithRoot};

/// Every receiver that is known here.
pub const ALL: &[Receiver] = &[
    Receiver {
        name: "iSHARE AuthorizationRegistry",
        reads: X5cWithRoot,
        demands: &[
            Demand::Signature,
            Demand::Lifetime(30),
            Demand::IatLead(0),
            Demand::LeafUsage(&[DigitalSignature]),
            Demand::RsaSha256Chain,
        ],
    },
    Receiver {
        name: "Poort8.Ishare.Core",
        reads: X5cWithRoot,
        demands: &[
            Demand::Signature,
            Demand::Lifetime(30),
            Demand::NbfLead(10),
            Demand::LeafUsage(&[DigitalSignature, NonRepudiation]),
            Demand::EveryCaTrusted,
        ],
    },
    Receiver {
        name: "bdi-stack",
        reads: X5cWithRoot,
        demands: &[
            Demand::Signature,
            Demand::Lifetime(30),
            Demand::IatLead(5),
            Demand::NbfIsIat,
            Demand::OnlyMembers(&["alg", "typ", "x5c"]),
            Demand::LeafUsage(&[NonRepudiation]),
            Demand::IdPrefix("EU.EORI."),
            Demand::LastTrusted,
        ],
    },
    Receiver {
        name: "pyshare",
        reads: X5cWithRoot,
        demands: &[
            Demand::Signature,
            Demand::Lifetime(30),
            Demand::IatLead(0),
            Demand::EoriOption,
        ],
    },
    Receiver {
        name: "Keycloak",
        reads: Kid,
        demands: &[
            Demand::Signature,
            Demand::KidKnown,
            Demand::Required("exp"),
            Demand::Required("jti"),
            Demand::OneAudience,
            Demand::NotExpired(0),
            Demand::AgeAtMost(60),
            Demand::IatLead(15),
            Demand::NbfLead(15),
        ],
    },
    Receiver {
        name: "node-oidc-provider",
        reads: Kid,
        demands: &[
            Demand::Signature,
            Demand::Required("exp"),
            Demand::Required("jti"),
            Demand::Required("iss"),
            Demand::Required("aud"),
            Demand::NumericDates,
            Demand::NotExpired(15),
            Demand::IatLead(15),
            Demand::NbfLead(15),
        ],
    },
];
