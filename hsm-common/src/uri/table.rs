//! A scheme's attributes as one table, from which its type is made.

/// Declares the attributes of a scheme as constants, and the [`Grammar`](crate::uri::Grammar) that has them,
/// in the order in which they are named to people.
#[macro_export]
macro_rules! key_uri_grammar {
    ($grammar:ident = $path:ident($scheme:literal, $max_len:expr);
     $($attribute:ident = $place:ident $name:literal;)*) => {
        $(const $attribute: $crate::uri::Attribute =
            $crate::uri::Attribute::new($name, $crate::uri::Place::$place);)*
        static $grammar: $crate::uri::Grammar = $crate::uri::Grammar::new(
            $scheme,
            $max_len,
            $crate::uri::PathForm::$path,
            &[$($attribute),*],
        );
    };
}

/// Declares the type of a scheme's URIs, a field for each attribute: the constant, the field, its kind, where it may
/// stand, its name, and what reads the value. One with documentation has an accessor, too. They are printed in this order.
///
/// Kinds: `text`, `bytes`, `secret` (never printed), or a type in parentheses whose `Display` needs no escapes. The type
/// has a private `read`, for its `FromStr`.
#[macro_export]
macro_rules! key_uri {
    ($(#[$about:meta])* pub struct $uri:ident: $grammar:ident = $path:ident($scheme:literal, $max_len:expr);
     $($($(#[$doc:meta])+)? $attribute:ident $field:ident: $kind:tt = $place:ident $name:literal, $read:expr;)*) => {
        $crate::key_uri_grammar! { $grammar = $path($scheme, $max_len); $($attribute = $place $name;)* }

        $(#[$about])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $uri {
            $(pub(crate) $field: Option<$crate::key_uri!(@type $kind)>,)*
        }

        impl $uri {
            fn read(given: &$crate::uri::Given<'_>) -> Result<Self, $crate::uri::UriError> {
                Ok(Self { $($field: given.read($attribute, $read)?,)* })
            }

            $($($crate::key_uri! { @accessor [$(#[$doc])+] $field $kind })?)*
        }

        /// Ready to paste, without a secret.
        impl ::core::fmt::Display for $uri {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                let mut out = $crate::uri::UriWriter::new(&$grammar, "");
                $($crate::key_uri!(@write out, $attribute, self.$field, $kind);)*
                f.write_str(out.as_str())
            }
        }
    };
    (@type text) => { String };
    (@type bytes) => { Vec<u8> };
    (@type secret) => { $crate::Secret };
    (@type ($plain:ty)) => { $plain };
    (@accessor [$($doc:tt)+] $field:ident text) => {
        $($doc)+ pub fn $field(&self) -> Option<&str> { self.$field.as_deref() }
    };
    (@accessor [$($doc:tt)+] $field:ident bytes) => {
        $($doc)+ pub fn $field(&self) -> Option<&[u8]> { self.$field.as_deref() }
    };
    (@accessor [$($doc:tt)+] $field:ident secret) => {
        $($doc)+ pub const fn $field(&self) -> Option<&$crate::Secret> { self.$field.as_ref() }
    };
    (@accessor [$($doc:tt)+] $field:ident ($plain:ty)) => {
        $($doc)+ pub const fn $field(&self) -> Option<$plain> { self.$field }
    };
    (@write $out:ident, $attribute:ident, $value:expr, text) => { $out.text($attribute, $value.as_deref()) };
    (@write $out:ident, $attribute:ident, $value:expr, bytes) => { $out.bytes($attribute, $value.as_deref()) };
    (@write $out:ident, $attribute:ident, $value:expr, secret) => {};
    (@write $out:ident, $attribute:ident, $value:expr, $plain:tt) => { $out.plain($attribute, $value.as_ref()) };
}
