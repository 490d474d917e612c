//! The C ABI, version 1, as `backworks_plugin.h` defines it. Plugins do not need this module: the
//! `export_plugin!` macro uses it for them.

use std::ffi::c_char;

/// The ABI version this crate was written against.
pub const ABI_VERSION: u32 = 1;

/// The hooks may be called on several threads at once.
pub const THREAD_SAFE: u64 = 1;

/// A function that takes one document and answers with another, or with NULL.
pub type Hook = unsafe extern "C" fn(*const c_char) -> *const c_char;
/// A function that takes a JSON text and returns a status.
pub type TakesConfig = unsafe extern "C" fn(*const c_char) -> i32;

/// `PluginInfo`. The strings are static.
#[repr(C)]
pub struct PluginInfo {
    /// Lower-case words joined by `-`.
    pub name: *const c_char,
    /// A semantic version.
    pub version: *const c_char,
    /// One sentence.
    pub description: *const c_char,
}

/// `PluginVTable`. NULL members are not implemented.
#[repr(C)]
pub struct PluginVTable {
    /// See `backworks_plugin.h`, as for the other members.
    pub initialize: Option<TakesConfig>,
    /// `shutdown()`
    pub shutdown: Option<unsafe extern "C" fn() -> i32>,
    /// `health_check()`
    pub health_check: Option<unsafe extern "C" fn() -> i32>,
    /// `before_request(request_json)`
    pub before_request: Option<Hook>,
    /// `after_response(response_json)`
    pub after_response: Option<Hook>,
    /// `process_endpoint(endpoint, method, data_json)`
    pub process_endpoint:
        Option<unsafe extern "C" fn(*const c_char, *const c_char, *const c_char) -> *const c_char>,
}

/// `BackworksHost`: what the server offers. Members beyond `size` must not be read.
#[repr(C)]
pub struct BackworksHost {
    /// Bytes of the table as the host knows it.
    pub size: u32,
    /// ABI version of the host.
    pub abi_version: u32,
    /// `log(level, message)`
    pub log: Option<unsafe extern "C" fn(i32, *const c_char)>,
    /// `metric(name, delta)`
    pub metric: Option<unsafe extern "C" fn(*const c_char, f64)>,
    /// `kv_get(key)`
    pub kv_get: Option<Hook>,
    /// `kv_set(key, value, ttl_seconds)`
    pub kv_set: Option<unsafe extern "C" fn(*const c_char, *const c_char, u32) -> i32>,
    /// `http_fetch(request_json)`
    pub http_fetch: Option<Hook>,
    /// `call(plugin, operation, payload_json)`
    pub call:
        Option<unsafe extern "C" fn(*const c_char, *const c_char, *const c_char) -> *const c_char>,
    /// `deadline_left_ms()`
    pub deadline_left_ms: Option<unsafe extern "C" fn() -> i64>,
    /// `cancelled()`
    pub cancelled: Option<unsafe extern "C" fn() -> i32>,
    /// `fail(message)`
    pub fail: Option<unsafe extern "C" fn(*const c_char)>,
}

/// `BackworksExtensions`: what a plugin adds to its vtable.
#[repr(C)]
pub struct BackworksExtensions {
    /// Bytes of the table as the plugin knows it.
    pub size: u32,
    /// The lowest ABI version the plugin needs.
    pub abi_version: u32,
    /// Bits such as `THREAD_SAFE`.
    pub flags: u64,
    /// `manifest()`
    pub manifest: Option<unsafe extern "C" fn() -> *const c_char>,
    /// `free_string(string)`
    pub free_string: Option<unsafe extern "C" fn(*const c_char)>,
    /// `last_error()`
    pub last_error: Option<unsafe extern "C" fn() -> *const c_char>,
    /// `bind_host(host)`
    pub bind_host: Option<unsafe extern "C" fn(*const BackworksHost) -> i32>,
    /// `call(operation, payload_json)`
    pub call: Option<unsafe extern "C" fn(*const c_char, *const c_char) -> *const c_char>,
    /// `reconfigure(config_json)`
    pub reconfigure: Option<TakesConfig>,
}
