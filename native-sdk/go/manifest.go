package backworks

import (
	"encoding/json"
	"sort"
	"time"
)

// Info describes a plugin. Only Name, Version and Description are required.
type Info struct {
	// Name is made of lower-case words joined by '-', at most 64 bytes: "weather".
	Name string
	// Version is a semantic version: "1.2.0".
	Version string
	// Description is one sentence for people.
	Description string

	// Critical: requests that the plugin should see are refused while it fails. A plugin that denies requests
	// must be critical, because requests pass by an optional plugin that fails.
	Critical bool
	// ThreadSafe: the hooks may run on several threads at once, when the operator asks for that.
	ThreadSafe bool
	// MaxExecutionTime is the longest a call may take, unless the operator says otherwise. 0 leaves it to the
	// server.
	MaxExecutionTime time.Duration
	// Priority: plugins of lower priority run first. 0 stands for the server's default, 100.
	Priority int
	// RequestBody is what BeforeRequest needs of the body of a request: BodyNone or BodyBuffer.
	RequestBody BodyNeed
	// ResponseBody is what AfterResponse needs of the body of a response.
	ResponseBody BodyNeed
	// Dependencies are plugins, or operations of plugins, that the plugin calls.
	Dependencies []Dependency
	// Permissions are what the plugin asks its operator for, as in backworks.yaml.
	Permissions map[string]any
	// Author wrote the plugin.
	Author string
	// License is an SPDX licence expression.
	License string
	// Backworks is a semver range of the host versions the plugin works with: ">=0.1".
	Backworks string
	// Extra has further members of the manifest. They replace those of the same name.
	Extra map[string]any
}

// BodyNeed says which bodies a hook needs. Bodies that no plugin needs are not held by the server.
type BodyNeed string

const (
	// BodyDefault is BodyBuffer for requests and BodyAuto for responses.
	BodyDefault BodyNeed = ""
	// BodyNone: the hook does without the body, which passes as it comes.
	BodyNone BodyNeed = "none"
	// BodyAuto: the hook sees the body, unless it is long or an event stream. For responses only.
	BodyAuto BodyNeed = "auto"
	// BodyBuffer: the hook sees every body.
	BodyBuffer BodyNeed = "buffer"
)

// Dependency is a plugin that is needed by name, or any plugin that provides an operation.
type Dependency struct {
	// Name of the plugin. Exactly one of Name and Capability is set.
	Name string `json:"name,omitempty"`
	// Capability is the name of an operation.
	Capability string `json:"capability,omitempty"`
	// Version is a semver range; empty for any version.
	Version string `json:"version,omitempty"`
	// Optional: the plugin also starts without it.
	Optional bool `json:"optional,omitempty"`
}

// manifestOf returns the JSON that the server reads. It names exactly the hooks that the type implements.
func manifestOf(info Info, hooks []string, operations map[string]Operation, schema json.RawMessage) ([]byte, error) {
	manifest := map[string]any{"hooks": hooks, "critical": info.Critical}
	setUnlessZero(manifest, "max_execution_time_ms", info.MaxExecutionTime.Milliseconds())
	setUnlessZero(manifest, "priority", info.Priority)
	setUnlessZero(manifest, "author", info.Author)
	setUnlessZero(manifest, "license", info.License)
	setUnlessZero(manifest, "backworks", info.Backworks)
	body := map[string]any{}
	setUnlessZero(body, "request", info.RequestBody)
	setUnlessZero(body, "response", info.ResponseBody)
	if len(body) > 0 {
		manifest["body"] = body
	}
	if len(info.Dependencies) > 0 {
		manifest["dependencies"] = info.Dependencies
	}
	if len(info.Permissions) > 0 {
		manifest["permissions"] = info.Permissions
	}
	if len(operations) > 0 {
		manifest["capabilities"] = namesOf(operations)
	}
	if schema != nil {
		manifest["config_schema"] = schema
	}
	for name, value := range info.Extra {
		manifest[name] = value
	}
	return encode(manifest)
}

func setUnlessZero[T comparable](members map[string]any, name string, value T) {
	var zero T
	if value != zero {
		members[name] = value
	}
}

func namesOf(operations map[string]Operation) []string {
	names := make([]string, 0, len(operations))
	for name := range operations {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
