//! Bodies in documents.

use crate::{PluginError, PluginResult};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// How the document represents a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyEncoding {
    /// As JSON, because the body is JSON.
    Json,
    /// As a string, because the body is UTF-8 text. `null` stands for no body.
    #[default]
    Text,
    /// As a base64 string, for every other body.
    Base64,
}

/// The body of a request or a response. It is parsed when a method needs it.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    json: &'a str,
    encoding: BodyEncoding,
}

impl<'a> Body<'a> {
    /// Takes the JSON texts of two members of a document.
    pub(crate) fn read(encoding: Option<&str>, json: &'a str) -> PluginResult<Self> {
        let encoding = match encoding {
            None | Some(r#""text""#) => BodyEncoding::Text,
            Some(r#""json""#) => BodyEncoding::Json,
            Some(other) => serde_json::from_str(other)?,
        };
        Ok(Self { json, encoding })
    }

    /// How the document represents the body.
    #[must_use]
    pub fn encoding(&self) -> BodyEncoding {
        self.encoding
    }

    /// The JSON text of the `body` member, exactly as the client or the target sent it when the encoding
    /// is `Json`. `null` when there is no body.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.json
    }

    /// The body as a value of the given type.
    ///
    /// # Errors
    /// When the body is not JSON, or does not fit the type.
    pub fn json<T: DeserializeOwned>(&self) -> PluginResult<T> {
        match self.encoding {
            BodyEncoding::Json => serde_json::from_str(self.raw()).map_err(|error| {
                PluginError::from(error).context("the body does not have the expected form")
            }),
            _ => Err(PluginError::new("the body is not JSON")),
        }
    }

    /// The body as text.
    ///
    /// # Errors
    /// When the body is not UTF-8.
    pub fn text(&self) -> PluginResult<String> {
        match self.encoding {
            BodyEncoding::Json => Ok(self.raw().to_owned()),
            BodyEncoding::Text => self.string(),
            BodyEncoding::Base64 => Ok(String::from_utf8(self.bytes()?)?),
        }
    }

    /// The bytes of the body.
    ///
    /// # Errors
    /// When the document was not written by the server.
    pub fn bytes(&self) -> PluginResult<Vec<u8>> {
        match self.encoding {
            BodyEncoding::Base64 => decode_bytes(&self.string()?),
            _ => Ok(self.text()?.into_bytes()),
        }
    }

    /// True when there is no body.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.encoding == BodyEncoding::Text && self.raw() == "null"
    }

    fn string(&self) -> PluginResult<String> {
        let text: Option<String> = serde_json::from_str(self.raw())?;
        Ok(text.unwrap_or_default())
    }
}

/// Bytes as documents write them.
pub(crate) fn encode_bytes(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads what `encode_bytes` writes.
pub(crate) fn decode_bytes(text: &str) -> PluginResult<Vec<u8>> {
    Ok(STANDARD.decode(text)?)
}
