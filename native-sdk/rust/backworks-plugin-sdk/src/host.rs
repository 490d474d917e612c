//! What the server offers to plugins. Every function may be called on any thread.
//!
//! The `log` crate's macros write to the server's log as well.

use crate::abi::BackworksHost;
use crate::{HttpError, HttpRequest, HttpResponse, PluginError, PluginResult, Value};
use std::ffi::{CStr, CString, c_char};
use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::Duration;

static HOST: AtomicPtr<BackworksHost> = AtomicPtr::new(ptr::null_mut());

/// A member of the host table, if the host has it.
macro_rules! member {
    ($name:ident) => {{
        let host = HOST.load(Ordering::Acquire);
        let end = offset_of!(BackworksHost, $name) + size_of::<usize>();
        // SAFETY: the host keeps its table as long as the library is loaded. The first member is the size of
        // the table, and nothing beyond that size is read.
        unsafe {
            if host.is_null() || ((*host).size as usize) < end { None } else { (*host).$name }
        }
    }};
}

pub(crate) fn bind(host: *const BackworksHost) {
    HOST.store(host.cast_mut(), Ordering::Release);
    if log::set_logger(&Logger).is_ok() {
        log::set_max_level(log::LevelFilter::Debug);
    }
}

/// Makes the running call fail. False when the host does not offer fail().
pub(crate) fn fail(message: &str) -> bool {
    let Some(fail) = member!(fail) else {
        return false;
    };
    let text = c_string(message);
    // SAFETY: the text lives until the function returns.
    unsafe { fail(text.as_ptr()) };
    true
}

/// Adds to the counter `backworks_plugin_custom_total{plugin,name}`. Names consist of `a-z`, `0-9` and `_`.
pub fn metric(name: &str, delta: f64) {
    if let Some(metric) = member!(metric) {
        let name = c_string(name);
        // SAFETY: the name lives until the function returns.
        unsafe { metric(name.as_ptr(), delta) };
    }
}

/// Reads a value of the plugin's own key-value space.
///
/// # Errors
/// When the host does not offer a key-value space.
pub fn kv_get(key: &str) -> PluginResult<Option<String>> {
    let get = member!(kv_get).ok_or_else(|| missing("kv_get"))?;
    let key = c_string(key);
    // SAFETY: the key lives until the function returns; the result is copied before the next call.
    Ok(unsafe { owned(get(key.as_ptr())) })
}

/// Writes a value to the plugin's own key-value space. Without a `ttl`, it is kept as long as the host's store exists.
///
/// # Errors
/// When the host does not offer a key-value space or does not store the value.
pub fn kv_set(key: &str, value: &str, ttl: Option<Duration>) -> PluginResult<()> {
    kv_write(
        key,
        Some(value),
        ttl.map_or(0, |ttl| {
            let seconds = ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0);
            u32::try_from(seconds.max(1)).unwrap_or(u32::MAX)
        }),
    )
}

/// Removes a value from the plugin's own key-value space.
///
/// # Errors
/// When the host does not offer a key-value space.
pub fn kv_remove(key: &str) -> PluginResult<()> {
    kv_write(key, None, 0)
}

fn kv_write(key: &str, value: Option<&str>, ttl_seconds: u32) -> PluginResult<()> {
    let set = member!(kv_set).ok_or_else(|| missing("kv_set"))?;
    let (key, value) = (c_string(key), value.map(c_string));
    let pointer = value.as_ref().map_or(ptr::null(), |value| value.as_ptr());
    // SAFETY: key and value live until the function returns.
    match unsafe { set(key.as_ptr(), pointer, ttl_seconds) } {
        0 => Ok(()),
        status => Err(PluginError::new(format!("kv_set() returned {status}"))),
    }
}

/// Makes an HTTP request through the server, to an origin that the plugin's permissions name. The call waits until
/// there is an answer, or until shortly before its deadline.
///
/// ```no_run
/// use backworks_plugin_sdk::{HttpRequest, Value, host};
///
/// let response = host::fetch(&HttpRequest::get("https://api.example/rates"))?;
/// if response.status == 200 {
///     let rates: Value = response.json()?;
/// }
/// # Ok::<(), backworks_plugin_sdk::PluginError>(())
/// ```
///
/// # Errors
/// When there is no response; a response with any status is a result.
pub fn fetch(request: &HttpRequest) -> Result<HttpResponse, HttpError> {
    match raw_fetch(&request.document().to_string()) {
        Some(answer) => HttpResponse::from_document(&answer),
        None => Err(HttpError::NotOffered),
    }
}

