//! What is declared once and written out by the compiler: structs of options, errors that become others by way of a third.

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

/// Functions of a builder, each of which sets the field of its name.
#[macro_export]
macro_rules! setters {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $value:expr;)+) => {
        $($(#[$doc])* #[must_use] pub fn $field(mut self, $field: $type) -> Self {
            self.$field = $value;
            self
        })+
    };
}

/// Errors that become another by way of a third, which it has from them already.
#[macro_export]
macro_rules! by_way {
    ($($way:ty => $error:ty: $($from:ty),+;)+) => {$($(
        impl From<$from> for $error {
            fn from(error: $from) -> Self {
                <$way>::from(error).into()
            }
        }
    )+)+};
}
