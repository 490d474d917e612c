//! The documents that hooks receive, as types.

use crate::body::Body;
use crate::headers::{ValueMap, Values};
use crate::lazy::{Document, Lazy};
use crate::{PluginResult, Value};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Where a request came from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Remote {
    /// IP address.
    pub address: String,
    /// Port.
    pub port: u16,
}

/// A request, as `before_request` and `process_endpoint` receive it.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Number of the request, as in the server's log.
    pub id: Lazy<'a, String>,
    /// HTTP method, in upper case.
    pub method: Lazy<'a, String>,
    /// Path as sent: percent-encoded, without the query.
    pub path: Lazy<'a, String>,
    /// Path of the endpoint that matched, such as `/weather/{city}`.
    pub route: Lazy<'a, Option<String>>,
    /// The values of the route's parameters, decoded.
    pub params: Lazy<'a, BTreeMap<String, String>>,
    /// The query, decoded. A name that occurs several times has several values.
    pub query: Lazy<'a, ValueMap>,
    /// Headers; names are in lower case.
    pub headers: Lazy<'a, ValueMap>,
    /// The client, when the request came over a socket.
    pub remote: Lazy<'a, Option<Remote>>,
    /// Values that earlier hooks stored for later ones.
    pub context: Lazy<'a, Value>,
    body: Body<'a>,
}

/// The members of a request document, in the order in which the server writes them.
const REQUEST: [&str; 11] = [
    "id",
    "method",
    "path",
    "route",
    "params",
    "query",
    "headers",
    "remote",
    "context",
    "body_encoding",
    "body",
];

impl<'a> Request<'a> {
    /// Reads a request document. Its members are read when they are used.
    ///
    /// # Errors
    /// When the text is not a JSON object with the members of a request.
    pub fn from_json(json: &'a str) -> PluginResult<Self> {
        Self::read(json).map_err(|error| error.context("the request document"))
    }

    #[inline]
    fn read(json: &'a str) -> PluginResult<Self> {
        let document = Document::read(json, &REQUEST)?;
        let nullable = |index| document.optional(index).unwrap_or("null");
        Ok(Self {
            id: document.lazy(0)?,
            method: document.lazy(1)?,
            path: document.lazy(2)?,
            route: Lazy::new(nullable(3)),
            params: document.lazy(4)?,
            query: document.lazy(5)?,
            headers: document.lazy(6)?,
            remote: Lazy::new(nullable(7)),
            context: document.lazy(8)?,
            body: Body::read(document.optional(9), nullable(10))?,
        })
    }

    /// The first value of a header; `name` is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(Values::first)
    }

    /// The first value of a member of the query.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).and_then(Values::first)
    }

    /// The value of a parameter of the route.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> Body<'a> {
        self.body
    }
}

/// The request that a response answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AnsweredRequest {
    /// Number of the request, as in the server's log.
    pub id: String,
    /// HTTP method.
    pub method: String,
    /// Path as sent, without the query.
    pub path: String,
    /// Path of the endpoint that matched.
    pub route: Option<String>,
}

/// A response, as `after_response` receives it.
#[derive(Clone, Debug)]
pub struct Response<'a> {
    /// HTTP status.
    pub status: u16,
    /// Headers; names are in lower case.
    pub headers: Lazy<'a, ValueMap>,
    /// Values that hooks stored during the request.
    pub context: Lazy<'a, Value>,
    /// The request that this response answers.
    pub request: Lazy<'a, AnsweredRequest>,
    /// True when the server streams the body, so that no plugin sees it.
    pub body_streamed: bool,
    body: Body<'a>,
}

/// The members of a response document, in the order in which the server writes them.
const RESPONSE: [&str; 7] = [
    "status",
    "headers",
    "context",
    "request",
    "body_streamed",
    "body_encoding",
    "body",
];

impl<'a> Response<'a> {
    /// Reads a response document. Its members are read when they are used.
    ///
    /// # Errors
    /// When the text is not a JSON object with the members of a response.
    pub fn from_json(json: &'a str) -> PluginResult<Self> {
        Self::read(json).map_err(|error| error.context("the response document"))
    }

    #[inline]
    fn read(json: &'a str) -> PluginResult<Self> {
        let document = Document::read(json, &RESPONSE)?;
        Ok(Self {
            status: serde_json::from_str(document.required(0)?)?,
            headers: document.lazy(1)?,
            context: document.lazy(2)?,
            request: document.lazy(3)?,
            body_streamed: serde_json::from_str(document.optional(4).unwrap_or("false"))?,
            body: Body::read(document.optional(5), document.optional(6).unwrap_or("null"))?,
        })
    }

    /// The first value of a header; `name` is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(Values::first)
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> Body<'a> {
        self.body
    }
}

/// As [`Request::from_json`].
impl<'de: 'a, 'a> Deserialize<'de> for Request<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_json(<&RawValue>::deserialize(deserializer)?.get()).map_err(D::Error::custom)
    }
}

/// As [`Response::from_json`].
impl<'de: 'a, 'a> Deserialize<'de> for Response<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_json(<&RawValue>::deserialize(deserializer)?.get()).map_err(D::Error::custom)
    }
}
