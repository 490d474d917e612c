//! Typed configuration.

use crate::{PluginError, PluginResult, Value};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;

/// A plugin's `config:` block as a struct. Derive this trait: the derive also makes the JSON Schema. The
/// server checks the block with the schema before the plugin gets the block.
///
/// ```
/// use backworks_plugin_sdk::{PluginConfig, json};
///
/// #[derive(PluginConfig)]
/// struct Config {
///     /// Key of the weather service.
///     api_key: String,
///     /// Cities that are kept in memory.
///     #[serde(default)]
///     #[schemars(range(min = 1, max = 1000))]
///     cache: u32,
/// }
///
/// let config = Config::from_value(&json!({ "api_key": "demo" })).unwrap();
/// assert_eq!((config.api_key.as_str(), config.cache), ("demo", 0));
/// assert_eq!(Config::schema()["properties"]["cache"]["maximum"], 1000);
/// ```
pub trait PluginConfig: DeserializeOwned + JsonSchema {
    /// Reads the block that `initialize` and `reconfigure` receive.
    ///
    /// # Errors
    /// When a value does not fit its field; the message names the field.
    fn from_value(config: &Value) -> PluginResult<Self> {
        Self::deserialize(config).map_err(|error| PluginError::from(error).context("config"))
    }

    /// The JSON Schema (draft-07) of the block.
    #[must_use]
    fn schema() -> Value {
        SchemaSettings::draft07()
            .into_generator()
            .into_root_schema_for::<Self>()
            .to_value()
    }
}
