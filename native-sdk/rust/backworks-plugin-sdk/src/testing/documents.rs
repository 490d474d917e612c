use crate::body::encode_bytes;
use crate::{PluginResult, Value};
use serde::Serialize;
use serde_json::json;

/// Adds a value to a name of the query or the headers: one is a string, several are a list.
fn add(values: &mut Value, name: &str, value: &str) {
    let value = Value::from(value);
    match &mut values[name] {
        Value::Array(list) => list.push(value),
        none @ Value::Null => *none = value,
        one => {
            let first = one.take();
            *one = json!([first, value]);
        }
    }
}

macro_rules! common {
    () => {
        /// The same with a header.
        #[must_use]
        pub fn header(mut self, name: &str, value: &str) -> Self {
            add(
                &mut self.document["headers"],
                &name.to_ascii_lowercase(),
                value,
            );
            self
        }

        /// The same with a value that an earlier hook left.
        #[must_use]
        pub fn context(mut self, name: &str, value: impl Into<Value>) -> Self {
            self.document["context"][name] = value.into();
            self
        }

        /// The same with a JSON body.
        ///
        /// # Errors
        /// When the value cannot be written as JSON.
        pub fn json(self, value: &impl Serialize) -> PluginResult<Self> {
            let value = serde_json::to_value(value)?;
            Ok(self.body("json", value, "application/json"))
        }

        /// The same with a body of plain text.
        #[must_use]
        pub fn text(self, text: &str) -> Self {
            self.body("text", text.into(), "text/plain; charset=utf-8")
        }

        /// The same with any bytes as its body.
        #[must_use]
        pub fn bytes(self, bytes: &[u8]) -> Self {
            let text = encode_bytes(bytes).into();
            self.body("base64", text, "application/octet-stream")
        }

        /// The same with any member of the document.
        #[must_use]
        pub fn with(mut self, member: &str, value: Value) -> Self {
            self.document[member] = value;
            self
        }

        /// The JSON text that the plugin gets.
        #[must_use]
        pub fn document(&self) -> String {
            self.document.to_string()
        }

        fn body(mut self, encoding: &str, body: Value, content_type: &str) -> Self {
            self.document["body_encoding"] = encoding.into();
            self.document["body"] = body;
            if self.document["headers"]["content-type"].is_null() {
                self.document["headers"]["content-type"] = content_type.into();
            }
            self
        }
    };
}

/// A request document, made from the members that a test names.
#[derive(Clone, Debug, PartialEq)]
pub struct TestRequest {
    document: Value,
}

impl TestRequest {
    /// A request from 127.0.0.1 without query, headers and body. Its route is the path.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            document: json!({
                "id": "test", "method": method, "path": path, "route": path, "params": {},
                "query": {}, "headers": {}, "remote": { "address": "127.0.0.1", "port": 50_000 },
                "context": {}, "body_encoding": "text", "body": null,
            }),
        }
    }

    /// A GET.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// A POST.
    #[must_use]
    pub fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    /// The same for an endpoint, such as `/hello/{name}`.
    #[must_use]
    pub fn route(self, route: &str) -> Self {
        self.with("route", route.into())
    }

    /// The same for a request that no endpoint matches.
    #[must_use]
    pub fn without_route(self) -> Self {
        self.with("route", Value::Null)
    }

    /// The same with a parameter of the route.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self.document["params"][name] = value.into();
        self
    }

    /// The same with one more value in the query, decoded.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        add(&mut self.document["query"], name, value);
        self
    }

    common!();
}

/// A response document, made from the members that a test names. It answers `GET /`.
#[derive(Clone, Debug, PartialEq)]
pub struct TestResponse {
    document: Value,
}

impl TestResponse {
    /// A response without headers and body.
    #[must_use]
    pub fn new(status: u16) -> Self {
        let request = TestRequest::get("/");
        Self {
            document: json!({
                "status": status, "headers": {}, "context": {}, "body_encoding": "text", "body": null,
            }),
        }
        .answering(&request)
    }

    /// The same for another request.
    #[must_use]
    pub fn answering(mut self, request: &TestRequest) -> Self {
        let members = ["id", "method", "path", "route"];
        let facts = members.map(|name| (name.to_owned(), request.document[name].clone()));
        self.document["request"] = facts.into_iter().collect();
        self
    }

    common!();
}
