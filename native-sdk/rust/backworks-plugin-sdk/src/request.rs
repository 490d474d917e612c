//! The documents that hooks receive, as types.

use crate::body::{Body, BodyEncoding};
use crate::headers::{ValueMap, Values};
use crate::{PluginError, PluginResult, Value};
use serde::Deserialize;
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
#[derive(Clone, Debug, Deserialize)]
pub struct Request<'a> {
    /// Number of the request, as in the server's log.
    pub id: String,
    /// HTTP method, in upper case.
    pub method: String,
    /// Path as sent: percent-encoded, without the query.
    pub path: String,
    /// Path of the endpoint that matched, such as `/weather/{city}`.
    pub route: Option<String>,
    /// The values of the route's parameters, decoded.
    pub params: BTreeMap<String, String>,
    /// The query, decoded. A name that occurs several times has several values.
    pub query: ValueMap,
    /// Headers; names are in lower case.
    pub headers: ValueMap,
    /// The client, when the request came over a socket.
    pub remote: Option<Remote>,
    /// Values that earlier hooks stored for later ones.
    pub context: Value,
    #[serde(default)]
    body_encoding: BodyEncoding,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

impl<'a> Request<'a> {
    /// Reads a request document.
    ///
    /// # Errors
    /// When the text is not one.
    pub fn from_json(json: &'a str) -> PluginResult<Self> {
        serde_json::from_str(json)
            .map_err(|error| PluginError::from(error).context("the request document"))
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
        Body {
            json: self.body,
            encoding: self.body_encoding,
        }
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
#[derive(Clone, Debug, Deserialize)]
pub struct Response<'a> {
    /// HTTP status.
    pub status: u16,
    /// Headers; names are in lower case.
    pub headers: ValueMap,
    /// Values that hooks stored during the request.
    pub context: Value,
    /// The request that this response answers.
    pub request: AnsweredRequest,
    /// True when the server streams the body, so that no plugin sees it.
    #[serde(default)]
    pub body_streamed: bool,
    #[serde(default)]
    body_encoding: BodyEncoding,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

impl<'a> Response<'a> {
    /// Reads a response document.
    ///
    /// # Errors
    /// When the text is not one.
    pub fn from_json(json: &'a str) -> PluginResult<Self> {
        serde_json::from_str(json)
            .map_err(|error| PluginError::from(error).context("the response document"))
    }

    /// The first value of a header; `name` is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(Values::first)
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> Body<'a> {
        Body {
            json: self.body,
            encoding: self.body_encoding,
        }
    }
}
