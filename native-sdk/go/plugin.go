// Package backworks is the SDK for plugins of the Backworks server that are written in Go.
//
// A plugin is a value with a method Info and some of the methods below. It is handed to [Register] in
// init(), and built with `go build -buildmode=c-shared`. The server calls only the methods that the type
// has: it learns from the library which hooks there are.
//
// A hook that returns an error makes its call fail, and so does a panic in it. The server skips an optional
// plugin whose call failed. When the plugin is critical, it answers the request with an error. The operator
// reads the message of the error, or the message and the place of the panic; the client does not.
package backworks

import (
	"context"
	"encoding/json"
)

// Plugin is what every plugin implements. The other interfaces of this file are optional.
type Plugin interface {
	// Info describes the plugin. It is called once, before any other method.
	Info() Info
}

// BeforeRequester receives a request before its endpoint does.
type BeforeRequester interface {
	// BeforeRequest returns a *[Patch] to change the request, a *[Reply] to answer it now, or nil to leave it
	// as it is. The context ends at the deadline of the call, and when the method returns.
	BeforeRequest(ctx context.Context, request *Request) (RequestAction, error)
}

// Endpoint answers requests.
type Endpoint interface {
	// ProcessEndpoint returns the response, or nil when the request is not for this plugin.
	ProcessEndpoint(ctx context.Context, request *Request) (*Reply, error)
}

// AfterResponder receives a response before the client does.
type AfterResponder interface {
	// AfterResponse returns a change of the response, or nil to leave it as it is.
	AfterResponse(ctx context.Context, response *Response) (*Patch, error)
}

// Operations provides operations to other plugins.
type Operations interface {
	// Operations returns the operations by their names, such as "storage.kv.get". It is called once, and the
	// manifest lists the names as capabilities.
	Operations() map[string]Operation
}

// Operation answers a call of another plugin. A nil result means that there is none. See [Typed] for
// operations with types of their own.
type Operation func(ctx context.Context, payload json.RawMessage) (any, error)

// Initializer prepares the plugin for work.
type Initializer interface {
	// Initialize is called once, after the configuration was read (see [Configured]) and before any hook. An
	// error stops the start, and the operator reads its message.
	Initialize(ctx context.Context) error
}

// Shutdowner releases what the plugin holds.
type Shutdowner interface {
	// Shutdown is called at most once, after Initialize succeeded. A process that crashes ends without it.
	Shutdown(ctx context.Context) error
}

// HealthChecker reports the health of the plugin.
type HealthChecker interface {
	// HealthCheck is called from time to time, never at the same time as a hook.
	HealthCheck(ctx context.Context) Health
}

// Reconfigurer accepts a new configuration while the plugin runs. Without it, the server replaces the
// process when the configuration changes.
type Reconfigurer interface {
	// Reconfigure is called after the new configuration was read. When it returns an error, the old
	// configuration is put back and stays active.
	Reconfigure(ctx context.Context) error
}

// Health is the state that a health check reports: [Healthy], [Degraded] or [Unhealthy].
type Health struct {
	status int32
	reason string
}

// Healthy means that the plugin works.
var Healthy = Health{}

// Degraded means that the plugin works less well than it should.
func Degraded(reason string) Health { return Health{status: 1, reason: reason} }

// Unhealthy means that the plugin does not work.
func Unhealthy(reason string) Health { return Health{status: -1, reason: reason} }

// Typed makes an [Operation] of a function with types of its own. A payload that does not fit the type In
// makes the call fail.
func Typed[In, Out any](operation func(ctx context.Context, payload In) (Out, error)) Operation {
	return func(ctx context.Context, payload json.RawMessage) (any, error) {
		var in In
		if err := json.Unmarshal(payload, &in); err != nil {
			return nil, wrap("the payload does not have the expected form", err)
		}
		return operation(ctx, in)
	}
}
