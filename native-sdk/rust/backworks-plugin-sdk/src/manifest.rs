//! What a plugin declares about itself.

use crate::{PluginConfig, Value};
use serde_json::{Map, json};

/// A hook that a plugin can declare in its manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Receives requests before their endpoint does.
    BeforeRequest,
    /// Answers requests.
    ProcessEndpoint,
    /// Receives responses before the client does.
    AfterResponse,
}

impl Hook {
    /// The name in the manifest and in logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BeforeRequest => "before_request",
            Self::ProcessEndpoint => "process_endpoint",
            Self::AfterResponse => "after_response",
        }
    }
}

/// The manifest of a plugin.
///
/// ```
/// use backworks_plugin_sdk::{Hook, Manifest};
///
/// let manifest = Manifest::new()
///     .hooks([Hook::BeforeRequest])
///     .capability("security.authenticate")
///     .depends_on("sessions", "^1.2")
///     .priority(10);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    members: Map<String, Value>,
}

impl Manifest {
    /// An empty manifest, for which the server uses its documented defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The hooks that the plugin has. The server calls no others, so declaring them makes requests faster.
    #[must_use]
    pub fn hooks(self, hooks: impl IntoIterator<Item = Hook>) -> Self {
        self.with(
            "hooks",
            hooks.into_iter().map(Hook::name).collect::<Vec<_>>().into(),
        )
    }

    /// Adds an operation that `call` performs for other plugins.
    #[must_use]
    pub fn capability(self, operation: &str) -> Self {
        self.push("capabilities", operation.into())
    }

    /// Adds a plugin without which this one does not start. `version` is a semver range.
    #[must_use]
    pub fn depends_on(self, plugin: &str, version: &str) -> Self {
        self.push(
            "dependencies",
            json!({ "name": plugin, "version": version }),
        )
    }

    /// Adds an operation that some other plugin must provide.
    #[must_use]
    pub fn needs_capability(self, operation: &str) -> Self {
        self.push("dependencies", json!({ "capability": operation }))
    }

    /// The type of the `config:` block, whose schema the server then checks.
    #[must_use]
    pub fn config<C: PluginConfig>(self) -> Self {
        self.with("config_schema", C::schema())
    }

    /// The permissions that the plugin requests from the operator, as in `backworks.yaml`.
    #[must_use]
    pub fn permissions(self, permissions: Value) -> Self {
        self.with("permissions", permissions)
    }

    /// Plugins with a lower priority are called first. Default: 100.
    #[must_use]
    pub fn priority(self, priority: i32) -> Self {
        self.with("priority", priority.into())
    }

    /// The author of the plugin.
    #[must_use]
    pub fn author(self, author: &str) -> Self {
        self.with("author", author.into())
    }

    /// An SPDX licence expression.
    #[must_use]
    pub fn license(self, license: &str) -> Self {
        self.with("license", license.into())
    }

    /// The versions of Backworks that the plugin works with, as a semver range.
    #[must_use]
    pub fn backworks(self, range: &str) -> Self {
        self.with("backworks", range.into())
    }

    /// Sets any other member.
    #[must_use]
    pub fn with(mut self, member: &str, value: Value) -> Self {
        self.members.insert(member.to_owned(), value);
        self
    }

    fn push(mut self, member: &str, value: Value) -> Self {
        let list = self
            .members
            .entry(member)
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(items) = list {
            items.push(value);
        }
        self
    }

    pub(crate) fn default_member(&mut self, member: &str, value: Value) {
        self.members.entry(member).or_insert(value);
    }

    pub(crate) fn into_json(self) -> String {
        Value::Object(self.members).to_string()
    }
}
