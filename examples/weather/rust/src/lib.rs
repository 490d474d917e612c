//! The weather plugin in Rust: answers GET /rust/weather and GET /rust/weather/{city}.
//!
//! It uses only the frozen part of the ABI, `plugin_info` and `plugin_vtable`. The strings that it
//! returns stay in thread-local storage until the next call, and no panic leaves an exported function.
//!
//! - `before_request` checks `?units=`; answers 400 itself, or stores the units in the context
//! - `process_endpoint` answers in the units that the context names
//! - `after_response` names the source of the answer in a header

mod abi;
mod climate;

use abi::{PluginInfo, PluginVTable, answer, borrow, status};
use serde_json::{Map, Value, json};
use std::ffi::c_char;
use std::sync::RwLock;

static DEFAULT_CITY: RwLock<String> = RwLock::new(String::new());

const NAME: &str = "weather-rust";
const SOURCE: &str = "weather-rust/1.0.0";
const FALLBACK_CITY: &str = "Lisbon";
const CITY_BYTES_MAX: usize = 127;

// ---- What the plugin does --------------------------------------------------------------------

fn configure(config: &str) -> Result<(), String> {
    let config: Map<String, Value> = serde_json::from_str(config)
        .map_err(|error| format!("the configuration is not a JSON object: {error}"))?;
    text_option(&config, "api_key")?;
    let city = text_option(&config, "default_city")?.unwrap_or(FALLBACK_CITY);
    *DEFAULT_CITY.write().map_err(|error| error.to_string())? = city.to_owned();
    Ok(())
}

fn text_option<'a>(config: &'a Map<String, Value>, key: &str) -> Result<Option<&'a str>, String> {
    match config.get(key) {
        None => Ok(None),
        Some(Value::String(text)) if is_name(text) => Ok(Some(text)),
        Some(_) => Err(format!(
            "{key} is not a text of 1 to {CITY_BYTES_MAX} bytes"
        )),
    }
}

fn is_name(text: &str) -> bool {
    (1..=CITY_BYTES_MAX).contains(&text.len()) && !text.contains('\0')
}

fn is_ours(route: &str) -> bool {
    matches!(route, "/rust/weather" | "/rust/weather/{city}")
}

fn bad_request(detail: &str) -> Value {
    json!({
        "status": 400,
        "headers": { "content-type": "application/problem+json" },
        "body": { "type": "about:blank", "title": "Bad Request", "status": 400, "detail": detail },
    })
}

fn check_units(request: &str) -> Option<Value> {
    let request: Value = serde_json::from_str(request).ok()?;
    if !is_ours(request["route"].as_str()?) {
        return None;
    }
    let units = match &request["query"]["units"] {
        Value::Null => "metric",
        Value::String(units) if units == "metric" || units == "imperial" => units,
        _ => return Some(json!({ "response": bad_request("units is metric or imperial") })),
    };
    Some(json!({ "context": { NAME: { "units": units } } }))
}

fn report(endpoint: &str, method: &str, request: &str) -> Option<Value> {
    if !is_ours(endpoint) || !matches!(method, "GET" | "HEAD") {
        return None;
    }
    let Ok(request) = serde_json::from_str::<Value>(request) else {
        return Some(bad_request("the request cannot be read"));
    };
    let default_city = DEFAULT_CITY.read().ok()?;
    let city = match &request["params"]["city"] {
        Value::Null => default_city.as_str(),
        Value::String(city) if is_name(city) => city,
        _ => return Some(bad_request("a city's name has 1 to 127 bytes")),
    };
    let units = match &request["context"][NAME]["units"] {
        Value::String(units) if units == "imperial" => "imperial",
        _ => "metric",
    };
    let climate = climate::climate_of(city);
    let tenths = match units {
        "imperial" => climate::tenths_fahrenheit(climate.temperature_tenths),
        _ => climate.temperature_tenths,
    };
    Some(json!({
        "basis": climate.basis,
        "city": climate.city,
        "conditions": climate.conditions,
        "humidity": climate.humidity_percent,
        "temperature": f64::from(tenths) / 10.0,
        "units": units,
    }))
}

fn name_source(response: &str) -> Option<Value> {
    let response: Value = serde_json::from_str(response).ok()?;
    response["context"].get(NAME)?;
    Some(json!({ "headers": { "x-weather-source": SOURCE } }))
}

// ---- What the library exports ----------------------------------------------------------------
// Safety, for all functions: the host passes NUL-terminated strings that are valid until the return.

unsafe extern "C" fn initialize(config_json: *const c_char) -> i32 {
    let config = unsafe { borrow(config_json) };
    status(1, || configure(config))
}

unsafe extern "C" fn health_check() -> i32 {
    status(-1, || {
        DEFAULT_CITY
            .read()
            .map(drop)
            .map_err(|error| error.to_string())
    })
}

unsafe extern "C" fn before_request(request_json: *const c_char) -> *const c_char {
    let request = unsafe { borrow(request_json) };
    answer(|| check_units(request).map(|value| value.to_string()))
}

unsafe extern "C" fn process_endpoint(
    endpoint: *const c_char,
    method: *const c_char,
    data_json: *const c_char,
) -> *const c_char {
    let (endpoint, method, data) = unsafe { (borrow(endpoint), borrow(method), borrow(data_json)) };
    answer(|| report(endpoint, method, data).map(|value| value.to_string()))
}

unsafe extern "C" fn after_response(response_json: *const c_char) -> *const c_char {
    let response = unsafe { borrow(response_json) };
    answer(|| name_source(response).map(|value| value.to_string()))
}

#[unsafe(no_mangle)]
pub extern "C" fn plugin_info() -> PluginInfo {
    PluginInfo {
        name: c"weather-rust".as_ptr(),
        version: c"1.0.0".as_ptr(),
        description: c"Yearly mean weather of cities, in Rust.".as_ptr(),
    }
}

/// `shutdown` is `None`: there is nothing to release.
#[unsafe(no_mangle)]
pub extern "C" fn plugin_vtable() -> PluginVTable {
    PluginVTable {
        initialize: Some(initialize),
        shutdown: None,
        health_check: Some(health_check),
        before_request: Some(before_request),
        after_response: Some(after_response),
        process_endpoint: Some(process_endpoint),
    }
}
