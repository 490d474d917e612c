package main

import (
	"context"
	"crypto/subtle"

	backworks "github.com/backworks/backworks/native-sdk/go"
)

// config is the plugin's config: block in backworks.yaml. The SDK makes its schema from this type.
type config struct {
	Keys   []string `json:"keys" doc:"The keys that are accepted."`
	Header string   `json:"header" default:"x-api-key" doc:"The header that has the key, in lower case."`
}

type keyCheck struct {
	backworks.Configured[config]
}

// Info describes the plugin. While a critical plugin does not work, requests are refused instead of passing unchecked.
func (k *keyCheck) Info() backworks.Info {
	return backworks.Info{Name: "my-plugin", Version: "0.1.0", Description: "Checks API keys.", Critical: true}
}

// BeforeRequest sees every request before its endpoint does.
func (k *keyCheck) BeforeRequest(_ context.Context, request *backworks.Request) (backworks.RequestAction, error) {
	return check(k.Config(), request), nil
}

func check(config *config, request *backworks.Request) backworks.RequestAction {
	given := []byte(request.Header(config.Header))
	known := 0
	for _, key := range config.Keys {
		if key != "" {
			// Takes the same time wherever the texts differ, so that the time does not give the key away.
			known |= subtle.ConstantTimeCompare(given, []byte(key))
		}
	}
	if known == 0 {
		return backworks.Problem(401, "Unauthorized", "The request has no valid API key.").
			Header("www-authenticate", "ApiKey")
	}
	return backworks.NewPatch().RemoveHeader(config.Header).Context("authenticated", true)
}

func init() { backworks.Register(&keyCheck{}) }

func main() {}
