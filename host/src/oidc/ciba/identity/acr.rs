//! How the person proved who they are, where that was asked for.

use privyseal_core::payload::AcrValues;
use serde_json::{Map, Value};

use super::broken;
use crate::base::display::sanitize_for_display;
use crate::jose::JoseError;
use crate::oauth::AuthenticationOptions;

const ACR: &str = "acr";

/// What was asked for. By default nothing was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AskedAcr {
    /// `acr_values` of the request.
    pub value: Option<AcrValues>,
    /// The claim `acr` was asked for, too: then it must be in the id_token.
    pub must_be_said: bool,
}

impl AskedAcr {
    /// What a request asks for.
    pub fn of(asked: &AuthenticationOptions) -> Self {
        Self {
            value: asked.acr_values,
            must_be_said: asked.id_token_claims.iter().any(|name| name == ACR),
        }
    }

    /// Judges the claims of an id_token (OpenID Connect Core section 3.1.3.7, point 12). For itsme, basic is
    /// "either fingerprint usage or itsme code" and advanced is the code: who asked for basic has it with
    /// advanced, not the other way round.
    pub(super) fn judge(self, claims: &Map<String, Value>) -> Result<(), JoseError> {
        const SOURCE: &str = "OpenID Connect Core section 3.1.3.7, point 12";
        let Some(asked) = self.value else {
            return Ok(());
        };
        let wanted = asked.as_str();
        let good = |acr: &Value| match asked {
            AcrValues::Basic => acr == wanted || acr == AcrValues::Advanced.as_str(),
            AcrValues::Advanced => acr == wanted,
        };
        match claims.get(ACR) {
            Some(acr) if good(acr) => Ok(()),
            Some(acr) => {
                let acr = sanitize_for_display(acr.as_str().unwrap_or("no string"), None);
                let what = format!("is {acr}, and {wanted} was asked for ({SOURCE})");
                Err(broken(ACR, &what))
            }
            None if self.must_be_said => {
                let what = format!("is missing, and {wanted} was asked for ({SOURCE})");
                Err(broken(ACR, &what))
            }
            None => Ok(()),
        }
    }
}
