use crate::body::{BodyEncoding, decode_bytes};
use crate::{PluginError, PluginResult, Value, ValueMap, Values};
use serde::Deserialize;
use serde_json::json;

/// A response of the plugin, as the server would send it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers; names are in lower case.
    pub headers: ValueMap,
    /// The body as the plugin wrote it: JSON, a text, or bytes in base64.
    pub body: Value,
    /// How it is written.
    pub encoding: BodyEncoding,
}

impl Answer {
    /// The first value of a header; `name` is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(Values::first)
    }

    /// The bytes that a client gets.
    ///
    /// # Errors
    /// When the body does not have the form that its encoding says.
    pub fn bytes(&self) -> PluginResult<Vec<u8>> {
        match (self.encoding, self.body.as_str()) {
            (BodyEncoding::Json, _) => Ok(self.body.to_string().into_bytes()),
            (BodyEncoding::Base64, Some(text)) => decode_bytes(text),
            (BodyEncoding::Text, Some(text)) => Ok(text.as_bytes().to_vec()),
            _ if self.body.is_null() => Ok(Vec::new()),
            _ => Err(PluginError::new("the body of the answer is not a string")),
        }
    }

    /// An object with a status and a body is a whole response, any other JSON the body of a 200.
    pub(super) fn of_endpoint(value: Value) -> PluginResult<Self> {
        if value["status"].is_u64() && value.get("body").is_some() {
            return Self::of_response(value);
        }
        Self::of_response(json!({ "status": 200, "body": value, "body_encoding": "json" }))
    }

    fn of_response(value: Value) -> PluginResult<Self> {
        #[derive(Deserialize)]
        struct Document {
            #[serde(default = "ok")]
            status: u16,
            #[serde(default)]
            headers: ValueMap,
            #[serde(default)]
            body: Value,
            body_encoding: Option<BodyEncoding>,
        }
        let read = Document::deserialize(value)
            .map_err(|error| PluginError::from(error).context("the response of the plugin"))?;
        let is_text = read.body.is_string() || read.body.is_null();
        let usual = if is_text {
            BodyEncoding::Text
        } else {
            BodyEncoding::Json
        };
        Ok(Self {
            status: read.status,
            headers: read.headers,
            body: read.body,
            encoding: read.body_encoding.unwrap_or(usual),
        })
    }
}

fn ok() -> u16 {
    200
}

/// What `before_request` made of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestOutcome {
    /// The request continues unchanged.
    Unchanged,
    /// The request continues with this merge patch.
    Changed(Value),
    /// The plugin answered. The endpoint is not called.
    Answered(Answer),
}

impl RequestOutcome {
    pub(super) fn of(value: Option<Value>) -> PluginResult<Self> {
        let Some(mut value) = value else {
            return Ok(Self::Unchanged);
        };
        if let Some(response) = value.get_mut("response") {
            return Ok(Self::Answered(Answer::of_response(response.take())?));
        }
        Ok(Self::Changed(match value.get_mut("request") {
            Some(patch) => patch.take(),
            None => value,
        }))
    }
}
