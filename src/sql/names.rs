//! Quotes names and texts from outside.

use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::{Filling, serialize_filled};
use crate::error::{Refusal, Result};

/// The server silently cuts longer names, which may then be another object's.
const IDENT_BYTES: usize = 63;

/// The name of a schema, table or column; prints quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident(String);

impl Ident {
    /// A name of 1 to 63 bytes, without NUL.
    ///
    /// # Errors
    /// Refuses (usage) any other name.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        if name.is_empty() || name.len() > IDENT_BYTES || name.contains('\0') {
            return Err(Refusal::usage(
                format!("\"{name}\" is not a name that PostgreSQL accepts"),
                format!("Use 1 to {IDENT_BYTES} bytes."),
            ));
        }
        Ok(Self(name))
    }

    /// A name made from others. If it is too long: its beginning and a digest of the whole, so that two names stay
    /// different.
    ///
    /// # Errors
    /// Refuses (usage) what PostgreSQL cannot store.
    pub fn cut(name: &str) -> Result<Self> {
        if name.len() <= IDENT_BYTES {
            return Self::new(name);
        }
        let digest: String = Sha256::digest(name).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let end = (0..=IDENT_BYTES - 9).rev().find(|&at| name.is_char_boundary(at)).unwrap_or_default();
        Self::new(format!("{}~{digest}", &name[..end]))
    }

    /// The name without quotes, for comparing and as a parameter.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The name in quotes, for a statement that somebody is to type.
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0.replace('"', "\"\""))
    }
}

impl Filling for Ident {
    fn filled(&self) -> String {
        self.quoted()
    }
}

/// Quoted; the quotes are removed when it is read.
impl Serialize for Ident {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_filled(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Ident {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let quoted = String::deserialize(deserializer)?;
        let name = quoted.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(&quoted);
        Self::new(name.replace("\"\"", "\"")).map_err(serde::de::Error::custom)
    }
}

/// A text as a quoted literal.
#[derive(Debug, Clone)]
pub struct Literal(String);

impl Literal {
    /// From any text without NUL.
    ///
    /// # Errors
    /// Refuses (usage) a NUL, which PostgreSQL cannot store.
    pub fn new(text: &str) -> Result<Self> {
        if text.contains('\0') {
            return Err(Refusal::usage(
                format!("\"{}\" contains a NUL character", text.escape_debug()),
                "Leave it out.",
            ));
        }
        // The form with E means the same whatever standard_conforming_strings is.
        let quoted = text.replace('\\', "\\\\").replace('\'', "''");
        Ok(Self(if text.contains('\\') { format!("E'{quoted}'") } else { format!("'{quoted}'") }))
    }
}

impl Filling for Literal {
    fn filled(&self) -> String {
        self.0.clone()
    }
}

impl Serialize for Literal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_filled(self, serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_over_63_bytes_is_refused() {
        assert!(Ident::new("ä".repeat(31)).is_ok());
        assert!(Ident::new("ä".repeat(32)).is_err());
        assert!(Ident::new("").is_err());
    }
}
