//! What is found out about keys, chains, tokens and machines.

pub mod chain_report;
pub mod doctor;
pub mod key_report;
pub mod self_test;
pub mod token_report;
