//! Structs of options, declared once.

/// Declares a struct of options: each field with its default, and a function of its name that sets it.
#[macro_export]
macro_rules! options {
    ($(#[$about:meta])* pub struct $options:ident {
        $($(#[$doc:meta])* $field:ident: $type:ty = $default:expr,)*
    }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $options {
            $($(#[$doc])* pub $field: $type,)*
        }

        impl Default for $options {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $options {
            $($(#[$doc])* #[must_use] pub const fn $field(self, $field: $type) -> Self {
                Self { $field, ..self }
            })*
        }
    };
}
