//! What a scheme says about what is given: a client id, an audience, a leaf.

use der::asn1::ObjectIdentifier;

use super::{Endpoint, Rule, Scheme, SchemeRules};
use crate::cert::{Certificate, ChainError, KeyUsages};
use crate::field::{Fault, Field, FieldError};
use crate::id::{Audience, ClientId, IdSyntax};

impl SchemeRules {
    /// The scheme that this software knows and that has these rules; `None` for a user's own.
    pub fn built_in(&self) -> Option<&'static Scheme> {
        Scheme::by_name(self.name).filter(|scheme| scheme.rules == *self)
    }

    /// The endpoint of that name, if the scheme's audience depends on one.
    pub fn endpoint(&self, name: &str) -> Option<&'static Endpoint> {
        self.audience
            .value
            .endpoints
            .iter()
            .find(|endpoint| endpoint.name == name)
    }

    /// Checks a client id against the scheme's syntaxes.
    ///
    /// # Errors
    /// [`Field::ClientId`], of another syntax than the scheme's.
    pub fn check_client_id(&self, client_id: &ClientId) -> Result<(), FieldError> {
        let rule = self.client_id;
        IdSyntax::check(rule.value, Field::ClientId, client_id, rule.source)
    }

    /// The client id that follows from a leaf certificate. None where the scheme derives none, or the leaf
    /// does not have what it is derived from.
    pub fn client_id_of_leaf(&self, leaf: &Certificate<'_>) -> Option<ClientId> {
        self.client_id_in_leaf?;
        ClientId::did_ishare(leaf)
    }

    /// Checks that a leaf has one of the key usages that the scheme accepts. An absent extension allows
    /// every usage (RFC 5280 section 4.2.1.3), but an eSeal says what it is.
    ///
    /// # Errors
    /// [`ChainError::LeafKeyUsage`].
    pub fn check_leaf_key_usage(&self, leaf: Option<&Certificate<'_>>) -> Result<(), ChainError> {
        let usages = leaf.and_then(Certificate::key_usages);
        self.check_key_usages(usages.unwrap_or_default())
    }

    /// The same, of the key usages that a leaf has or is to have.
    ///
    /// # Errors
    /// [`ChainError::LeafKeyUsage`].
    pub fn check_key_usages(&self, usages: KeyUsages) -> Result<(), ChainError> {
        let Rule { value, source } = self.leaf_key_usage;
        match value.first() {
            Some(&wanted) if !value.iter().any(|&usage| usages.has(usage)) => {
                Err(ChainError::LeafKeyUsage {
                    wanted,
                    rule: source,
                })
            }
            _ => Ok(()),
        }
    }

    /// Checks that a leaf may be used for what the scheme signs with it: both key usages, where both are there, must
    /// allow it (RFC 5280 section 4.2.1.12).
    ///
    /// # Errors
    /// [`ChainError::LeafPurpose`].
    pub fn check_leaf_purpose(&self, leaf: Option<&Certificate<'_>>) -> Result<(), ChainError> {
        let purposes = leaf.into_iter().flat_map(Certificate::extended_key_usages);
        self.check_purposes(purposes)
    }

    /// The same, of the purposes that a leaf has or is to have.
    ///
    /// # Errors
    /// [`ChainError::LeafPurpose`].
    pub fn check_purposes(
        &self,
        purposes: impl IntoIterator<Item = ObjectIdentifier>,
    ) -> Result<(), ChainError> {
        let Rule { value, source } = self.leaf_purposes;
        let mut purposes = purposes.into_iter().peekable();
        let is_limited = !value.is_empty() && purposes.peek().is_some();
        if is_limited && !purposes.any(|purpose| value.contains(&purpose)) {
            return Err(ChainError::LeafPurpose { rule: source });
        }
        Ok(())
    }

    /// Whether a client id names the organisation that the leaf names, or None where the scheme does not
    /// ask, or the id's form is not found in certificates (an EORI).
    pub fn is_client_id_in_leaf(
        &self,
        client_id: &ClientId,
        leaf: &Certificate<'_>,
    ) -> Option<bool> {
        self.client_id_in_leaf?;
        let named = client_id.did_ishare_organization()?;
        Some(leaf.subject().organization_identifier() == Some(named))
    }

    /// The audience that is meant: the given one, checked, or the scheme's default.
    ///
    /// # Errors
    /// [`Field::Audience`], missing where the scheme has no default, or of another syntax than the
    /// scheme's.
    pub fn choose_audience<'a>(
        &self,
        given: Option<Audience<'a>>,
    ) -> Result<Audience<'a>, FieldError> {
        let Rule {
            value: rule,
            source,
        } = self.audience;
        let audience = match (given, rule.default) {
            (Some(audience), _) => audience,
            (None, Some(default)) => Audience::new(default)?,
            (None, None) => {
                return Err(FieldError::new(Field::Audience, Fault::Missing, source));
            }
        };
        IdSyntax::check(rule.syntax, Field::Audience, audience.as_str(), source)?;
        if rule.only_default && rule.default != Some(audience.as_str()) {
            return Err(Field::Audience.is_not("the only one that the scheme has", source));
        }
        Ok(audience)
    }
}
