use super::started::StartedPlugin;
use crate::abi::{ABI_VERSION, BackworksHost};
use crate::body::encode_bytes;
use crate::host::{self, c_string};
use crate::{BackworksPlugin, HttpRequest, HttpResponse, PluginResult, Value};
use log::Level;
use serde_json::json;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ffi::{CStr, CString, c_char};
use std::marker::PhantomData;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// A line that the plugin logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Its level. Trace becomes debug.
    pub level: Level,
    /// The text.
    pub text: String,
}

/// A call of the plugin to an operation of another plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationCall {
    /// The plugin it named; `None` for any that provides the operation.
    pub plugin: Option<String>,
    /// The operation.
    pub operation: String,
    /// What it passed.
    pub payload: Value,
}

/// Answers in the order in which they were given; the last one again and again.
type Script = HashMap<String, VecDeque<String>>;

#[derive(Default)]
pub(super) struct State {
    log: Vec<LogLine>,
    metrics: BTreeMap<String, f64>,
    values: HashMap<String, (String, Option<Duration>)>,
    responses: Script,
    fetched: Vec<Value>,
    operations: Script,
    calls: Vec<OperationCall>,
    failure: Option<String>,
    now: Duration,
    deadline: Option<Duration>,
    cancelled: bool,
}

impl State {
    fn value(&self, key: &str) -> Option<String> {
        let (value, end) = self.values.get(key)?;
        end.is_none_or(|end| end > self.now).then(|| value.clone())
    }

    fn deadline_left(&self) -> Option<Duration> {
        Some(self.deadline?.saturating_sub(self.now))
    }
}

fn scripted(script: &mut Script, name: &str) -> Option<String> {
    let answers = script.get_mut(name)?;
    if answers.len() > 1 {
        answers.pop_front()
    } else {
        answers.front().cloned()
    }
}

type Shared = Mutex<State>;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) };
    /// What the plugin got last. It ends with the next function of the host.
    static LENT: RefCell<Option<CString>> = const { RefCell::new(None) };
}

static ALIVE: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The mock host of this thread, or the only one.
fn current() -> Option<Arc<Shared>> {
    CURRENT.with_borrow(Clone::clone).or_else(|| {
        let mut alive = locked(&ALIVE)
            .iter()
            .filter_map(Weak::upgrade)
            .collect::<Vec<_>>();
        if alive.len() == 1 { alive.pop() } else { None }
    })
}

/// Stands in for the server in a unit test. See [the module](super).
#[must_use]
pub struct MockHost {
    state: Arc<Shared>,
    /// It belongs to the thread of its test.
    thread: PhantomData<*const ()>,
}

impl MockHost {
    /// A host without values, responses and deadline.
    ///
    /// # Panics
    /// When there already is one on this thread.
    #[expect(clippy::new_without_default, reason = "making one has an effect")]
    pub fn new() -> Self {
        host::bind(&raw const TABLE);
        let state = Arc::new(Shared::default());
        CURRENT.with_borrow_mut(|current| {
            assert!(current.is_none(), "this thread already has a mock host");
            *current = Some(Arc::clone(&state));
        });
        locked(&ALIVE).push(Arc::downgrade(&state));
        Self {
            state,
            thread: PhantomData,
        }
    }

    /// Starts a plugin with its configuration, an object.
    ///
    /// # Errors
    /// What its `initialize` returns.
    pub fn start<T: BackworksPlugin + Default + 'static>(
        &self,
        config: &Value,
    ) -> PluginResult<StartedPlugin<'_, T>> {
        StartedPlugin::start(self, config)
    }

    /// The lines that the plugin logged, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<LogLine> {
        self.state().log.clone()
    }

    /// Whether some line contains this text.
    #[must_use]
    pub fn logged(&self, part: &str) -> bool {
        self.state().log.iter().any(|line| line.text.contains(part))
    }

    /// The sum of a counter; 0 when the plugin did not raise it.
    #[must_use]
    pub fn metric(&self, name: &str) -> f64 {
        self.state().metrics.get(name).copied().unwrap_or_default()
    }

    /// A value of the plugin's key-value space.
    #[must_use]
    pub fn kv(&self, key: &str) -> Option<String> {
        self.state().value(key)
    }

    /// Sets a value of the plugin's key-value space.
    pub fn set_kv(&self, key: &str, value: &str) {
        let entry = (value.to_owned(), None);
        self.state().values.insert(key.to_owned(), entry);
    }

    /// What a request to a URL is answered with. Several answers for one URL are given in order, the last one again
    /// and again. Any other URL gets an error.
    pub fn respond(&self, url: &str, response: &HttpResponse) {
        let (body, encoding) = match std::str::from_utf8(&response.body) {
            Ok(text) => (text.to_owned(), "text"),
            Err(_) => (encode_bytes(&response.body), "base64"),
        };
        let document = json!({
            "status": response.status, "headers": response.headers,
            "body": body, "body_encoding": encoding,
        });
        self.script_response(url, document);
    }

    /// Makes a request to a URL fail, with this message of the server.
    pub fn refuse(&self, url: &str, message: &str) {
        self.script_response(url, json!({ "error": message }));
    }

    fn script_response(&self, url: &str, document: Value) {
        let mut state = self.state();
        let answers = state.responses.entry(url.to_owned()).or_default();
        answers.push_back(document.to_string());
    }

    /// The requests that the plugin made, oldest first.
    ///
    /// # Panics
    /// When the plugin passed a document that is no request.
    #[must_use]
    pub fn requests(&self) -> Vec<HttpRequest> {
        let read = |document| match HttpRequest::from_document(document) {
            Ok(request) => request,
            Err(error) => panic!("{document} is no request: {error}"),
        };
        self.state().fetched.iter().map(read).collect()
    }

    /// What an operation of another plugin answers, in order as for [`respond`](Self::respond). Any other operation
    /// gives no answer.
    pub fn provide(&self, operation: &str, answer: &Value) {
        let mut state = self.state();
        let answers = state.operations.entry(operation.to_owned()).or_default();
        answers.push_back(answer.to_string());
    }

    /// The calls of other plugins' operations, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<OperationCall> {
        self.state().calls.clone()
    }

    /// The time that the calls have left; `None`, as at first, for no deadline.
    pub fn set_deadline(&self, left: Option<Duration>) {
        let mut state = self.state();
        state.deadline = left.map(|left| state.now + left);
    }

    /// Lets time pass: the deadline comes nearer, and values of the key-value space end.
    pub fn pass(&self, time: Duration) {
        self.state().now += time;
    }

    /// Whether nobody waits for the answer any more. It is always so after the deadline.
    pub fn cancel(&self, cancelled: bool) {
        self.state().cancelled = cancelled;
    }

    pub(super) fn take_failure(&self) -> Option<String> {
        self.state().failure.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

impl Drop for MockHost {
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(Option::take);
        let mine = Arc::as_ptr(&self.state);
        locked(&ALIVE).retain(|other| !ptr::eq(other.as_ptr(), mine));
    }
}

