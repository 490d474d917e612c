//! Keeps panics inside the functions that the server calls.

use crate::{PluginError, PluginResult};
use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs code of the plugin. A panic becomes an error with its message, file and line.
pub(crate) fn guarded<T>(work: impl FnOnce() -> PluginResult<T>) -> PluginResult<T> {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(remember_places);
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| Err(panicked(&*payload)))
}

/// The previous panic hook prints the panic to stderr, which the server logs.
fn remember_places() {
    let print = take_hook();
    set_hook(Box::new(move |panic| {
        PLACE.set(panic.location().map(Location::to_string));
        print(panic);
    }));
}

fn panicked(payload: &(dyn Any + Send)) -> PluginError {
    let place = PLACE.take();
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    PluginError::new(match place {
        Some(place) => format!("panicked at {place}: {text}"),
        None => format!("panicked: {text}"),
    })
}
