//! Headers in documents.

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::{self, Formatter};

/// One value, or several values of one name. Only the header `set-cookie` has several; the server joins others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

/// By hand, because an untagged enum is read into a buffer first, for every header of every call.
impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Values;

            fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or a list of strings")
            }

            fn visit_str<E>(self, value: &str) -> Result<Values, E> {
                Ok(Values::One(value.to_owned()))
            }

            fn visit_string<E>(self, value: String) -> Result<Values, E> {
                Ok(Values::One(value))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Values, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(Values::Many(values))
            }
        }

        deserializer.deserialize_any(OneOrMany)
    }
}

/// Names and their values. Names of headers are in lower case.
pub type ValueMap = BTreeMap<String, Values>;
