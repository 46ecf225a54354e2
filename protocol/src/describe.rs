//! Keeps the `.varlink` descriptions equal to the types: the types describe themselves, a test compares.
//!
//! [`wire!`](crate::wire) declares a message once, for serde and for its description.

use crate::Secret;

/// A type that can stand in a message, as varlink's interface language calls it.
pub trait Described {
    /// `string`, `?int`, `[]Notice`, …
    fn type_name() -> String;
}

/// A named type or a method, as one line of varlink's interface language.
pub trait Declared {
    /// For example `type Notice (severity: Severity, text: string)`.
    fn declaration() -> String;
}

macro_rules! described {
    ($($rust:ty => $varlink:literal),+) => {
        $(impl Described for $rust {
            fn type_name() -> String {
                $varlink.to_owned()
            }
        })+
    };
}

described!(String => "string", Secret => "string", u32 => "int", u64 => "int", i64 => "int");

impl<T: Described> Described for Option<T> {
    fn type_name() -> String {
        format!("?{}", T::type_name())
    }
}

impl<T: Described> Described for Vec<T> {
    fn type_name() -> String {
        format!("[]{}", T::type_name())
    }
}

/// `name: type`, joined: the inside of a struct's parentheses.
pub fn fields(named: &[(&str, String)]) -> String {
    named.iter().map(|(name, kind)| format!("{name}: {kind}")).collect::<Vec<_>>().join(", ")
}

/// Declares messages. `struct` is a record, `enum` a set of names, `method` a call with its reply.
#[macro_export]
macro_rules! wire {
    () => {};
    ($(#[$meta:meta])* struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty),* $(,)? } $($rest:tt)*) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_meta])* pub $field: $kind),* }

        impl $crate::describe::Described for $name {
            fn type_name() -> String {
                stringify!($name).to_owned()
            }
        }

        impl $crate::describe::Declared for $name {
            fn declaration() -> String {
                let fields: &[(&str, String)] =
                    &[$((stringify!($field), <$kind as $crate::describe::Described>::type_name())),*];
                format!("type {} ({})", stringify!($name), $crate::describe::fields(fields))
            }
        }
        $crate::wire! { $($rest)* }
    };
    ($(#[$meta:meta])* enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)? } $($rest:tt)*) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$variant_meta])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every value: the table that tests walk.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The name on the wire.
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl $crate::describe::Described for $name {
            fn type_name() -> String {
                stringify!($name).to_owned()
            }
        }

        impl $crate::describe::Declared for $name {
            fn declaration() -> String {
                format!("type {} ({})", stringify!($name), [$($text),+].join(", "))
            }
        }
        $crate::wire! { $($rest)* }
    };
    ($(#[$meta:meta])* method $interface:literal $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty),* $(,)? }
        -> $(#[$reply_meta:meta])* $reply:ident { $($(#[$reply_field_meta:meta])* $reply_field:ident: $reply_kind:ty),* $(,)? } $($rest:tt)*) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_meta])* pub $field: $kind),* }

        $(#[$reply_meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $reply { $($(#[$reply_field_meta])* pub $reply_field: $reply_kind),* }

        impl $crate::call::Method for $name {
            const NAME: &'static str = concat!($interface, ".", stringify!($name));
            type Reply = $reply;
        }

        impl $crate::describe::Declared for $name {
            fn declaration() -> String {
                let parameters: &[(&str, String)] =
                    &[$((stringify!($field), <$kind as $crate::describe::Described>::type_name())),*];
                let reply: &[(&str, String)] =
                    &[$((stringify!($reply_field), <$reply_kind as $crate::describe::Described>::type_name())),*];
                format!("method {}({}) -> ({})", stringify!($name),
                    $crate::describe::fields(parameters), $crate::describe::fields(reply))
            }
        }
        $crate::wire! { $($rest)* }
    };
}
