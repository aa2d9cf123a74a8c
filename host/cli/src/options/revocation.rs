//! Whether, and by what, revocation is judged.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use privyseal::HttpOptions;
use privyseal::base::file::check_regular;
use privyseal::http::RevocationFetcher;
use privyseal::pki::crl::Crl;
use privyseal::pki::revocation::RevocationOptions;
use privyseal_receiver::Revocation;

use super::of_option;
use crate::error::CliError;
use crate::output::say;
use crate::progress::Progress;

/// How certificates are judged that may have been revoked.
#[derive(Args)]
pub(crate) struct RevocationArgs {
    /// Check revocation with the lists in this PEM or DER file; may be given more than once
    #[arg(long = "crl", value_name = "FILE")]
    crls: Vec<PathBuf>,
    /// By what revocation is judged: not at all, by the lists of --crl, or also by what each certificate's CA
    /// publishes over HTTP (OCSP and lists); by default by --crl where it is given
    #[arg(long, value_enum, value_name = "HOW")]
    revocation: Option<How>,
    /// Accept certificates of which it cannot be told whether they were revoked
    #[arg(long)]
    allow_unknown_revocation: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum How {
    Off,
    Files,
    Online,
}

/// Lists that were read, and who gets more.
pub(crate) struct RevocationSource {
    crls: Vec<Crl>,
    fetcher: Option<RevocationFetcher>,
    progress: Option<Progress>,
    allow_unknown: bool,
}

impl RevocationArgs {
    pub(crate) fn read(&self) -> Result<RevocationSource, CliError> {
        const OPTION: &str = "--revocation";
        match (self.revocation, self.crls.is_empty()) {
            (Some(How::Off), false) => {
                return Err(CliError::option(OPTION, "is off, and --crl is given"));
            }
            (Some(How::Files), true) => {
                return Err(CliError::missing("--crl", "--revocation is files"));
            }
            _ => {}
        }
        let online = self.revocation == Some(How::Online);
        Ok(RevocationSource {
            crls: self.lists()?,
            fetcher: online.then(|| RevocationFetcher::new(&HttpOptions::default())),
            progress: None,
            allow_unknown: self.allow_unknown_revocation,
        })
    }

    /// The lists of --crl, read while others work: what may never end is refused.
    pub(crate) fn lists_again(&self) -> Result<Vec<Crl>, CliError> {
        let mut files = self.crls.iter();
        files.try_for_each(|path| check_regular(path).map_err(of_option("--crl")))?;
        self.lists()
    }

    fn lists(&self) -> Result<Vec<Crl>, CliError> {
        let lists = self.crls.iter();
        let lists = lists.map(|path| Crl::from_file(path).map_err(of_option("--crl")));
        Ok(lists.collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// One of the options that was given, if one was.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let crl = (!self.crls.is_empty()).then_some("--crl");
        let how = crl.or_else(|| self.revocation.map(|_| "--revocation"));
        how.or_else(|| {
            self.allow_unknown_revocation
                .then_some("--allow-unknown-revocation")
        })
    }

    /// Whether somebody said that it does not matter.
    pub(crate) fn is_off(&self) -> bool {
        self.revocation == Some(How::Off)
    }
}

impl RevocationSource {
    /// The same, which shows a person on a terminal which server it asks.
    pub(crate) fn watched(mut self) -> Self {
        let Some(fetcher) = self.fetcher.take() else {
            return self;
        };
        let progress = Progress::new();
        progress.step("about revocation");
        self.fetcher = Some(match progress.watcher() {
            Some(watcher) => fetcher.watched_by(watcher),
            None => fetcher,
        });
        self.progress = Some(progress);
        self
    }

    pub(crate) fn options(&self) -> RevocationOptions<'_> {
        let mut options = RevocationOptions::files(&self.crls);
        options.fetch = self.fetcher.as_ref().map(|fetcher| fetcher as _);
        options.allow_unknown = self.allow_unknown;
        options
    }

    /// The same for a receiver, which owns it.
    pub(crate) fn into_owned(self) -> Revocation {
        let revocation = Revocation::by_lists(self.crls).allow_unknown(self.allow_unknown);
        match self.fetcher {
            Some(fetcher) => revocation.online(fetcher),
            None => revocation,
        }
    }

    /// Whether revocation was asked for, and unknown is not accepted.
    pub(crate) fn must_be_known(&self) -> bool {
        self.options().is_asked() && !self.allow_unknown
    }

    /// Nobody is asked any more. Says which servers gave nothing.
    pub(crate) fn warn(&self) {
        self.progress.iter().for_each(Progress::finish);
        for fault in self.fetcher.iter().flat_map(RevocationFetcher::take_faults) {
            say!("warning: revocation: {fault}");
        }
    }
}
