//! The trait that plugins implement.

use crate::action::IntoAnswer;
use crate::request::{Request, Response};
use crate::{BackworksResult, EndpointAction, Manifest, RequestAction, ResponseAction, Value};
use async_trait::async_trait;
use std::time::Duration;

/// The health of a plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PluginHealth {
    /// It works.
    #[default]
    Healthy,
    /// It works less well than it should, for this reason.
    Degraded(String),
    /// It does not work, for this reason.
    Unhealthy(String),
}

/// A plugin. Only its name, version and description are required.
///
/// Methods may run on several threads at once, which is why they take `&self`. They run on an executor
/// of the SDK: tokio's timers work, and spawned tasks keep running between calls. If a method returns an
/// error or panics, its call fails. The server skips an optional plugin, and answers the request with an
/// error if the plugin is critical.
#[async_trait]
pub trait BackworksPlugin: Send + Sync {
    /// Lower-case words joined by `-`, at most 64 bytes.
    fn name(&self) -> &str;

    /// A semantic version.
    fn version(&self) -> &str;

    /// One sentence for people.
    fn description(&self) -> &str;

    /// Hooks, capabilities, dependencies and other facts for the server.
    fn manifest(&self) -> Manifest {
        Manifest::new()
    }

    /// Longest time a call may take, unless the operator's configuration says otherwise.
    fn max_execution_time(&self) -> Duration {
        Duration::from_millis(100)
    }

    /// Whether requests fail when this plugin fails. A plugin that refuses requests must be critical: when
    /// an optional plugin fails, requests continue without it.
    fn is_critical(&self) -> bool {
        false
    }

    /// Prepares the plugin. `config` is its `config:` block, an object.
    async fn initialize(&self, _config: &Value) -> BackworksResult<()> {
        Ok(())
    }

    /// Applies a new configuration while the plugin runs. Only called for plugins that are exported with
    /// `export_plugin!(Plugin, reconfigure)`. The processes of other plugins are replaced.
    async fn reconfigure(&self, config: &Value) -> BackworksResult<()> {
        self.initialize(config).await
    }

    /// Releases everything. A process may end without this call.
    async fn shutdown(&self) -> BackworksResult<()> {
        Ok(())
    }

    /// Reports the health of the plugin. Called from time to time, between calls.
    async fn health_check(&self) -> PluginHealth {
        PluginHealth::Healthy
    }

    /// Receives a request before its endpoint does.
    async fn before_request(&self, _request: &Request<'_>) -> BackworksResult<RequestAction> {
        Ok(RequestAction::Continue)
    }

    /// Answers a request.
    async fn process_endpoint(&self, _request: &Request<'_>) -> BackworksResult<EndpointAction> {
        Ok(EndpointAction::Pass)
    }

    /// Receives a response before the client does.
    async fn after_response(&self, _response: &Response<'_>) -> BackworksResult<ResponseAction> {
        Ok(ResponseAction::Continue)
    }

    /// Performs an operation for another plugin. The manifest lists the operation as a capability.
    async fn call(&self, _operation: &str, _payload: &Value) -> BackworksResult<Option<Value>> {
        Ok(None)
    }

    /// The same as `process_endpoint`, with the JSON texts that cross the ABI. Implement one of the two.
    ///
    /// `endpoint` is the route as configured. The answer is JSON: an object with `status` and `body` is
    /// a whole response, anything else is the body of a 200.
    async fn process_endpoint_data(
        &self,
        _endpoint: &str,
        _method: &str,
        data: &str,
    ) -> BackworksResult<Option<String>> {
        let action = self.process_endpoint(&Request::from_json(data)?).await?;
        action.into_answer()
    }

    /// The same as `before_request`, with the JSON texts that cross the ABI. Implement one of the two.
    async fn before_request_data(&self, request: &str) -> BackworksResult<Option<String>> {
        let action = self.before_request(&Request::from_json(request)?).await?;
        action.into_answer()
    }

    /// The same as `after_response`, with the JSON texts that cross the ABI. Implement one of the two.
    async fn after_response_data(&self, response: &str) -> BackworksResult<Option<String>> {
        let action = self.after_response(&Response::from_json(response)?).await?;
        action.into_answer()
    }
}
