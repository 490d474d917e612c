//! The functions that the code of `export_plugin!` calls. Plugins do not call them.

use crate::abi::{BackworksHost, PluginInfo};
use crate::barrier::guarded;
use crate::executor::block_on;
use crate::host::{self, c_string};
use crate::plugin::{BackworksPlugin, PluginHealth};
use crate::{PluginResult, Value};
use std::ffi::{CStr, CString, c_char};
use std::process::abort;
use std::ptr;
use std::sync::{Mutex, OnceLock, PoisonError};

/// An exported plugin. It is created when the server first calls it.
///
/// # Safety
/// For all methods with pointers: each pointer is NULL or a string that is valid until the method returns.
pub struct Exported<T> {
    plugin: OnceLock<T>,
    info: OnceLock<[CString; 3]>,
    manifest: OnceLock<CString>,
    last_error: Mutex<Option<CString>>,
}

impl<T: BackworksPlugin + Default + 'static> Exported<T> {
    /// An exported plugin that is not created yet.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a default cannot be used in a static"
    )]
    pub const fn new() -> Self {
        Self {
            plugin: OnceLock::new(),
            info: OnceLock::new(),
            manifest: OnceLock::new(),
            last_error: Mutex::new(None),
        }
    }

    fn plugin(&self) -> &T {
        self.plugin.get_or_init(T::default)
    }

    /// `plugin_info()`. If the plugin panics here, its name is empty, and the server refuses it.
    pub fn info(&self) -> PluginInfo {
        let texts = guarded(|| {
            let plugin = self.plugin();
            Ok(self.info.get_or_init(|| {
                [plugin.name(), plugin.version(), plugin.description()].map(c_string)
            }))
        });
        let pointer = |index: usize| {
            texts
                .as_ref()
                .map_or(ptr::null(), |texts| texts[index].as_ptr())
        };
        PluginInfo {
            name: pointer(0),
            version: pointer(1),
            description: pointer(2),
        }
    }

    /// `manifest()`
    pub fn manifest(&self) -> *const c_char {
        let manifest = guarded(|| {
            let plugin = self.plugin();
            Ok(self.manifest.get_or_init(|| {
                let milliseconds = plugin.max_execution_time().as_millis();
                let mut manifest = plugin.manifest();
                manifest.default_member("critical", plugin.is_critical().into());
                manifest.default_member("max_execution_time_ms", (milliseconds as u64).into());
                c_string(&manifest.into_json())
            }))
        });
        manifest.map_or(ptr::null(), |manifest| manifest.as_ptr())
    }

    /// `bind_host()`
    pub fn bind_host(&self, host: *const BackworksHost) -> i32 {
        host::bind(host);
        0
    }

    /// `last_error()`
    pub fn last_error(&self) -> *const c_char {
        let text = self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        text.as_ref().map_or(ptr::null(), |text| text.as_ptr())
    }

    /// `initialize()`
    ///
    /// # Safety
    /// See the type.
    pub unsafe fn initialize(&self, config: *const c_char) -> i32 {
        // SAFETY: the caller's promise.
        let config = unsafe { text(config) };
        self.status(1, || block_on(self.plugin().initialize(&value(config)?)))
    }

    /// `reconfigure()`
    ///
    /// # Safety
    /// See the type.
    pub unsafe fn reconfigure(&self, config: *const c_char) -> i32 {
        // SAFETY: the caller's promise.
        let config = unsafe { text(config) };
        self.status(1, || block_on(self.plugin().reconfigure(&value(config)?)))
    }

    /// `shutdown()`
    pub fn shutdown(&self) -> i32 {
        self.status(1, || block_on(self.plugin().shutdown()))
    }

    /// `health_check()`
    pub fn health_check(&self) -> i32 {
        let health = guarded(|| block_on(async { Ok(self.plugin().health_check().await) }));
        match health {
            Ok(PluginHealth::Healthy) => 0,
            Ok(PluginHealth::Degraded(why)) => self.explain(1, &why),
            Ok(PluginHealth::Unhealthy(why)) => self.explain(-1, &why),
            Err(error) => self.explain(-1, &error.to_string()),
        }
    }

    /// `before_request()`
    ///
    /// # Safety
    /// See the type.
    pub unsafe fn before_request(&self, request: *const c_char) -> *const c_char {
        // SAFETY: the caller's promise.
        let request = unsafe { text(request) };
        answer(|| block_on(self.plugin().before_request_data(request)))
    }

    /// `after_response()`
    ///
    /// # Safety
    /// See the type.
    pub unsafe fn after_response(&self, response: *const c_char) -> *const c_char {
        // SAFETY: the caller's promise.
        let response = unsafe { text(response) };
        answer(|| block_on(self.plugin().after_response_data(response)))
    }

    /// `process_endpoint()`
    ///
    /// # Safety
    /// See the type.
    pub unsafe fn process_endpoint(
        &self,
        endpoint: *const c_char,
        method: *const c_char,
        data: *const c_char,
    ) -> *const c_char {
        // SAFETY: the caller's promise.
        let (endpoint, method, data) = unsafe { (text(endpoint), text(method), text(data)) };
        answer(|| block_on(self.plugin().process_endpoint_data(endpoint, method, data)))
    }

    /// `call()`
    ///
    /// # Safety
    /// See the type.
    pub unsafe fn call(&self, operation: *const c_char, payload: *const c_char) -> *const c_char {
        // SAFETY: the caller's promise.
        let (operation, payload) = unsafe { (text(operation), text(payload)) };
        answer(|| {
            let answer = block_on(self.plugin().call(operation, &value(payload)?))?;
            Ok(answer.map(|value| value.to_string()))
        })
    }

    fn status(&self, failed: i32, work: impl FnOnce() -> PluginResult<()>) -> i32 {
        match guarded(work) {
            Ok(()) => 0,
            Err(error) => self.explain(failed, &error.to_string()),
        }
    }

    fn explain(&self, status: i32, why: &str) -> i32 {
        *self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(c_string(why));
        status
    }
}

