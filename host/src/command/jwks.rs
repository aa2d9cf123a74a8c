//! `privyseal jwks`: the public half of keys, for publication.

use clap::Args;
use privyseal::Error;
use privyseal::jwks::JwkSet;
use privyseal::kid_form::{KidChoice, KidForm};

use super::options::{LoginOptions, kid_form_parser};
use super::output::print_json;

/// Print the public keys of one or more keys as a JWK Set
#[derive(Args)]
pub(super) struct Jwks {
    // Not parsed by clap, whose messages repeat a value that is wrong, a PIN included.
    /// A key: a URI such as pkcs11:token=T;object=K?module-path=M&pin-source=file:F
    #[arg(long = "key", value_name = "URI", required = true, num_args = 1..)]
    keys: Vec<String>,
    #[command(flatten)]
    login: LoginOptions,
    /// The kid of a key; once for each key, in their order
    #[arg(long = "kid", value_name = "TEXT")]
    kids: Vec<String>,
    /// How the kids are computed from the keys; by default rfc7638
    #[arg(long, value_name = "FORM", value_parser = kid_form_parser(), conflicts_with = "kids")]
    kid_form: Option<KidForm>,
    /// Add the certificates that the token has for each key
    #[arg(long)]
    x5c: bool,
}

impl Jwks {
    pub(super) fn run(self) -> Result<(), Error> {
        let kids = self.kids()?;
        let uris: Vec<_> = self
            .keys
            .iter()
            .map(|key| key.parse())
            .collect::<Result<_, _>>()?;
        let mut set = JwkSet::default();
        for (uri, kid) in uris.iter().zip(kids) {
            let key = self.login.open_any(uri)?;
            let chain = if self.x5c {
                Some(key.certificates()?)
            } else {
                None
            };
            set.add(key.public_key(), &kid, chain.as_ref())?;
        }
        print_json(&set.to_json())
    }

    fn kids(&self) -> Result<Vec<KidChoice>, Error> {
        if self.kids.is_empty() {
            let computed = KidChoice::Computed(self.kid_form.unwrap_or_default());
            return Ok(vec![computed; self.keys.len()]);
        }
        if self.kids.len() != self.keys.len() {
            let (kids, keys) = (self.kids.len(), self.keys.len());
            let reason = format!("is there {kids} times, and --key {keys} times");
            return Err(Error::Option {
                option: "--kid",
                reason,
            });
        }
        Ok(self.kids.iter().cloned().map(KidChoice::Given).collect())
    }
}
