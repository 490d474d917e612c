//! What a plugin returns when it cannot handle a call.

use std::error::Error;
use std::fmt::{self, Debug, Display, Formatter};

/// Why a plugin failed, in one sentence for the operator. Clients do not see it.
///
/// Any error converts into a `PluginError`, so `?` works everywhere in a plugin. The causes of an error follow
/// its message.
///
/// ```
/// use backworks_plugin_sdk::PluginResult;
///
/// fn port(text: &str) -> PluginResult<u16> {
///     Ok(text.parse::<u16>()?)
/// }
///
/// assert_eq!(port("web").unwrap_err().to_string(), "invalid digit found in string");
/// ```
pub struct PluginError {
    message: String,
}

/// What a function of a plugin returns.
pub type PluginResult<T> = Result<T, PluginError>;

/// The same as `PluginResult`, under the name that the trait's methods use.
pub type BackworksResult<T> = PluginResult<T>;

impl PluginError {
    /// An error with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }

    /// The same error with a context before its message: `context: message`.
    #[must_use]
    pub fn context(self, context: impl Display) -> Self {
        Self {
            message: format!("{context}: {}", self.message),
        }
    }
}

impl Display for PluginError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Debug for PluginError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, formatter)
    }
}

// PluginError does not implement Error: the conversion from every error would then overlap with the conversion
// from itself.
impl<E: Error> From<E> for PluginError {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(": ");
            message.push_str(&error.to_string());
            cause = error.source();
        }
        Self { message }
    }
}
