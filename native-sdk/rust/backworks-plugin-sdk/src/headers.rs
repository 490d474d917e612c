//! Headers in documents.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One value, or several values of one name. Only the header `set-cookie` has several; the server joins others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Values {
    /// One value.
    One(String),
    /// Several, in the order in which they came.
    Many(Vec<String>),
}

impl Values {
    /// The first value.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.all().first().map(String::as_str)
    }

    /// Every value.
    #[must_use]
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

/// Names and their values. Names of headers are in lower case.
pub type ValueMap = BTreeMap<String, Values>;