/// `free_string()`
///
/// # Safety
/// `string` was returned by a hook or by `call()`, and is no longer used.
pub unsafe fn free_string(string: *const c_char) {
    // SAFETY: answer() made it with into_raw().
    drop(unsafe { CString::from_raw(string.cast_mut()) });
}

/// A host without fail() would read NULL as "unchanged", and would let through a request that the plugin may have
/// wanted to refuse.
fn answer(work: impl FnOnce() -> PluginResult<Option<String>>) -> *const c_char {
    let json = match guarded(|| Ok(work()?.map(CString::new).transpose()?)) {
        Ok(json) => json,
        Err(error) if host::fail(&error.to_string()) => None,
        Err(error) => {
            eprintln!("{error}");
            abort()
        }
    };
    json.map_or(ptr::null(), |json| json.into_raw().cast_const())
}

fn value(json: &str) -> PluginResult<Value> {
    Ok(serde_json::from_str(json)?)
}

/// # Safety
/// `pointer` is NULL or a string that outlives the result.
unsafe fn text<'a>(pointer: *const c_char) -> &'a str {
    if pointer.is_null() {
        return "";
    }
    // SAFETY: the caller's promise. The host's documents are UTF-8.
    unsafe { CStr::from_ptr(pointer) }
        .to_str()
        .unwrap_or_default()
}

