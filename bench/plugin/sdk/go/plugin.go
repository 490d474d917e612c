// See ../raw.c.
package main

import (
	"context"

	backworks "github.com/backworks/backworks/native-sdk/go"
)

type weather struct {
	City    string  `json:"city"`
	Celsius float64 `json:"celsius"`
	Sky     string  `json:"sky"`
}

type bench struct{}

func (bench) Info() backworks.Info {
	return backworks.Info{Name: "bench", Version: "1.0.0", Description: "Answers at once."}
}

func (bench) ProcessEndpoint(_ context.Context, request *backworks.Request) (*backworks.Reply, error) {
	city := request.Params["city"]
	if city == "" {
		return nil, nil
	}
	return backworks.JSON(weather{city, 21.5, "fair"}), nil
}

func init() { backworks.Register(bench{}) }

func main() {}
