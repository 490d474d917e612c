//! HTTP requests that the server makes for the plugin.

use crate::body::{decode_bytes, encode_bytes};
use crate::{PluginResult, Value, ValueMap, Values};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// The body of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum HttpBody {
    /// None.
    #[default]
    Empty,
    /// JSON. The server adds `content-type: application/json` when the request has no content type.
    Json(Value),
    /// Text, as UTF-8.
    Text(String),
    /// Any bytes.
    Bytes(Vec<u8>),
}

/// A request for [`host::fetch`](crate::host::fetch).
///
/// ```
/// use backworks_plugin_sdk::{HttpRequest, json};
/// use std::time::Duration;
///
/// let request = HttpRequest::post("https://api.example/orders")
///     .header("x-api-key", "demo")
///     .json(&json!({ "quantity": 3 }))?
///     .timeout(Duration::from_secs(1));
/// # Ok::<(), backworks_plugin_sdk::PluginError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct HttpRequest {
    /// HTTP method.
    pub method: String,
    /// Absolute URL. Its origin is one that `permissions.network.fetch` grants.
    pub url: String,
    /// Headers in their order; a name may occur several times.
    pub headers: Vec<(String, String)>,
    /// The body; requests with GET and HEAD have none.
    pub body: HttpBody,
    /// Longest time of the request. In any case it ends before the deadline of the call.
    pub timeout: Option<Duration>,
}

impl HttpRequest {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: &str, url: &str) -> Self {
        Self {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: HttpBody::Empty,
            timeout: None,
        }
    }

    /// A GET.
    #[must_use]
    pub fn get(url: &str) -> Self {
        Self::new("GET", url)
    }

    /// A POST.
    #[must_use]
    pub fn post(url: &str) -> Self {
        Self::new("POST", url)
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same with a JSON body.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn json(mut self, value: &impl Serialize) -> PluginResult<Self> {
        self.body = HttpBody::Json(serde_json::to_value(value)?);
        Ok(self)
    }

    /// The same with a text as its body.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.body = HttpBody::Text(text.into());
        self
    }

    /// The same with any bytes as its body.
    #[must_use]
    pub fn bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = HttpBody::Bytes(bytes.into());
        self
    }

    /// The same with a longest time, which is rounded up to milliseconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The document of `http_fetch()`.
    pub(crate) fn document(&self) -> Value {
        let mut document = json!({ "method": self.method, "url": self.url });
        let mut headers = Map::new();
        for (name, value) in &self.headers {
            let values = headers.entry(name.clone()).or_insert_with(|| json!([]));
            if let Value::Array(list) = values {
                list.push(Value::String(value.clone()));
            }
        }
        document["headers"] = Value::Object(headers);
        let (encoding, body) = match &self.body {
            HttpBody::Empty => (None, Value::Null),
            HttpBody::Json(value) => (Some("json"), value.clone()),
            HttpBody::Text(text) => (Some("text"), Value::String(text.clone())),
            HttpBody::Bytes(bytes) => (Some("base64"), Value::String(encode_bytes(bytes))),
        };
        if let Some(encoding) = encoding {
            document["body_encoding"] = encoding.into();
            document["body"] = body;
        }
        if let Some(timeout) = self.timeout {
            let milliseconds = timeout.as_nanos().div_ceil(1_000_000).max(1);
            document["timeout_ms"] = u32::try_from(milliseconds).unwrap_or(u32::MAX).into();
        }
        document
    }

    /// Reads such a document.
    pub(crate) fn from_document(document: &Value) -> PluginResult<Self> {
        let text = |name: &str| document[name].as_str();
        let mut request = Self::new(
            text("method").unwrap_or("GET"),
            text("url").unwrap_or_default(),
        );
        if let Some(headers) = document.get("headers") {
            for (name, values) in ValueMap::deserialize(headers)? {
                for value in values.all() {
                    request = request.header(&name, value);
                }
            }
        }
        let body = &document["body"];
        request.body = match (text("body_encoding"), body.as_str()) {
            (Some("base64"), Some(text)) => HttpBody::Bytes(decode_bytes(text)?),
            (Some("json"), _) => HttpBody::Json(body.clone()),
            (_, Some(text)) => HttpBody::Text(text.to_owned()),
            _ if body.is_null() => HttpBody::Empty,
            _ => HttpBody::Json(body.clone()),
        };
        request.timeout = document["timeout_ms"].as_u64().map(Duration::from_millis);
        Ok(request)
    }
}

/// What a server answered to an [`HttpRequest`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers; names are in lower case.
    pub headers: ValueMap,
    /// The bytes of the body, unpacked when they were compressed; at most 4 MiB.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The first value of a header; `name` is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(Values::first)
    }

    /// The body as text.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn text(&self) -> PluginResult<&str> {
        Ok(std::str::from_utf8(&self.body)?)
    }

    /// The body as a value of the given type.
    ///
    /// # Errors
    /// When it is not JSON, or does not fit the type.
    pub fn json<T: DeserializeOwned>(&self) -> PluginResult<T> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// Reads the answer of `http_fetch()`.
    pub(crate) fn from_document(text: &str) -> Result<Self, HttpError> {
        #[derive(Deserialize)]
        struct Answer {
            status: Option<u16>,
            #[serde(default)]
            headers: ValueMap,
            body: Option<String>,
            body_encoding: Option<String>,
            error: Option<String>,
        }
        let unreadable = |why: &dyn Display| HttpError::Unreadable(why.to_string());
        let answer: Answer = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        if let Some(error) = answer.error {
            return Err(HttpError::Failed(error));
        }
        let status = answer.status.ok_or_else(|| unreadable(&"no status"))?;
        let body = answer.body.unwrap_or_default();
        let body = match answer.body_encoding.as_deref() {
            Some("base64") => decode_bytes(&body).map_err(|error| unreadable(&error))?,
            _ => body.into_bytes(),
        };
        Ok(Self {
            status,
            headers: answer.headers,
            body,
        })
    }
}

/// Why there is no [`HttpResponse`]. A response with any status is no error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpError {
    /// The server makes no requests for this plugin: it runs in the server's own process.
    NotOffered,
    /// The request is wrong, its origin is not granted, or the target did not answer in time. One sentence.
    Failed(String),
    /// The server's answer does not have the documented form.
    Unreadable(String),
}

impl Display for HttpError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOffered => formatter.write_str("the server offers no http_fetch()"),
            Self::Failed(why) => formatter.write_str(why),
            Self::Unreadable(why) => write!(formatter, "the answer of http_fetch(): {why}"),
        }
    }
}

impl Error for HttpError {}
