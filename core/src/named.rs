//! What is written once for many types: enums whose values have names, checked texts, and `Debug` that shows nothing.

/// An enum without data, with a name for each value in the list of its values: `ALL`, `name`, `by_name` and
/// `Display`.
#[doc(hidden)]
#[macro_export]
macro_rules! named {
    ($(#[$meta:meta])* pub enum $enum:ident {
        $($(#[$doc:meta])* $value:ident = $name:literal,)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $enum {
            $($(#[$doc])* $value,)+
        }

        impl $enum {
            /// Every value, in the order of declaration.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$value),+];

            /// Its name in texts: of protocols where they have one, and for people.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)+
                }
            }

            /// The value of that name. Names are case-sensitive.
            pub fn by_name(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|value| value.name() == name)
            }
        }

        impl ::core::fmt::Display for $enum {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

/// A borrowed text of printable ASCII, checked when it is made: the name of its type, its field, its maximum and the
/// source of the rule.
macro_rules! checked_text {
    ($(#[$meta:meta])* pub struct $name:ident: $field:ident, at most $max:ident, $source:literal;) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name<'a>(&'a str);

        impl<'a> $name<'a> {
            /// A text of the caller's choice.
            ///
            /// # Errors
            #[doc = concat!("[`Field::", stringify!($field), "`](crate::field::Field::", stringify!($field),
                "): empty, longer than [`", stringify!($max), "`], or not printable ASCII.")]
            pub fn new(text: &'a str) -> Result<Self, $crate::field::FieldError> {
                use $crate::field::{Field, check_text, is_graphic};
                check_text(Field::$field, text, $max, is_graphic, $source)?;
                Ok(Self(text))
            }

            /// The text.
            pub const fn as_str(self) -> &'a str {
                self.0
            }
        }
    };
}

/// `Debug` for types that hold what no log may have: the name, and of the members those that are named here, or what is
/// made of them.
#[doc(hidden)]
#[macro_export]
macro_rules! opaque_debug {
    (@ $self:ident, $f:ident, $name:ident) => { $f.write_str(concat!(stringify!($name), "(..)")) };
    (@ $self:ident, $f:ident, $name:ident: $($field:ident),+) => {
        $crate::opaque_debug!(@ $self, $f, $name as it: $($field),+)
    };
    (@ $self:ident, $f:ident, $name:ident as $it:ident: $($field:ident $(= $value:expr)?),+) => {{
        let $it = $self;
        let mut shown = $f.debug_struct(stringify!($name));
        $(shown.field(stringify!($field), &$crate::opaque_debug!(@ $it $field $($value)?));)+
        shown.finish_non_exhaustive()
    }};
    (@ $it:ident $field:ident) => { $it.$field };
    (@ $it:ident $field:ident $value:expr) => { $value };
    ($([$($generics:tt)*] $name:ident $(<$($argument:tt),+>)? $(as $it:ident)?
        $(: $($field:ident $(= $value:expr)?),+)?;)+) => {$(
        impl<$($generics)*> ::core::fmt::Debug for $name $(<$($argument),+>)? {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::opaque_debug!(@ self, f, $name $(as $it)? $(: $($field $(= $value)?),+)?)
            }
        }
    )+};
}
