// The weather plugin in Go: answers GET /go/weather and GET /go/weather/{city}.
//
//   - BeforeRequest checks ?units=; answers 400 itself, or stores the units in the context
//   - ProcessEndpoint answers in the units that the context names
//   - AfterResponse names the source of the answer in a header
package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	backworks "github.com/backworks/backworks/native-sdk/go"
)

const (
	name         = "weather-go"
	version      = "1.0.0"
	cityBytesMax = 127
)

type config struct {
	APIKey      string `json:"api_key" default:"none" min:"1" doc:"Not used: the example has no network."`
	DefaultCity string `json:"default_city" default:"Lisbon" min:"1" doc:"The city of a request that names none."`
}

// noted is what BeforeRequest leaves in the context for the other hooks.
type noted struct {
	Units string `json:"units"`
}

type report struct {
	Basis       string  `json:"basis"`
	City        string  `json:"city"`
	Conditions  string  `json:"conditions"`
	Humidity    int     `json:"humidity"`
	Temperature float64 `json:"temperature"`
	Units       string  `json:"units"`
}

type weather struct {
	backworks.Configured[config]
}

func (w *weather) Info() backworks.Info {
	return backworks.Info{
		Name: name, Version: version, Description: "Yearly mean weather of cities, in Go.",
		Author: "The Backworks maintainers", License: "MIT",
	}
}

func (w *weather) Initialize(context.Context) error {
	if !isName(w.Config().APIKey) {
		return errors.New("api_key is not a text of 1 to 127 bytes")
	}
	if !isName(w.Config().DefaultCity) {
		return errors.New("default_city is not a text of 1 to 127 bytes")
	}
	slog.Info("ready, default city " + w.Config().DefaultCity)
	return nil
}

func (w *weather) HealthCheck(context.Context) backworks.Health {
	if _, isKnown := climateOf(w.Config().DefaultCity); !isKnown {
		return backworks.Degraded("default_city is not in the table; its weather is derived from its name")
	}
	return backworks.Healthy
}

func (w *weather) BeforeRequest(_ context.Context, request *backworks.Request) (backworks.RequestAction, error) {
	if !isOurs(request) {
		return nil, nil
	}
	units := "metric"
	if wanted, ok := request.Query["units"]; ok {
		units = strings.Join(wanted, ",")
	}
	if units != "metric" && units != "imperial" {
		return backworks.Problem(400, "Bad Request", "units is metric or imperial"), nil
	}
	return backworks.NewPatch().Context(name, noted{units}), nil
}

func (w *weather) ProcessEndpoint(_ context.Context, request *backworks.Request) (*backworks.Reply, error) {
	if !isOurs(request) || request.Method != "GET" && request.Method != "HEAD" {
		return nil, nil
	}
	city, ok := request.Params["city"]
	if !ok {
		city = w.Config().DefaultCity
	}
	if !isName(city) {
		return backworks.Problem(400, "Bad Request", "a city's name has 1 to 127 bytes"), nil
	}
	left := noted{Units: "metric"}
	if _, err := request.Context.Read(name, &left); err != nil {
		return nil, err
	}
	return backworks.JSON(reportOf(city, left.Units)), nil
}

func (w *weather) AfterResponse(_ context.Context, response *backworks.Response) (*backworks.Patch, error) {
	if _, ours := response.Context[name]; !ours {
		return nil, nil
	}
	return backworks.NewPatch().Header("x-weather-source", name+"/"+version), nil
}

func reportOf(city, units string) report {
	climate, isKnown := climateOf(city)
	basis := "derived from the name"
	if isKnown {
		basis = "yearly mean"
	}
	tenths := climate.temperatureTenths
	if units == "imperial" {
		tenths = tenthsFahrenheit(tenths)
	}
	return report{basis, climate.city, climate.conditions, climate.humidityPercent, float64(tenths) / 10, units}
}

func isOurs(request *backworks.Request) bool {
	return request.Route == "/go/weather" || request.Route == "/go/weather/{city}"
}

func isName(text string) bool {
	return text != "" && len(text) <= cityBytesMax && !strings.Contains(text, "\x00")
}

func init() { backworks.Register(&weather{}) }

func main() {}
