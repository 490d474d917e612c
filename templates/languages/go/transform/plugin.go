package main

import (
	"context"
	"encoding/json"

	backworks "github.com/backworks/backworks/native-sdk/go"
)

// config is the plugin's config: block in backworks.yaml. The SDK makes its schema from this type.
type config struct {
	Remove   []string `json:"remove,omitempty" doc:"Members of JSON objects that are removed."`
	ServedBy string   `json:"served_by" default:"backworks" doc:"The value of the header x-served-by."`
}

type transformer struct {
	backworks.Configured[config]
}

// Info describes the plugin. Critical: a response that the plugin cannot change is not sent.
func (t *transformer) Info() backworks.Info {
	return backworks.Info{Name: "my-plugin", Version: "0.1.0", Description: "Changes responses.", Critical: true}
}

// AfterResponse sees every response before its client does.
func (t *transformer) AfterResponse(_ context.Context, response *backworks.Response) (*backworks.Patch, error) {
	patch := backworks.NewPatch().Header("x-served-by", t.Config().ServedBy)
	if response.Body.Encoding() != backworks.EncodingJSON {
		return patch, nil
	}
	if change := without(response.Body.Raw(), t.Config().Remove); len(change) > 0 {
		patch.JSON(change)
	}
	return patch, nil
}

// without returns a merge patch of a JSON body: null removes a member, and what the patch does not name stays.
func without(body json.RawMessage, names []string) map[string]any {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return nil // not an object
	}
	change := map[string]any{}
	for _, name := range names {
		if _, found := members[name]; found {
			change[name] = nil
		}
	}
	return change
}

func init() { backworks.Register(&transformer{}) }

func main() {}
