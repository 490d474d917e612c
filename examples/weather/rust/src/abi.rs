//! The two frozen symbols of backworks_plugin.h in Rust, and the wrappers around every call from C.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};
use std::panic::{UnwindSafe, catch_unwind};
use std::ptr;

#[repr(C)]
pub struct PluginInfo {
    pub name: *const c_char,
    pub version: *const c_char,
    pub description: *const c_char,
}

type Lifecycle = unsafe extern "C" fn() -> i32;
type Hook = unsafe extern "C" fn(*const c_char) -> *const c_char;

/// A `None` is a NULL pointer: "not implemented".
#[repr(C)]
pub struct PluginVTable {
    pub initialize: Option<unsafe extern "C" fn(*const c_char) -> i32>,
    pub shutdown: Option<Lifecycle>,
    pub health_check: Option<Lifecycle>,
    pub before_request: Option<Hook>,
    pub after_response: Option<Hook>,
    pub process_endpoint:
        Option<unsafe extern "C" fn(*const c_char, *const c_char, *const c_char) -> *const c_char>,
}

thread_local! {
    /// The last string that was returned to the host. The host copies it before the next call. The
    /// frozen part of the ABI has no free_string, so keeping only the last string avoids a leak.
    static REPLY: RefCell<CString> = RefCell::new(CString::default());
}

/// A text of the host, valid during a call. NULL and invalid UTF-8 read as "".
///
/// # Safety
/// `text` is NULL or ends with a NUL byte and outlives the returned reference.
pub unsafe fn borrow<'a>(text: *const c_char) -> &'a str {
    if text.is_null() {
        return "";
    }
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or_default()
}

/// Runs a hook. `None` becomes NULL. So does a panic, because a panic must not unwind into the host.
pub fn answer(hook: impl FnOnce() -> Option<String> + UnwindSafe) -> *const c_char {
    let Ok(Some(text)) = catch_unwind(hook) else {
        return ptr::null();
    };
    // JSON writes U+0000 as an escape, so the text contains no NUL.
    let Ok(text) = CString::new(text) else {
        return ptr::null();
    };
    REPLY.with(|reply| {
        *reply.borrow_mut() = text;
        reply.borrow().as_ptr()
    })
}

/// Runs a function that returns 0 for success. An error and a panic become `failure`. Without
/// last_error, the message goes to stderr, which the host logs under the plugin's name.
pub fn status(failure: i32, function: impl FnOnce() -> Result<(), String> + UnwindSafe) -> i32 {
    match catch_unwind(function) {
        Ok(Ok(())) => 0,
        Ok(Err(why)) => {
            eprintln!("{why}");
            failure
        }
        Err(_) => failure,
    }
}
