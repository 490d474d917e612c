use super::answer::{Answer, RequestOutcome};
use super::documents::{TestRequest, TestResponse};
use super::mock_host::MockHost;
use crate::export::{Exported, free_string};
use crate::host::c_string;
use crate::{BackworksPlugin, PluginError, PluginHealth, PluginResult, Value};
use std::ffi::{CStr, c_char};

/// A plugin that a [`MockHost`] started. Its functions are called as the server calls them: through the C ABI, with
/// JSON texts. A call that fails is an error with the message that the operator would read.
pub struct StartedPlugin<'a, T> {
    host: &'a MockHost,
    exported: Exported<T>,
}

impl<'a, T: BackworksPlugin + Default + 'static> StartedPlugin<'a, T> {
    pub(super) fn start(host: &'a MockHost, config: &Value) -> PluginResult<Self> {
        let started = Self {
            host,
            exported: Exported::new(),
        };
        started.manifest()?;
        let config = c_string(&config.to_string());
        // SAFETY: the text lives until the function returns, here and below.
        let status = unsafe { started.exported.initialize(config.as_ptr()) };
        started.succeeded(status)?;
        Ok(started)
    }

    /// What the plugin declares about itself.
    ///
    /// # Errors
    /// When `manifest()` panics.
    pub fn manifest(&self) -> PluginResult<Value> {
        let text = self.exported.manifest();
        if text.is_null() {
            return Err(PluginError::new("manifest() panicked"));
        }
        // SAFETY: the text lives as long as the plugin.
        parsed(unsafe { CStr::from_ptr(text) })
    }

    /// Calls `before_request`.
    ///
    /// # Errors
    /// When the call fails.
    pub fn before_request(&self, request: &TestRequest) -> PluginResult<RequestOutcome> {
        let document = c_string(&request.document());
        let answer = unsafe { self.exported.before_request(document.as_ptr()) };
        RequestOutcome::of(self.answer(answer)?)
    }

    /// Calls `process_endpoint`. `None` means that the request is not for this plugin.
    ///
    /// # Errors
    /// When the call fails.
    pub fn process_endpoint(&self, request: &TestRequest) -> PluginResult<Option<Answer>> {
        let document = request.document();
        let value: Value = serde_json::from_str(&document)?;
        let text = |name: &str| value[name].as_str().map(c_string);
        let endpoint = text("route").or_else(|| text("path")).unwrap_or_default();
        let method = text("method").unwrap_or_default();
        let document = c_string(&document);
        let (endpoint, method) = (endpoint.as_ptr(), method.as_ptr());
        let answer = unsafe {
            self.exported
                .process_endpoint(endpoint, method, document.as_ptr())
        };
        self.answer(answer)?.map(Answer::of_endpoint).transpose()
    }

    /// Calls `after_response`. The result is the merge patch; `None` when the response stays as it is.
    ///
    /// # Errors
    /// When the call fails.
    pub fn after_response(&self, response: &TestResponse) -> PluginResult<Option<Value>> {
        let document = c_string(&response.document());
        let answer = unsafe { self.exported.after_response(document.as_ptr()) };
        Ok(self
            .answer(answer)?
            .map(|mut value| match value.get_mut("response") {
                Some(patch) => patch.take(),
                None => value,
            }))
    }

    /// Calls an operation that the plugin provides to other plugins.
    ///
    /// # Errors
    /// When the call fails.
    pub fn call(&self, operation: &str, payload: &Value) -> PluginResult<Option<Value>> {
        let (operation, payload) = (c_string(operation), c_string(&payload.to_string()));
        let answer = unsafe { self.exported.call(operation.as_ptr(), payload.as_ptr()) };
        self.answer(answer)
    }

    /// Calls `health_check`.
    #[must_use]
    pub fn health(&self) -> PluginHealth {
        let reason = |_| self.last_error().to_string();
        match self.exported.health_check() {
            0 => PluginHealth::Healthy,
            status if status > 0 => PluginHealth::Degraded(reason(status)),
            status => PluginHealth::Unhealthy(reason(status)),
        }
    }

    /// Calls `reconfigure`.
    ///
    /// # Errors
    /// When the plugin keeps its old configuration.
    pub fn reconfigure(&self, config: &Value) -> PluginResult<()> {
        let config = c_string(&config.to_string());
        self.succeeded(unsafe { self.exported.reconfigure(config.as_ptr()) })
    }

    /// Calls `shutdown`.
    ///
    /// # Errors
    /// What the plugin returns.
    pub fn shutdown(self) -> PluginResult<()> {
        self.succeeded(self.exported.shutdown())
    }

    fn succeeded(&self, status: i32) -> PluginResult<()> {
        if status == 0 {
            Ok(())
        } else {
            Err(self.last_error())
        }
    }

    fn last_error(&self) -> PluginError {
        let text = self.exported.last_error();
        if text.is_null() {
            return PluginError::new("no reason given");
        }
        // SAFETY: the text lives until the next function of the plugin.
        PluginError::new(unsafe { CStr::from_ptr(text) }.to_string_lossy())
    }

    /// Reads what a function returned, and gives the string back.
    fn answer(&self, text: *const c_char) -> PluginResult<Option<Value>> {
        let answer = if text.is_null() {
            Ok(None)
        } else {
            // SAFETY: the plugin returned the string, and nobody else has it.
            let read = parsed(unsafe { CStr::from_ptr(text) });
            unsafe { free_string(text) };
            read.map(Some)
        };
        match self.host.take_failure() {
            Some(failure) => Err(PluginError::new(failure)),
            None => answer,
        }
    }
}

fn parsed(text: &CStr) -> PluginResult<Value> {
    let text = text.to_str()?;
    serde_json::from_str(text)
        .map_err(|error| PluginError::from(error).context(format!("not JSON: {text}")))
}
