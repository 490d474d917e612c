package backworkstest

import (
	"encoding/json"
	"errors"
	"testing"

	backworks "github.com/backworks/backworks/native-sdk/go"
	"github.com/backworks/backworks/native-sdk/go/internal/link"
)

// Plugin is a plugin that a [Host] started. A call that fails returns the error that the operator would read. A call
// of a function that the plugin does not have ends the test.
type Plugin struct {
	t         testing.TB
	functions *link.Functions
}

// Start starts a plugin with its configuration, a value that is written as JSON; nil stands for {}. The test ends when
// the plugin does not start.
func (h *Host) Start(plugin backworks.Plugin, config any) *Plugin {
	h.t.Helper()
	started, err := h.TryStart(plugin, config)
	if err != nil {
		h.t.Fatalf("the plugin did not start: %v", err)
	}
	return started
}

// TryStart starts a plugin in the same way. It returns the error of a plugin that does not start.
func (h *Host) TryStart(plugin backworks.Plugin, config any) (*Plugin, error) {
	functions, err := link.FunctionsOf(plugin)
	if err != nil {
		return nil, err
	}
	text, err := configText(config)
	if err != nil {
		return nil, err
	}
	if err := functions.Initialize(text); err != nil {
		return nil, err
	}
	return &Plugin{h.t, functions}, nil
}

func configText(config any) ([]byte, error) {
	if config == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(config)
}

// Manifest is what the plugin declares about itself, as JSON.
func (p *Plugin) Manifest() json.RawMessage { return p.functions.Manifest }

// Reconfigure gives the plugin another configuration.
func (p *Plugin) Reconfigure(config any) error {
	p.t.Helper()
	if p.functions.Reconfigure == nil {
		p.t.Fatal("the plugin has no method Reconfigure")
	}
	text, err := configText(config)
	if err != nil {
		return err
	}
	return p.functions.Reconfigure(text)
}

// Shutdown ends the plugin's work.
func (p *Plugin) Shutdown() error { return p.functions.Shutdown() }

// Health calls HealthCheck; a plugin without it is healthy. The status is 0 for healthy, more for degraded, less for
// unhealthy.
func (p *Plugin) Health() (status int32, reason string) { return p.functions.HealthCheck() }

// Outcome is what BeforeRequest made of a request. Both members are nil when the request continues unchanged.
type Outcome struct {
	// Answer ends the request.
	Answer *Answer
	// Patch changes the request: a merge patch as JSON.
	Patch json.RawMessage
}

// BeforeRequest calls the hook.
func (p *Plugin) BeforeRequest(request Request) (Outcome, error) {
	p.t.Helper()
	text, err := p.hook("BeforeRequest", p.functions.BeforeRequest, request.document)
	if err != nil || text == nil {
		return Outcome{}, err
	}
	var read struct {
		Response *Answer         `json:"response"`
		Request  json.RawMessage `json:"request"`
	}
	err = json.Unmarshal(text, &read)
	return Outcome{read.Response, read.Request}, err
}

// ProcessEndpoint calls the hook. The answer is nil when the request is not for this plugin.
func (p *Plugin) ProcessEndpoint(request Request) (*Answer, error) {
	p.t.Helper()
	text, err := p.hook("ProcessEndpoint", p.functions.ProcessEndpoint, request.document)
	if err != nil || text == nil {
		return nil, err
	}
	answer := &Answer{}
	return answer, json.Unmarshal(text, answer)
}

// AfterResponse calls the hook. The result is a merge patch as JSON, or nil when the response stays as it is.
func (p *Plugin) AfterResponse(response ResponseDocument) (json.RawMessage, error) {
	p.t.Helper()
	text, err := p.hook("AfterResponse", p.functions.AfterResponse, response.document)
	if err != nil || text == nil {
		return nil, err
	}
	var read struct {
		Response json.RawMessage `json:"response"`
	}
	err = json.Unmarshal(text, &read)
	return read.Response, err
}

// Call calls an operation that the plugin provides, and reads its result into a value, which may be nil. The error is
// backworks.ErrNoAnswer when there is no result.
func (p *Plugin) Call(operation string, payload, result any) error {
	p.t.Helper()
	if p.functions.Call == nil {
		p.t.Fatal("the plugin has no operations")
	}
	written, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	text, err := p.functions.Call(operation, written)
	switch {
	case err != nil:
		return err
	case text == nil:
		return backworks.ErrNoAnswer
	case result == nil:
		return nil
	}
	return json.Unmarshal(text, result)
}

func (p *Plugin) hook(
	name string, hook func([]byte) ([]byte, error), document func() ([]byte, error),
) ([]byte, error) {
	p.t.Helper()
	if hook == nil {
		p.t.Fatalf("the plugin has no method %s", name)
	}
	text, err := document()
	if err != nil {
		p.t.Fatalf("the document of the test: %v", err)
	}
	answer, err := hook(text)
	if err == nil && answer != nil && !json.Valid(answer) {
		err = errors.New(name + " answered with something that is not JSON: " + string(answer))
	}
	return answer, err
}
