#![doc = include_str!("../README.md")]

pub mod abi;
mod action;
mod barrier;
mod body;
mod config;
mod error;
mod executor;
#[doc(hidden)]
pub mod export;
mod headers;
pub mod host;
mod http;
mod lazy;
mod manifest;
mod members;
mod plugin;
mod request;
pub mod testing;

pub use action::{EndpointAction, Patch, Reply, RequestAction, ResponseAction};
pub use async_trait::async_trait;
pub use backworks_plugin_sdk_derive::PluginConfig;
pub use body::{Body, BodyEncoding};
pub use config::PluginConfig;
pub use error::{BackworksResult, PluginError, PluginResult};
pub use headers::{ValueMap, Values};
pub use http::{HttpBody, HttpError, HttpRequest, HttpResponse};
pub use lazy::Lazy;
pub use log::{debug, error, info, warn};
pub use manifest::{Hook, Manifest};
pub use plugin::{BackworksPlugin, PluginHealth};
pub use request::{AnsweredRequest, Remote, Request, Response};
pub use serde_json::{Value, json};

/// For code that the macros generate.
#[doc(hidden)]
pub mod __private {
    pub use schemars;
    pub use serde;
}
