//! Members of documents that are read when they are used.

use crate::members::Members;
use crate::{PluginError, PluginResult};
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use std::fmt::{self, Debug, Display, Formatter};
use std::ops::Deref;
use std::sync::OnceLock;

/// A member of a document. It is used like a reference to the value, and reads the value when it is first used: most
/// hooks look at few members.
///
/// # Panics
/// When it is first used, if the document gives the member another form. The server never does; a call that panics
/// fails, and its message says what was wrong.
#[derive(Clone)]
pub struct Lazy<'a, T> {
    json: &'a str,
    value: OnceLock<T>,
}

impl<'a, T> Lazy<'a, T> {
    /// `json` is the JSON text of the value.
    pub(crate) fn new(json: &'a str) -> Self {
        Self {
            json,
            value: OnceLock::new(),
        }
    }
}

impl<T: DeserializeOwned> Deref for Lazy<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.get_or_init(|| {
            serde_json::from_str(self.json).unwrap_or_else(|error| {
                panic!("a member of the document has another form: {error}")
            })
        })
    }
}

impl<T: DeserializeOwned + Serialize> Serialize for Lazy<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<T: DeserializeOwned + Debug> Debug for Lazy<'_, T> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

impl<T: DeserializeOwned + Display> Display for Lazy<'_, T> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

impl<T: DeserializeOwned + PartialEq<U>, U: ?Sized> PartialEq<U> for Lazy<'_, T> {
    fn eq(&self, other: &U) -> bool {
        **self == *other
    }
}

impl<T: DeserializeOwned + AsRef<U>, U: ?Sized> AsRef<U> for Lazy<'_, T> {
    fn as_ref(&self) -> &U {
        (**self).as_ref()
    }
}

impl From<Lazy<'_, String>> for String {
    fn from(text: Lazy<'_, String>) -> Self {
        text.deref().clone()
    }
}

impl<'b, T: DeserializeOwned> IntoIterator for &'b Lazy<'_, T>
where
    &'b T: IntoIterator,
{
    type Item = <&'b T as IntoIterator>::Item;
    type IntoIter = <&'b T as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        (**self).into_iter()
    }
}

/// The texts of the members of a document.
pub(crate) struct Document<'a, const N: usize> {
    names: &'static [&'static str; N],
    values: [Option<&'a str>; N],
}

impl<'a, const N: usize> Document<'a, N> {
    /// Finds the members that have these names. Others are ignored.
    pub(crate) fn read(json: &'a str, names: &'static [&'static str; N]) -> PluginResult<Self> {
        let mut values = [None; N];
        let mut members = Members::of(json)?;
        // The server writes the members in this order.
        let mut expected = 0;
        while let Some((name, value)) = members.next_after(names[expected % N])? {
            let index = (expected..N)
                .chain(0..expected)
                .find(|&index| names[index] == name);
            if let Some(index) = index {
                values[index] = Some(value);
                expected = index + 1;
            }
        }
        Ok(Self { names, values })
    }

    /// A member that may be missing.
    pub(crate) fn optional(&self, index: usize) -> Option<&'a str> {
        self.values[index]
    }

    /// A member that every document has.
    pub(crate) fn required(&self, index: usize) -> PluginResult<&'a str> {
        self.values[index]
            .ok_or_else(|| PluginError::new(format!("the member {} is missing", self.names[index])))
    }

    /// A member that is read when it is used.
    pub(crate) fn lazy<T>(&self, index: usize) -> PluginResult<Lazy<'a, T>> {
        Ok(Lazy::new(self.required(index)?))
    }
}

#[cfg(test)]
mod tests {
    use super::{Document, Lazy};
    use crate::ValueMap;
    use std::panic::catch_unwind;

    #[test]
    fn a_member_is_read_when_it_is_used() {
        let lazy: Lazy<ValueMap> = Lazy::new(r#"{"a":"1","b":["2","3"]}"#);
        assert!(lazy.value.get().is_none());
        assert_eq!(lazy.len(), 2);
        assert_eq!((&lazy).into_iter().count(), 2);
        assert_eq!(format!("{:?}", lazy["a"]), r#"One("1")"#);
    }

    #[test]
    fn a_text_is_used_like_a_string() {
        let text: Lazy<String> = Lazy::new(r#""caf\u00e9""#);
        assert_eq!(text, "café");
        assert_eq!(text.as_str(), "café");
        assert_eq!(format!("{text} {}", text.len()), "café 5");
        assert_eq!(String::from(text.clone()), "café");
        assert_eq!(serde_json::to_string(&text).unwrap(), r#""café""#);
    }

    #[test]
    fn a_member_of_another_form_is_reported_when_it_is_used() {
        let lazy: Lazy<ValueMap> = Lazy::new("[1]");
        assert!(catch_unwind(|| lazy.len()).is_err());
    }

    #[test]
    fn members_are_found_in_any_order() {
        let document = Document::read(r#"{"c":3,"x":0,"a":1,"c":4}"#, &["a", "b", "c"]).unwrap();
        assert_eq!(
            [0, 1, 2].map(|index| document.optional(index)),
            [Some("1"), None, Some("4")]
        );
        let missing = document.required(1).unwrap_err();
        assert_eq!(missing.to_string(), "the member b is missing");
    }
}
