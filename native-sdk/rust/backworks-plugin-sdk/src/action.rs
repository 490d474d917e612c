//! What a hook can answer.

use crate::body::encode_bytes;
use crate::{PluginResult, Value};
use serde::Serialize;
use serde_json::{Map, json};

/// A whole response, made by the plugin.
///
/// ```
/// use backworks_plugin_sdk::{Reply, json};
///
/// let reply = Reply::json(&json!({ "error": "unknown key" }))?
///     .status(401)
///     .header("www-authenticate", "Bearer");
/// # Ok::<(), backworks_plugin_sdk::PluginError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    status: u16,
    /// Sorted by name.
    headers: Vec<(String, HeaderValue)>,
    encoding: &'static str,
    /// JSON text.
    body: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum HeaderValue {
    One(String),
    Many(Vec<String>),
}

impl Reply {
    fn of(body: String, encoding: &'static str) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body,
            encoding,
        }
    }

    /// The value of a header, which is empty when the header is new; `name` is in lower case.
    fn header_mut(&mut self, name: String) -> &mut HeaderValue {
        let place = self.headers.binary_search_by(|(known, _)| known.cmp(&name));
        let index = place.unwrap_or_else(|index| {
            self.headers
                .insert(index, (name, HeaderValue::Many(Vec::new())));
            index
        });
        &mut self.headers[index].1
    }

    /// A response without a body, with status 204.
    #[must_use]
    pub fn empty() -> Self {
        Self::of("null".to_owned(), "text").status(204)
    }

    /// A 200 with a JSON body.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn json(value: &impl Serialize) -> PluginResult<Self> {
        Ok(Self::of(serde_json::to_string(value)?, "json"))
    }

    /// A 200 with a body of plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(quoted(&text.into()), "text").header("content-type", "text/plain; charset=utf-8")
    }

    /// A 200 with arbitrary bytes as its body.
    #[must_use]
    pub fn bytes(content_type: &str, bytes: &[u8]) -> Self {
        Self::of(quoted(&encode_bytes(bytes)), "base64").header("content-type", content_type)
    }

    /// A problem document (RFC 9457) for a request that cannot be answered.
    #[must_use]
    pub fn problem(status: u16, title: &str, detail: &str) -> Self {
        let body =
            json!({ "type": "about:blank", "title": title, "status": status, "detail": detail });
        Self::of(body.to_string(), "json")
            .status(status)
            .header("content-type", "application/problem+json")
    }

    /// The same with another HTTP status, from 200 to 599.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same with a header. Replaces an earlier header of that name.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        *self.header_mut(name.to_ascii_lowercase()) = HeaderValue::One(value.into());
        self
    }

    /// The same with one more cookie.
    #[must_use]
    pub fn cookie(mut self, cookie: impl Into<String>) -> Self {
        if let HeaderValue::Many(list) = self.header_mut("set-cookie".to_owned()) {
            list.push(cookie.into());
        }
        self
    }

    /// The reply as JSON, between two texts.
    fn written(&self, before: &str, after: &str) -> PluginResult<Option<String>> {
        let mut headers = String::new();
        for (name, value) in &self.headers {
            let comma = if headers.is_empty() { "" } else { "," };
            headers.extend([comma, &quoted(name), ":", &serde_json::to_string(value)?]);
        }
        let parts = [
            before,
            r#"{"status":"#,
            &self.status.to_string(),
            r#","headers":{"#,
            &headers,
            r#"},"body_encoding":""#,
            self.encoding,
            r#"","body":"#,
            &self.body,
            "}",
            after,
        ];
        // With room for the NUL that ends it, so that it is not copied again.
        let length = parts.iter().map(|part| part.len()).sum::<usize>() + 1;
        let mut json = String::with_capacity(length);
        json.extend(parts);
        Ok(Some(json))
    }
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Changes to a document, as an RFC 7396 merge patch. Members that are not named stay exactly as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Patch {
    members: Map<String, Value>,
}

impl Patch {
    /// A patch that changes nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a header.
    #[must_use]
    pub fn header(self, name: &str, value: impl Into<String>) -> Self {
        self.inner(
            "headers",
            &name.to_ascii_lowercase(),
            Value::String(value.into()),
        )
    }

