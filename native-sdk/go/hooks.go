package backworks

import (
	"context"
	"encoding/json"
)

// The methods of this file turn the documents of the ABI into calls of the plugin's methods, and their
// results into documents.

func (r *registration) initialize(config []byte) error {
	if r.configured != nil {
		if _, err := r.configured.loadConfig(config); err != nil {
			return err
		}
	}
	if r.initializer == nil {
		return nil
	}
	return r.initializer.Initialize(context.Background())
}

// reconfigure puts the old configuration back when the plugin refuses the new one, or panics.
func (r *registration) reconfigure(config []byte) error {
	isAccepted := false
	if r.configured != nil {
		restore, err := r.configured.loadConfig(config)
		if err != nil {
			return err
		}
		defer func() {
			if !isAccepted {
				restore()
			}
		}()
	}
	err := r.reconfigurer.Reconfigure(context.Background())
	isAccepted = err == nil
	return err
}

func (r *registration) beforeRequest(ctx context.Context, document []byte) ([]byte, error) {
	request, err := parseRequest(document)
	if err != nil {
		return nil, err
	}
	action, err := r.before.BeforeRequest(ctx, request)
	if err != nil || action == nil {
		return nil, err
	}
	return action.requestAnswer()
}

func (r *registration) afterResponse(ctx context.Context, document []byte) ([]byte, error) {
	response, err := parseResponse(document)
	if err != nil {
		return nil, err
	}
	patch, err := r.after.AfterResponse(ctx, response)
	if err != nil {
		return nil, err
	}
	return patch.answer("response")
}

func (r *registration) processEndpoint(ctx context.Context, document []byte) ([]byte, error) {
	request, err := parseRequest(document)
	if err != nil {
		return nil, err
	}
	reply, err := r.endpoint.ProcessEndpoint(ctx, request)
	if err != nil {
		return nil, err
	}
	return reply.answer()
}

func (r *registration) call(ctx context.Context, name string, payload json.RawMessage) ([]byte, error) {
	operation, ok := r.operations[name]
	if !ok {
		return nil, nil
	}
	result, err := operation(ctx, payload)
	if err != nil || result == nil {
		return nil, err
	}
	answer, err := encode(result)
	if err != nil {
		return nil, wrap("the result of "+name, err)
	}
	return answer, nil
}

// hook answers a call with JSON, or with nil for NULL.
type hook func(ctx context.Context) ([]byte, error)

// called runs a hook with the deadline of the call. A panic becomes an error.
func called(work hook) ([]byte, error) {
	return guarded(func() ([]byte, error) {
		ctx, cancel := hookContext()
		defer cancel()
		return work(ctx)
	})
}

// health is unhealthy when the check panics.
func (r *registration) health() Health {
	health, err := guarded(func() (Health, error) { return r.healthChecker.HealthCheck(context.Background()), nil })
	if err != nil {
		return Unhealthy(err.Error())
	}
	return health
}
