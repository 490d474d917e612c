package backworks

import (
	"errors"
	"reflect"
)

// registration is the plugin of this library, with what its type implements.
type registration struct {
	plugin     Plugin
	info       Info
	manifest   []byte
	operations map[string]Operation

	configured    configured
	initializer   Initializer
	shutdowner    Shutdowner
	healthChecker HealthChecker
	reconfigurer  Reconfigurer
	before        BeforeRequester
	endpoint      Endpoint
	after         AfterResponder
}

var registered *registration

// Register makes a value the plugin of this library. Call it once, in init(). It panics when the type of the
// configuration has no schema; the server then refuses the library with that message.
func Register(plugin Plugin) {
	if registered != nil {
		panic("backworks.Register: a library has one plugin")
	}
	found, err := register(plugin)
	if err != nil {
		panic("backworks.Register: " + err.Error())
	}
	registered = found
}

func register(plugin Plugin) (*registration, error) {
	r := &registration{plugin: plugin, info: plugin.Info()}
	r.configured, _ = plugin.(configured)
	r.initializer, _ = plugin.(Initializer)
	r.shutdowner, _ = plugin.(Shutdowner)
	r.healthChecker, _ = plugin.(HealthChecker)
	r.reconfigurer, _ = plugin.(Reconfigurer)
	r.before, _ = plugin.(BeforeRequester)
	r.endpoint, _ = plugin.(Endpoint)
	r.after, _ = plugin.(AfterResponder)
	if operations, ok := plugin.(Operations); ok {
		r.operations = operations.Operations()
	}
	if r.configured == nil && implements(reflect.TypeOf(plugin), reflect.TypeOf((*configured)(nil)).Elem()) {
		return nil, errors.New("a plugin that embeds Configured is registered by its pointer: Register(&plugin{})")
	}
	var err error
	r.manifest, err = r.describe()
	return r, err
}

func (r *registration) describe() ([]byte, error) {
	hooks := []string{}
	for _, hook := range []struct {
		name          string
		isImplemented bool
	}{
		{"before_request", r.before != nil},
		{"process_endpoint", r.endpoint != nil},
		{"after_response", r.after != nil},
	} {
		if hook.isImplemented {
			hooks = append(hooks, hook.name)
		}
	}
	if r.configured == nil {
		return manifestOf(r.info, hooks, r.operations, nil)
	}
	// Defaults that do not fit their fields are found now, not when the first operator relies on one.
	if err := r.configured.checkDefaults(); err != nil {
		return nil, err
	}
	schema, err := r.configured.configSchema()
	if err != nil {
		return nil, wrap("the configuration", err)
	}
	return manifestOf(r.info, hooks, r.operations, schema)
}