static TABLE: BackworksHost = BackworksHost {
    size: size_of::<BackworksHost>() as u32,
    abi_version: ABI_VERSION,
    log: Some(write_log),
    metric: Some(add_metric),
    kv_get: Some(kv_get),
    kv_set: Some(kv_set),
    http_fetch: Some(http_fetch),
    call: Some(call),
    deadline_left_ms: Some(deadline_left_ms),
    cancelled: Some(cancelled),
    fail: Some(fail),
};

/// # Safety
/// `pointer` is NULL or a string.
unsafe fn string(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(pointer) }
        .to_string_lossy()
        .into_owned()
}

/// Ends the life of the string that the plugin got last, and lends it another.
fn lend(text: Option<String>) -> *const c_char {
    LENT.with_borrow_mut(|lent| {
        *lent = text.map(|text| c_string(&text));
        lent.as_ref().map_or(ptr::null(), |text| text.as_ptr())
    })
}

/// Without a mock host, as on a thread that outlives its test, nothing happens.
fn with<T>(otherwise: T, work: impl FnOnce(&mut State) -> T) -> T {
    current().map_or(otherwise, |state| work(&mut locked(&state)))
}

unsafe extern "C" fn write_log(level: i32, message: *const c_char) {
    let level = match level {
        0 => Level::Debug,
        2 => Level::Warn,
        3 => Level::Error,
        _ => Level::Info,
    };
    // SAFETY: the plugin passes strings, here and below.
    let text = unsafe { string(message) };
    with((), |state| state.log.push(LogLine { level, text }));
}

unsafe extern "C" fn add_metric(name: *const c_char, delta: f64) {
    let name = unsafe { string(name) };
    if delta.is_finite() && delta >= 0.0 {
        with((), |state| *state.metrics.entry(name).or_default() += delta);
    }
}

unsafe extern "C" fn kv_get(key: *const c_char) -> *const c_char {
    let key = unsafe { string(key) };
    lend(with(None, |state| state.value(&key)))
}

const KV_KEY_MAX: usize = 1024;
const KV_VALUE_MAX: usize = 1 << 20;
const KV_INVALID: i32 = 2;

unsafe extern "C" fn kv_set(key: *const c_char, value: *const c_char, ttl_seconds: u32) -> i32 {
    let is_removed = value.is_null();
    let (key, value) = unsafe { (string(key), string(value)) };
    if key.is_empty() || key.len() > KV_KEY_MAX || value.len() > KV_VALUE_MAX {
        return KV_INVALID;
    }
    with((), |state| {
        let ttl = Duration::from_secs(ttl_seconds.into());
        let end = (ttl_seconds > 0).then(|| state.now + ttl);
        if is_removed {
            state.values.remove(&key);
        } else {
            state.values.insert(key, (value, end));
        }
    });
    0
}

unsafe extern "C" fn http_fetch(request: *const c_char) -> *const c_char {
    let text = unsafe { string(request) };
    let refused = |why: &str| json!({ "error": why }).to_string();
    let answer = match serde_json::from_str::<Value>(&text) {
        Err(_) => refused("the request is not JSON"),
        Ok(request) => with(None, |state| {
            let url = request["url"].as_str().unwrap_or_default();
            let answer = scripted(&mut state.responses, url);
            state.fetched.push(request);
            answer
        })
        .unwrap_or_else(|| refused("the test has no response for this URL")),
    };
    lend(Some(answer))
}

unsafe extern "C" fn call(
    plugin: *const c_char,
    operation: *const c_char,
    payload: *const c_char,
) -> *const c_char {
    let named = !plugin.is_null();
    let (plugin, operation, payload) =
        unsafe { (string(plugin), string(operation), string(payload)) };
    let call = OperationCall {
        plugin: named.then_some(plugin),
        payload: serde_json::from_str(&payload).unwrap_or_default(),
        operation,
    };
    lend(with(None, |state| {
        let answer = scripted(&mut state.operations, &call.operation);
        state.calls.push(call);
        answer
    }))
}

unsafe extern "C" fn deadline_left_ms() -> i64 {
    let left = with(None, |state| state.deadline_left());
    left.map_or(-1, |left| left.as_millis() as i64)
}

unsafe extern "C" fn cancelled() -> i32 {
    i32::from(with(false, |state| {
        state.cancelled || state.deadline_left() == Some(Duration::ZERO)
    }))
}

unsafe extern "C" fn fail(message: *const c_char) {
    let text = unsafe { string(message) };
    with((), |state| state.failure = Some(text));
}
