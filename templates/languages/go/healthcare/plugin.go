package main

import (
	"context"

	backworks "github.com/backworks/backworks/native-sdk/go"
)

// config is the plugin's config: block in backworks.yaml. The SDK makes its schema from this type.
type config struct {
	Required    []string `json:"required,omitempty" doc:"Segments that a message must have."`
	MaxSegments int      `json:"max_segments" default:"100" min:"1" max:"10000" doc:"The longest message that is read."`
}

type reader struct {
	backworks.Configured[config]
}

func (r *reader) Info() backworks.Info {
	return backworks.Info{Name: "my-plugin", Version: "0.1.0", Description: "Reads HL7 v2 messages."}
}

// ProcessEndpoint answers requests. The server calls only the hooks that the type has.
func (r *reader) ProcessEndpoint(_ context.Context, request *backworks.Request) (*backworks.Reply, error) {
	text, err := request.Body.Text()
	if err != nil {
		return backworks.Problem(422, "Unprocessable Content", err.Error()), nil
	}
	message, err := parse(text, r.Config().MaxSegments)
	if err != nil {
		return backworks.Problem(422, "Unprocessable Content", err.Error()), nil
	}
	return backworks.JSON(map[string]any{
		"type":       message.header(8),
		"control_id": message.header(9),
		"segments":   message.segments,
		"ack":        message.acknowledge(r.Config().Required),
	}), nil
}

func init() { backworks.Register(&reader{}) }

func main() {}