    /// Removes a header.
    #[must_use]
    pub fn remove_header(self, name: &str) -> Self {
        self.inner("headers", &name.to_ascii_lowercase(), Value::Null)
    }

    /// Sets a member of the query. For requests only.
    #[must_use]
    pub fn query(self, name: &str, value: impl Into<String>) -> Self {
        self.inner("query", name, Value::String(value.into()))
    }

    /// Sets the path. For requests only.
    #[must_use]
    pub fn path(self, path: impl Into<String>) -> Self {
        self.with("path", Value::String(path.into()))
    }

    /// Sets the method. For requests only.
    #[must_use]
    pub fn method(self, method: impl Into<String>) -> Self {
        self.with("method", Value::String(method.into()))
    }

    /// Sets the status. For responses only.
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        self.with("status", status.into())
    }

    /// Stores a value in the context, for later hooks of the same request.
    #[must_use]
    pub fn context(self, name: &str, value: impl Into<Value>) -> Self {
        self.inner("context", name, value.into())
    }

    /// Merges a value into the body, which must be JSON. Members of objects that the value does not
    /// name stay as they are.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn json(self, value: &impl Serialize) -> PluginResult<Self> {
        Ok(self
            .with("body_encoding", "json".into())
            .with("body", serde_json::to_value(value)?))
    }

    /// Replaces the body with text.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.with("body_encoding", "text".into())
            .with("body", Value::String(text.into()))
    }

    /// Replaces the body with bytes.
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Self {
        self.with("body_encoding", "base64".into())
            .with("body", Value::String(encode_bytes(bytes)))
    }

    /// Sets any member of the document.
    #[must_use]
    pub fn with(mut self, member: &str, value: Value) -> Self {
        self.members.insert(member.to_owned(), value);
        self
    }

    fn inner(mut self, member: &str, name: &str, value: Value) -> Self {
        let object = self
            .members
            .entry(member)
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(members) = object {
            members.insert(name.to_owned(), value);
        }
        self
    }
}

/// The answer of `before_request`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum RequestAction {
    /// The request continues unchanged.
    #[default]
    Continue,
    /// The request continues with changes.
    Change(Patch),
    /// The request is answered now. Its endpoint is not called.
    Respond(Reply),
}

/// The answer of `after_response`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ResponseAction {
    /// The response is sent unchanged.
    #[default]
    Continue,
    /// The response is sent with changes.
    Change(Patch),
}

/// The answer of `process_endpoint`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum EndpointAction {
    /// The request is not for this plugin.
    #[default]
    Pass,
    /// The request is answered.
    Respond(Reply),
}

impl From<Reply> for RequestAction {
    fn from(reply: Reply) -> Self {
        Self::Respond(reply)
    }
}

impl From<Patch> for RequestAction {
    fn from(patch: Patch) -> Self {
        Self::Change(patch)
    }
}

impl From<Patch> for ResponseAction {
    fn from(patch: Patch) -> Self {
        Self::Change(patch)
    }
}

impl From<Reply> for EndpointAction {
    fn from(reply: Reply) -> Self {
        Self::Respond(reply)
    }
}

/// The JSON for the server. None becomes NULL.
pub(crate) trait IntoAnswer {
    fn into_answer(self) -> PluginResult<Option<String>>;
}

/// An object with one member: what a hook does to the document that it received.
fn changed(member: &str, patch: &Patch) -> PluginResult<Option<String>> {
    let patch = serde_json::to_string(patch)?;
    Ok(Some(format!(r#"{{"{member}":{patch}}}"#)))
}

impl IntoAnswer for RequestAction {
    fn into_answer(self) -> PluginResult<Option<String>> {
        match self {
            Self::Continue => Ok(None),
            Self::Change(patch) => changed("request", &patch),
            Self::Respond(reply) => reply.written(r#"{"response":"#, "}"),
        }
    }
}

impl IntoAnswer for ResponseAction {
    fn into_answer(self) -> PluginResult<Option<String>> {
        match self {
            Self::Continue => Ok(None),
            Self::Change(patch) => changed("response", &patch),
        }
    }
}

impl IntoAnswer for EndpointAction {
    fn into_answer(self) -> PluginResult<Option<String>> {
        match self {
            Self::Pass => Ok(None),
            Self::Respond(reply) => reply.written("", ""),
        }
    }
}