/// The answer of the host; `None` when it does not offer requests.
fn raw_fetch(request: &str) -> Option<String> {
    let fetch = member!(http_fetch)?;
    let request = c_string(request);
    // SAFETY: the request lives until the function returns; the result is copied before the next call.
    Some(unsafe { owned(fetch(request.as_ptr())) }.unwrap_or_default())
}

/// The same as [`fetch`], with the documents that cross the ABI. `request` is `{method, url, headers, body, body_encoding, timeout_ms}`, the result
/// `{status, headers, body, body_encoding}` with the body as a string.
///
/// # Errors
/// When the host does not offer requests, the origin is not permitted, or the target does not answer.
pub fn http_fetch(request: &Value) -> PluginResult<Value> {
    let answer = raw_fetch(&request.to_string()).ok_or(HttpError::NotOffered)?;
    let answer: Value = serde_json::from_str(&answer)?;
    match answer.get("error") {
        Some(error) => Err(PluginError::new(
            error.as_str().unwrap_or("the request failed"),
        )),
        None => Ok(answer),
    }
}

/// Calls an operation of another plugin. `plugin` is the name of a plugin in the manifest's dependencies. `None`
/// means the dependency that provides the operation.
///
/// # Errors
/// When the host does not offer calls. An operation that answered nothing or failed is `Ok(None)`.
pub fn call(plugin: Option<&str>, operation: &str, payload: &Value) -> PluginResult<Option<Value>> {
    let call = member!(call).ok_or_else(|| missing("call"))?;
    let (plugin, operation) = (plugin.map(c_string), c_string(operation));
    let payload = c_string(&payload.to_string());
    let name = plugin.as_ref().map_or(ptr::null(), |name| name.as_ptr());
    // SAFETY: the texts live until the function returns; the result is copied before the next call.
    let answer = unsafe { owned(call(name, operation.as_ptr(), payload.as_ptr())) };
    Ok(answer.map(|json| serde_json::from_str(&json)).transpose()?)
}

/// How long the running call may still take; `None` when it has no deadline.
#[must_use]
pub fn deadline_left() -> Option<Duration> {
    let left = member!(deadline_left_ms)?;
    // SAFETY: the function takes nothing and may be called at any time.
    u64::try_from(unsafe { left() })
        .ok()
        .map(Duration::from_millis)
}

/// True when the host no longer waits for the answer of the running call.
#[must_use]
pub fn cancelled() -> bool {
    // SAFETY: as above.
    member!(cancelled).is_some_and(|cancelled| unsafe { cancelled() } != 0)
}

fn missing(function: &str) -> PluginError {
    PluginError::new(format!("the server offers no {function}()"))
}

/// A NUL byte would end the text early, so it becomes a space.
pub(crate) fn c_string(text: &str) -> CString {
    CString::new(text).unwrap_or_else(|_| {
        let bytes = text
            .bytes()
            .map(|byte| if byte == 0 { b' ' } else { byte })
            .collect::<Vec<_>>();
        CString::new(bytes).unwrap_or_default()
    })
}

/// # Safety
/// `text` is NULL or a string that lives until this returns.
unsafe fn owned(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(
        unsafe { CStr::from_ptr(text) }
            .to_string_lossy()
            .into_owned(),
    )
}

/// Sends records of the `log` crate to the server.
struct Logger;

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Debug
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let Some(log) = member!(log) else { return };
        let level = match record.level() {
            log::Level::Error => 3,
            log::Level::Warn => 2,
            log::Level::Info => 1,
            log::Level::Debug | log::Level::Trace => 0,
        };
        let text = c_string(&record.args().to_string());
        // SAFETY: the text lives until the function returns.
        unsafe { log(level, text.as_ptr()) };
    }

    fn flush(&self) {}
}