/// Exports a plugin type. A library exports exactly one.
///
/// The type implements `BackworksPlugin` and `Default`. Add `reconfigure` for a plugin that can apply a new
/// configuration while it runs.
///
/// ```
/// use backworks_plugin_sdk::*;
///
/// #[derive(Default)]
/// struct Hello;
///
/// impl BackworksPlugin for Hello {
///     fn name(&self) -> &str { "hello" }
///     fn version(&self) -> &str { "1.0.0" }
///     fn description(&self) -> &str { "Says hello." }
/// }
///
/// export_plugin!(Hello, reconfigure);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_plugin {
    ($plugin:ty) => {
        $crate::export_plugin!(@export $plugin, None);
    };
    ($plugin:ty, reconfigure) => {
        $crate::export_plugin!(@export $plugin, Some({
            unsafe extern "C" fn reconfigure(config: *const ::core::ffi::c_char) -> i32 {
                // SAFETY: the host passes strings that live until the return, here and below.
                unsafe { BACKWORKS_PLUGIN.reconfigure(config) }
            }
            reconfigure as $crate::abi::TakesConfig
        }));
    };
    (@export $plugin:ty, $reconfigure:expr) => {
        static BACKWORKS_PLUGIN: $crate::export::Exported<$plugin> = $crate::export::Exported::new();

        const _: () = {
            use ::core::ffi::c_char;
            use $crate::abi;

            unsafe extern "C" fn initialize(config: *const c_char) -> i32 {
                unsafe { BACKWORKS_PLUGIN.initialize(config) }
            }
            unsafe extern "C" fn shutdown() -> i32 {
                BACKWORKS_PLUGIN.shutdown()
            }
            unsafe extern "C" fn health_check() -> i32 {
                BACKWORKS_PLUGIN.health_check()
            }
            unsafe extern "C" fn before_request(request: *const c_char) -> *const c_char {
                unsafe { BACKWORKS_PLUGIN.before_request(request) }
            }
            unsafe extern "C" fn after_response(response: *const c_char) -> *const c_char {
                unsafe { BACKWORKS_PLUGIN.after_response(response) }
            }
            unsafe extern "C" fn process_endpoint(
                endpoint: *const c_char,
                method: *const c_char,
                data: *const c_char,
            ) -> *const c_char {
                unsafe { BACKWORKS_PLUGIN.process_endpoint(endpoint, method, data) }
            }
            unsafe extern "C" fn manifest() -> *const c_char {
                BACKWORKS_PLUGIN.manifest()
            }
            unsafe extern "C" fn free_string(string: *const c_char) {
                unsafe { $crate::export::free_string(string) }
            }
            unsafe extern "C" fn last_error() -> *const c_char {
                BACKWORKS_PLUGIN.last_error()
            }
            unsafe extern "C" fn bind_host(host: *const abi::BackworksHost) -> i32 {
                BACKWORKS_PLUGIN.bind_host(host)
            }
            unsafe extern "C" fn call(
                operation: *const c_char,
                payload: *const c_char,
            ) -> *const c_char {
                unsafe { BACKWORKS_PLUGIN.call(operation, payload) }
            }

            static EXTENSIONS: abi::BackworksExtensions = abi::BackworksExtensions {
                size: ::core::mem::size_of::<abi::BackworksExtensions>() as u32,
                abi_version: abi::ABI_VERSION,
                flags: abi::THREAD_SAFE,
                manifest: Some(manifest),
                free_string: Some(free_string),
                last_error: Some(last_error),
                bind_host: Some(bind_host),
                call: Some(call),
                reconfigure: $reconfigure,
            };

            #[unsafe(no_mangle)]
            extern "C" fn plugin_info() -> abi::PluginInfo {
                BACKWORKS_PLUGIN.info()
            }

            #[unsafe(no_mangle)]
            extern "C" fn plugin_vtable() -> abi::PluginVTable {
                abi::PluginVTable {
                    initialize: Some(initialize),
                    shutdown: Some(shutdown),
                    health_check: Some(health_check),
                    before_request: Some(before_request),
                    after_response: Some(after_response),
                    process_endpoint: Some(process_endpoint),
                }
            }

            #[unsafe(no_mangle)]
            extern "C" fn backworks_extensions() -> *const abi::BackworksExtensions {
                &raw const EXTENSIONS
            }
        };
    };
}
