package main

import (
	"context"

	backworks "github.com/backworks/backworks/native-sdk/go"
)

// config is the plugin's config: block in backworks.yaml. The SDK makes its schema from this type.
type config struct {
	Greeting string `json:"greeting" default:"hello" doc:"The word before the name."`
	Repeat   int    `json:"repeat" default:"1" min:"1" max:"5" doc:"How many greetings."`
}

type greeter struct {
	backworks.Configured[config]
}

func (g *greeter) Info() backworks.Info {
	return backworks.Info{Name: "my-plugin", Version: "0.1.0", Description: "Greets people."}
}

// ProcessEndpoint answers requests. The server calls only the hooks that the type has.
func (g *greeter) ProcessEndpoint(_ context.Context, request *backworks.Request) (*backworks.Reply, error) {
	return answer(g.Config(), request), nil
}

func answer(config *config, request *backworks.Request) *backworks.Reply {
	name := request.Params["name"]
	if name == "" {
		return nil // the request is not for this plugin
	}
	if len(name) > 64 {
		return backworks.Problem(400, "Bad Request", "The name has more than 64 bytes.")
	}
	greetings := make([]string, config.Repeat)
	for i := range greetings {
		greetings[i] = config.Greeting + " " + name
	}
	return backworks.JSON(map[string][]string{"greetings": greetings})
}

func init() { backworks.Register(&greeter{}) }

func main() {}
