//! `privyseal jwks`: the public half of keys, for publication, and whether that was published.

use clap::Args;
use privyseal::SchemeRules;
use privyseal::http::Url;
use privyseal::jose::jwk::{JwkSetBuilder, KidChoice, KidForm};
use privyseal::keys::key::KeyUri;
use privyseal::report::{PublishedKeys, Report};
use privyseal_core::{KeyEncryption, Unwrapper as _};
use serde_json::{Value, json};

use super::options::{AccessOptions, ServerOptions, named, scheme_parser};
use super::output::{broken, print_json, print_report};
use crate::error::CliError;

/// Print the public keys of one or more keys as a JWK Set, or see whether they are published
#[derive(Args)]
pub(super) struct Jwks {
    // Not parsed by clap, whose messages repeat a value that is wrong, a PIN included.
    /// A key: a URI such as pkcs11:token=T;object=K?module-path=M&pin-source=file:F
    #[arg(long = "key", value_name = "URI", required = true, num_args = 1..)]
    keys: Vec<String>,
    /// A key to which others encrypt, published with use enc; may be given more than once
    #[arg(long = "encryption-key", value_name = "URI")]
    encryption_keys: Vec<String>,
    /// The only algorithm that those are for; by default any
    #[arg(long, value_name = "ALG", value_parser = named(KeyEncryption::ALL.map(KeyEncryption::name), KeyEncryption::by_name),
          requires = "encryption_keys")]
    encryption_alg: Option<KeyEncryption>,
    #[command(flatten)]
    access: AccessOptions,
    /// The kid of a key; once for each key, in their order, those for encryption last
    #[arg(long = "kid", value_name = "TEXT", allow_hyphen_values = true)]
    kids: Vec<String>,
    /// How the kids are computed from the keys; by default rfc7638
    #[arg(long, value_name = "FORM", value_parser = named(KidForm::ALL.map(KidForm::name), KidForm::by_name), conflicts_with = "kids")]
    kid_form: Option<KidForm>,
    /// Add the certificates that the token has for each key
    #[arg(long)]
    x5c: bool,
    /// Print nothing, and judge what is published there: these keys, how long it may be kept, and the server's
    /// certificate
    #[arg(long, value_name = "URL")]
    verify: Option<String>,
    #[command(flatten)]
    published: PublishedArgs,
}

/// How a published set is judged.
#[derive(Args)]
pub(super) struct PublishedArgs {
    /// Whose rules apply to the server's certificate: itsme wants one that names an organization (OV or EV)
    #[arg(long, value_name = "SCHEME", value_parser = scheme_parser())]
    scheme: Option<&'static SchemeRules>,
    /// Report as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerOptions,
}

impl PublishedArgs {
    /// Judges what is published at `url`.
    pub(super) fn judge(
        &self,
        url: &str,
        expected: &Value,
        gone: impl Fn(&str) -> bool,
        waited: Option<u64>,
    ) -> Result<Report, CliError> {
        let url: Url = url.parse()?;
        let (http, progress) = self.server.watched_http()?;
        let published = PublishedKeys::fetch(&http, &url)?;
        progress.finish();
        let requests = self.scheme.and_then(SchemeRules::request_object);
        let validated = requests.is_some();
        Ok(published.report(expected, gone, waited, validated))
    }

    /// Prints it.
    pub(super) fn give(&self, report: &Report, json: Value) -> Result<(), CliError> {
        print_report(report, self.json.then_some(json))?;
        broken(report.broken())
    }
}

impl Jwks {
    pub(super) fn run(self) -> Result<(), CliError> {
        let mut kids = self.kids()?;
        let encryption_kids = kids.split_off(self.keys.len());
        let uris: Result<Vec<KeyUri>, _> = self.keys.iter().map(|key| key.parse()).collect();
        let mut set = JwkSetBuilder::default();
        for (uri, kid) in uris?.iter().zip(kids) {
            let key = self.access.open_any(uri)?;
            let chain = self.x5c.then(|| key.certificates()).transpose()?;
            set.add(key.public_key(), &kid, chain.as_ref())?;
        }
        for (key, kid) in self.encryption_keys.iter().zip(encryption_kids) {
            let uri: KeyUri = key.parse()?;
            let unwrapper = self.access.open_unwrapper(&uri)?;
            set.add_encryption(unwrapper.public_key(), &kid, self.encryption_alg)?;
        }
        match &self.verify {
            Some(url) => {
                let report = self.published.judge(url, &set.to_json(), |_| false, None)?;
                self.published.give(&report, json!({ "findings": &report }))
            }
            None => print_json(&set.to_json()),
        }
    }

    fn kids(&self) -> Result<Vec<KidChoice>, CliError> {
        let count = self.keys.len() + self.encryption_keys.len();
        if self.kids.is_empty() {
            let computed = KidChoice::Computed(self.kid_form.unwrap_or_default());
            return Ok(vec![computed; count]);
        }
        if self.kids.len() != count {
            let kids = self.kids.len();
            let reason = format!("is there {kids} times, and there are {count} keys");
            return Err(CliError::option("--kid", reason));
        }
        Ok(self.kids.iter().cloned().map(KidChoice::Given).collect())
    }
}
