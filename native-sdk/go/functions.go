package backworks

import (
	"context"
	"fmt"

	"github.com/backworks/backworks/native-sdk/go/internal/link"
)

func init() { link.FunctionsOf = functionsOf }

// functionsOf makes a plugin callable without a library. The plugin is not registered.
func functionsOf(value any) (*link.Functions, error) {
	plugin, ok := value.(Plugin)
	if !ok {
		return nil, fmt.Errorf("%T has no method Info: it is no plugin", value)
	}
	r, err := register(plugin)
	if err != nil {
		return nil, err
	}
	functions := &link.Functions{
		Manifest:   r.manifest,
		Initialize: func(config []byte) error { return tried(func() error { return r.initialize(config) }) },
		Shutdown:   func() error { return nil },
		HealthCheck: func() (int32, string) {
			if r.healthChecker == nil {
				return 0, ""
			}
			health := r.health()
			return health.status, health.reason
		},
	}
	if r.reconfigurer != nil {
		functions.Reconfigure = func(config []byte) error { return tried(func() error { return r.reconfigure(config) }) }
	}
	if r.shutdowner != nil {
		functions.Shutdown = func() error { return tried(func() error { return r.shutdowner.Shutdown(context.Background()) }) }
	}
	if r.before != nil {
		functions.BeforeRequest = hookOf(r.beforeRequest)
	}
	if r.endpoint != nil {
		functions.ProcessEndpoint = hookOf(r.processEndpoint)
	}
	if r.after != nil {
		functions.AfterResponse = hookOf(r.afterResponse)
	}
	if len(r.operations) > 0 {
		functions.Call = func(operation string, payload []byte) ([]byte, error) {
			return called(func(ctx context.Context) ([]byte, error) { return r.call(ctx, operation, payload) })
		}
	}
	return functions, nil
}

func hookOf(method func(ctx context.Context, document []byte) ([]byte, error)) func([]byte) ([]byte, error) {
	return func(document []byte) ([]byte, error) {
		return called(func(ctx context.Context) ([]byte, error) { return method(ctx, document) })
	}
}

func tried(work func() error) error {
	_, err := guarded(func() (struct{}, error) { return struct{}{}, work() })
	return err
}
