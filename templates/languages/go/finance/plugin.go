package main

import (
	"context"
	"fmt"

	backworks "github.com/backworks/backworks/native-sdk/go"
)

// config is the plugin's config: block in backworks.yaml. The SDK makes its schema from this type.
type config struct {
	Symbols     []string `json:"symbols" doc:"The symbols that may be traded."`
	MaxNotional uint32   `json:"max_notional" default:"1000000" doc:"The largest quantity times price of an order."`
}

type orderCheck struct {
	backworks.Configured[config]
}

func (o *orderCheck) Info() backworks.Info {
	return backworks.Info{Name: "my-plugin", Version: "0.1.0", Description: "Checks orders."}
}

// ProcessEndpoint answers requests. The server calls only the hooks that the type has.
func (o *orderCheck) ProcessEndpoint(_ context.Context, request *backworks.Request) (*backworks.Reply, error) {
	notional, problems := readOrder(request.Body.Raw()).check(o.Config())
	if len(problems) > 0 {
		return backworks.JSON(map[string]any{"accepted": false, "errors": problems}).Status(422), nil
	}
	text := fmt.Sprintf("%d.%04d", notional/unit, notional%unit)
	return backworks.JSON(map[string]any{"accepted": true, "notional": text}), nil
}

func init() { backworks.Register(&orderCheck{}) }

func main() {}
