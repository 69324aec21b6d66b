//! Names of sandboxes and containers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($name:ident, $of:literal) => {
        #[doc = concat!("The id of a ", $of, ": 64 lower-case hexadecimal digits, as Docker's.")]
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// An id made of 32 random bytes.
            pub fn of(random: [u8; 32]) -> Self {
                use std::fmt::Write as _;
                let mut text = String::with_capacity(64);
                for byte in random {
                    // Writing to a string cannot fail.
                    let _ = write!(text, "{byte:02x}");
                }
                Self(text)
            }

            /// All 64 digits.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The first 12 digits, as people are shown.
            pub fn short(&self) -> &str {
                &self.0[..12]
            }
        }

        impl FromStr for $name {
            type Err = String;

            /// The error says what is wrong with the text.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                if text.len() == 64 && text.bytes().all(hex) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(format!("`{text}` is not the id of a {}: 64 hexadecimal digits", $of))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

id!(ContainerId, "container");
id!(SandboxId, "sandbox");
