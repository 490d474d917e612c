//! Where async methods run.

use crate::{PluginError, PluginResult};
use std::future::Future;
use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};
use tokio::runtime::{Builder, Runtime};

/// Runs a future on the calling thread. Tasks that it spawns run on one thread of the executor.
pub(crate) fn block_on<T>(future: impl Future<Output = PluginResult<T>>) -> PluginResult<T> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("plugin-tasks")
            .enable_all()
            .build()
            .map_err(|error| format!("the executor cannot start: {error}"))
    });
    let runtime = runtime.as_ref().map_err(PluginError::new)?;
    let mut future = pin!(future);
    // Most methods never wait. They need no thread that can be woken.
    let inside = runtime.enter();
    if let Poll::Ready(result) = future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        return result;
    }
    drop(inside);
    runtime.block_on(future)
}
