//! Unit tests of a plugin without a server and without Node.js.
//!
//! A [`MockHost`] stands in for the server: it records what the plugin does and answers as the test says. It starts
//! plugins, whose functions are then called through the same code as in a server: documents are JSON, panics and
//! errors become failed calls.
//!
//! ```
//! use backworks_plugin_sdk::testing::{MockHost, TestRequest};
//! use backworks_plugin_sdk::*;
//!
//! #[derive(Default)]
//! struct Greeter;
//!
//! #[async_trait]
//! impl BackworksPlugin for Greeter {
//!     fn name(&self) -> &str { "greeter" }
//!     fn version(&self) -> &str { "1.0.0" }
//!     fn description(&self) -> &str { "Greets people." }
//!
//!     async fn process_endpoint(&self, request: &Request<'_>) -> BackworksResult<EndpointAction> {
//!         let Some(name) = request.param("name") else { return Ok(EndpointAction::Pass) };
//!         info!("greeting {name}");
//!         Ok(Reply::json(&json!({ "greeting": format!("hello {name}") }))?.into())
//!     }
//! }
//!
//! // In a #[test]:
//! let host = MockHost::new();
//! let plugin = host.start::<Greeter>(&json!({}))?;
//! let request = TestRequest::get("/hello/Ada").param("name", "Ada");
//! let answer = plugin.process_endpoint(&request)?.expect("an answer");
//! assert_eq!(answer.status, 200);
//! assert_eq!(answer.body, json!({ "greeting": "hello Ada" }));
//! assert!(host.logged("greeting Ada"));
//! # Ok::<(), PluginError>(())
//! ```
//!
//! Each test has a mock host of its own, on its own thread, so `cargo test` runs them in parallel. Threads and tasks
//! that the plugin starts use the mock host of the test when only one exists: run such tests with
//! `cargo test -- --test-threads=1`.

mod answer;
mod documents;
mod mock_host;
mod started;

pub use answer::{Answer, RequestOutcome};
/// Level of a log line.
pub use log::Level;

pub use documents::{TestRequest, TestResponse};
pub use mock_host::{LogLine, MockHost, OperationCall};
pub use started::StartedPlugin;
