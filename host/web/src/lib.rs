#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use std::cell::RefCell;

use privyseal::base::BaseError;
use privyseal::base::file::MAX_FILE;
use privyseal::jose::jwk::KeySet;
use privyseal::pki::certificates::{Certificates, ChainOptions};
use privyseal::pki::crl::{self, Crl};
use privyseal::pki::revocation::RevocationOptions;
use privyseal::report::html::{HtmlReport, TokenContent};
use privyseal::report::{
    ChainCheckOptions, ChainReport, RequestReport, TokenCheckOptions, TokenReport,
};
use privyseal::schemes::own;
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
    inputs: Vec<Vec<u8>>,
}

thread_local! {
    /// The revocation lists of this question and the one before: large ones are not read for each character that is typed.
    static READ: RefCell<Vec<ReadLists>> = const { RefCell::new(Vec::new()) };
}

struct ReadLists {
    file: Vec<u8>,
    lists: Vec<Crl>,
    is_used: bool,
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
        READ.with_borrow_mut(|read| read.retain_mut(|it| core::mem::take(&mut it.is_used)));
        Ok(Self {
            now: UnixTime::from_secs(now).map_err(|error| error.to_string())?,
            scheme: None,
            audience: None,
            trust: None,
            keys: None,
            lists: Vec::new(),
            inputs: Vec::new(),
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

    /// By the rules of a scheme of one's own, as a table `[scheme.NAME]` of TOML says them.
    ///
    /// # Errors
    ///
    /// A sentence if there is not one such table, or if it is out of bounds.
    pub fn own(&mut self, file: &[u8]) -> Result<(), String> {
        bounded(file, MAX_FILE)?;
        let text = core::str::from_utf8(file).map_err(|error| error.to_string())?;
        let own = own::from_toml(text).map_err(|error| error.to_string())?;
        let [scheme] = own[..] else {
            return Err(format!(
                "{} tables [scheme.NAME], and one is meant",
                own.len()
            ));
        };
        if self.scheme.replace(scheme).is_some() {
            return Err("another scheme is chosen, too".to_owned());
        }
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

    /// By these trusted certificates, PEM or DER, beside those of earlier calls.
    ///
    /// # Errors
    ///
    /// A sentence if they cannot be read.
    pub fn trust(&mut self, file: &[u8]) -> Result<(), String> {
        bounded(file, MAX_FILE)?;
        let more = Certificates::from_bytes(file).map_err(|error| error.to_string())?;
        let all = self
            .trust
            .iter()
            .flat_map(Certificates::iter)
            .chain(more.iter());
        self.trust = Some(all.map(<[u8]>::to_vec).collect::<Vec<_>>().into());
        Ok(())
    }

    /// By this JWK Set.
    ///
    /// # Errors
    ///
    /// A sentence if it cannot be read.
    pub fn keys(&mut self, file: &[u8]) -> Result<(), String> {
        bounded(file, MAX_FILE)?;
        let keys = KeySet::from_bytes(file).map_err(|error| error.to_string())?;
        match self.keys.replace(keys) {
            Some(_) => Err("one JWK Set is meant, and several are given".to_owned()),
            None => Ok(()),
        }
    }

    /// By these revocation lists, PEM or DER, beside those of earlier calls.
    ///
    /// # Errors
    ///
    /// A sentence if they cannot be read.
    pub fn lists(&mut self, file: &[u8]) -> Result<(), String> {
        bounded(file, crl::MAX_FILE)?;
        READ.with_borrow_mut(|read| {
            let known = read.iter_mut().find(|it| it.file == file);
            if let Some(known) = known {
                known.is_used = true;
                self.lists.extend_from_slice(&known.lists);
                return Ok(());
            }
            let lists = Crl::from_bytes(file).map_err(|error| error.to_string())?;
            self.lists.extend_from_slice(&lists);
            read.push(ReadLists {
                file: file.to_vec(),
                lists,
                is_used: true,
            });
            Ok(())
        })
    }

    /// Takes what is to be explained; certificates may come in several files.
    ///
    /// # Errors
    ///
    /// A sentence if it is too large to be any of that.
    pub fn input(&mut self, file: Vec<u8>) -> Result<(), String> {
        bounded(&file, MAX_FILE)?;
        self.inputs.push(file);
        Ok(())
    }

    /// Explains a token (a compact JWS, or what it was sent in), certificates (PEM, DER or PKCS #7), or a certification
    /// request (PEM or DER).
    ///
    /// # Errors
    ///
    /// A sentence if the input is nothing of that.
    pub fn explain(&self) -> Result<Explanation, String> {
        let [input] = &self.inputs[..] else {
            return self.chain();
        };
        let is_token = |word| TokenContent::read(word).is_token();
        let text = core::str::from_utf8(input).ok();
        if let Some(fault) = text.and_then(misplaced) {
            return Err(fault.to_owned());
        }
        match text {
            Some(text) if !text.contains("-----BEGIN") => self.token(text),
            Some(text) if text.split_whitespace().any(is_token) => {
                let fault =
                    "there are a token and certificates: one of them is explained at a time";
                Err(fault.to_owned())
            }
            _ => {
                match RequestReport::read(input, self.scheme).map_err(|error| error.to_string())? {
                    Some(report) => Ok(Explanation {
                        html: report.to_html(),
                        json: format!("{:#}\n", report.to_json()),
                        headline: report.headline(),
                    }),
                    None => self.chain(),
                }
            }
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
        let report = TokenReport::of_pasted(token, options);
        Ok(Explanation {
            html: report.to_html(&TokenContent::read(token)),
            json: format!("{:#}\n", report.to_json()),
            headline: report.headline(),
        })
    }

    fn chain(&self) -> Result<Explanation, String> {
        let mut ders = Vec::new();
        for (position, file) in self.inputs.iter().enumerate() {
            let read = Certificates::from_bytes(file).map_err(|error| match self.inputs.len() {
                1 => error.to_string(),
                _ => format!(
                    "file {}: {error}; several files must all hold certificates, and a token is given alone",
                    position.saturating_add(1)
                ),
            })?;
            ders.extend(read.iter().map(<[u8]>::to_vec));
        }
        let certificates = Certificates::from(ders);
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

/// The most bytes of a file that any field takes.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn max_file() -> usize {
    crl::MAX_FILE
}

/// Why PEM of these kinds cannot be explained, or not together.
fn misplaced(text: &str) -> Option<&'static str> {
    let count = |label: &str| text.matches(&format!("{label}-----")).count() / 2;
    let requests = count("CERTIFICATE REQUEST");
    match () {
        () if requests > 0 && count("PRIVATE KEY") > 0 => Some(
            "there is a private key beside the certification request: give the request alone, and the key to nobody",
        ),
        () if requests > 1 => {
            Some("there are several certification requests: one is explained at a time")
        }
        () if requests > 0 && count("CERTIFICATE") > 0 => Some(
            "there are a certification request and certificates: one of them is explained at a time",
        ),
        () if count("X509 CRL") > 0 && requests + count("CERTIFICATE") == 0 => Some(
            "this is a revocation list: it has a field of its own, and what is explained is the chain that it is about",
        ),
        () => None,
    }
}

/// As the command bounds the files that it reads.
fn bounded(file: &[u8], max: usize) -> Result<(), String> {
    let path = "what is given".into();
    let too_large = (file.len() > max).then_some(BaseError::TooLarge { path, max });
    too_large.map_or(Ok(()), |error| Err(error.to_string()))
}

/// The schemes: on each line a name, a tab, and a title.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn schemes() -> String {
    let lines = scheme::ALL.iter();
    let lines = lines.map(|scheme| format!("{}\t{}", scheme.name(), scheme.title()));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_once_for_questions_that_follow_each_other() {
        let list = include_bytes!("../../../host-tests/fuzz/seeds/files/list");
        let asked = |files: &[&[u8]]| {
            let mut question = Question::new(0).unwrap();
            for file in files {
                question.lists(file).unwrap();
            }
            let places: Vec<_> =
                READ.with_borrow(|read| read.iter().map(|it| it.file.as_ptr()).collect());
            (question.lists.len(), places)
        };
        let (count, first) = asked(&[list]);
        assert_eq!((count, first.len()), (1, 1));
        assert_eq!(asked(&[list]), (1, first.clone()));
        assert_eq!(asked(&[list, list]), (2, first.clone()));
        // As long as the one before has it.
        assert_eq!(asked(&[]), (0, first));
        assert_eq!(asked(&[]), (0, vec![]));
    }

    #[test]
    fn pem_in_the_wrong_place_is_named() {
        let block = |label: &str| format!("-----BEGIN {label}-----\nMAA=\n-----END {label}-----\n");
        let request = block("CERTIFICATE REQUEST");
        for (text, said) in [
            (request.clone() + &block("PRIVATE KEY"), "private key"),
            (
                block("RSA PRIVATE KEY") + &block("NEW CERTIFICATE REQUEST"),
                "private key",
            ),
            (request.clone() + &request, "several certification requests"),
            (
                request + &block("CERTIFICATE"),
                "a certification request and certificates",
            ),
            (block("X509 CRL"), "a field of its own"),
        ] {
            let mut question = Question::new(0).unwrap();
            question.input(text.into_bytes()).unwrap();
            let fault = question.explain().unwrap_err();
            assert!(fault.contains(said), "{fault}");
        }
    }

    #[test]
    fn what_is_larger_than_the_command_reads_is_refused() {
        let mut question = Question::new(0).unwrap();
        let mut file = vec![b' '; MAX_FILE];
        question.input(file.clone()).unwrap();
        file.push(b' ');
        for said in [
            question.input(file.clone()),
            question.trust(&file),
            question.keys(&file),
            question.own(&file),
        ] {
            assert!(said.unwrap_err().contains("larger than 1048576 bytes"));
        }
    }
}
