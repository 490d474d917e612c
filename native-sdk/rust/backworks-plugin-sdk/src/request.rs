//! The documents that hooks are given, as types.

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

/// A request, as `before_request` and `process_endpoint` see it.
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
    /// What the placeholders of the route stand for, decoded.
    pub params: BTreeMap<String, String>,
    /// The query, decoded. A name that occurs several times has several values.
    pub query: ValueMap,
    /// Headers; names are in lower case.
    pub headers: ValueMap,
    /// The client, when the request came over a socket.
    pub remote: Option<Remote>,
    /// What plugins that were asked earlier have left for later ones.
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

    /// What a placeholder of the route stands for.
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

/// A response, as `after_response` sees it.
#[derive(Clone, Debug, Deserialize)]
pub struct Response<'a> {
    /// HTTP status.
    pub status: u16,
    /// Headers; names are in lower case.
    pub headers: ValueMap,
    /// What plugins have left during the request.
    pub context: Value,
    /// The request that is answered.
    pub request: AnsweredRequest,
    /// The body is a stream that the server passes on as it comes, so that no plugin sees it.
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
