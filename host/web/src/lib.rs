#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::missing_errors_doc,
    unnameable_types
)]

use privyseal::jose::jwk::KeySet;
use privyseal::pki::certificates::{Certificates, ChainOptions};
use privyseal::pki::crl::Crl;
use privyseal::pki::revocation::RevocationOptions;
use privyseal::report::html::{HtmlReport, TokenContent};
use privyseal::report::{
    ChainCheckOptions, ChainReport, RequestReport, TokenCheckOptions, TokenReport,
};
use privyseal::{Scheme, SchemeRules, UnixTime};
use privyseal_core::{Audience, scheme};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen::prelude::wasm_bindgen;

/// What is to be explained, and by what it is judged. What is not set is not judged by.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
#[derive(Debug)]
pub struct Question {
    now: UnixTime,
    scheme: Option<&'static SchemeRules>,
    audience: Option<String>,
    trust: Option<Certificates>,
    keys: Option<KeySet>,
    lists: Vec<Crl>,
}

/// An explanation: to be shown, and to be saved.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
#[derive(Debug)]
pub struct Explanation {
    html: HtmlReport,
    json: String,
    headline: String,
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
impl Question {
    /// At `now`, in seconds since 1970.
    ///
    /// # Errors
    ///
    /// A sentence if no date has that many seconds.
    #[cfg_attr(target_arch = "wasm32", wasm_bindgen(constructor))]
    pub fn new(now: u64) -> Result<Self, String> {
        Ok(Self {
            now: UnixTime::from_secs(now).map_err(|error| error.to_string())?,
            scheme: None,
            audience: None,
            trust: None,
            keys: None,
            lists: Vec::new(),
        })
    }

    /// By the rules of the scheme of that name; by default of the one that the content points at.
    ///
    /// # Errors
    ///
    /// A sentence if there is none.
    pub fn scheme(&mut self, name: &str) -> Result<(), String> {
        let scheme = Scheme::by_name(name).map(Scheme::rules);
        self.scheme = Some(scheme.ok_or_else(|| format!("there is no scheme {name:?}"))?);
        Ok(())
    }

    /// For the receiver of that id or URL.
    ///
    /// # Errors
    ///
    /// A sentence if it can be none.
    pub fn audience(&mut self, audience: &str) -> Result<(), String> {
        Audience::new(audience).map_err(|error| error.to_string())?;
        self.audience = Some(audience.to_owned());
        Ok(())
    }

    /// By these trusted certificates, PEM or DER.
    ///
    /// # Errors
    ///
    /// A sentence if they cannot be read.
    pub fn trust(&mut self, file: &[u8]) -> Result<(), String> {
        let trust = Certificates::from_bytes(file).map_err(|error| error.to_string())?;
        self.trust = Some(trust);
        Ok(())
    }

    /// By this JWK Set.
    ///
    /// # Errors
    ///
    /// A sentence if it cannot be read.
    pub fn keys(&mut self, file: &[u8]) -> Result<(), String> {
        self.keys = Some(KeySet::from_bytes(file).map_err(|error| error.to_string())?);
        Ok(())
    }

    /// By these revocation lists, PEM or DER.
    ///
    /// # Errors
    ///
    /// A sentence if they cannot be read.
    pub fn lists(&mut self, file: &[u8]) -> Result<(), String> {
        self.lists = Crl::from_bytes(file).map_err(|error| error.to_string())?;
        Ok(())
    }

    /// Explains a token (a compact JWS), certificates (PEM, DER or PKCS #7), or a certification request (PEM or DER).
    ///
    /// # Errors
    ///
    /// A sentence if the input is nothing of that.
    pub fn explain(&self, input: &[u8]) -> Result<Explanation, String> {
        match core::str::from_utf8(input) {
            Ok(text) if !text.contains("-----BEGIN") && !text.starts_with('0') => self.token(text),
            _ => match RequestReport::read(input).map_err(|error| error.to_string())? {
                Some(report) => Ok(Explanation {
                    html: report.to_html(),
                    json: format!("{:#}\n", report.to_json()),
                    headline: report.headline(),
                }),
                None => self.chain(input),
            },
        }
    }

    fn token(&self, token: &str) -> Result<Explanation, String> {
        let audience = self.audience.as_deref().map(Audience::new).transpose();
        let mut options = TokenCheckOptions::at(self.now);
        options.scheme = self.scheme;
        options.audience = audience.map_err(|error| error.to_string())?;
        options.keys = self.keys.as_ref();
        options.trust = self.trust.as_ref();
        options.revocation = RevocationOptions::files(&self.lists);
        let report = TokenReport::new(token, options);
        Ok(Explanation {
            html: report.to_html(&TokenContent::read(token)),
            json: format!("{:#}\n", report.to_json()),
            headline: report.headline(),
        })
    }

    fn chain(&self, file: &[u8]) -> Result<Explanation, String> {
        let certificates = Certificates::from_bytes(file).map_err(|error| error.to_string())?;
        let mut wanted = ChainOptions::at(self.now);
        wanted.scheme = self.scheme;
        let chain = certificates.chain_for(&wanted);
        let chain = chain.map_err(|error| error.to_string())?;
        let mut options = ChainCheckOptions::at(self.now);
        options.scheme = self.scheme;
        options.given = Some(&certificates);
        options.trust = self.trust.as_ref();
        options.revocation = RevocationOptions::files(&self.lists);
        let report = ChainReport::new(&chain, options);
        Ok(Explanation {
            html: report.to_html(),
            json: format!("{:#}\n", report.to_json()),
            headline: report.headline(),
        })
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
impl Explanation {
    /// In one line.
    pub fn headline(&self) -> String {
        self.headline.clone()
    }

    /// HTML to be shown below a heading of the first level. All that comes from the input is escaped.
    pub fn fragment(&self) -> String {
        self.html.to_fragment()
    }

    /// A file of its own: what `privyseal check --html` and `privyseal chain --html` write.
    pub fn document(&self) -> String {
        self.html.to_document()
    }

    /// What `privyseal check --json` and `privyseal chain --json` print.
    pub fn json(&self) -> String {
        self.json.clone()
    }
}

/// The schemes: on each line a name, a tab, and a title.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn schemes() -> String {
    let lines = scheme::ALL.iter();
    let lines = lines.map(|scheme| format!("{}\t{}", scheme.name(), scheme.title()));
    lines.collect::<Vec<_>>().join("\n")
}
