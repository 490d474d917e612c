package backworkstest_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	backworks "github.com/backworks/backworks/native-sdk/go"
	"github.com/backworks/backworks/native-sdk/go/backworkstest"
)

type config struct {
	Currency string `json:"currency"`
}

// shop uses every service.
type shop struct {
	backworks.Configured[config]
}

const rates = "https://rates.example/usd"

func (*shop) Info() backworks.Info {
	return backworks.Info{Name: "shop", Version: "1.0.0", Description: "Knows prices."}
}

func (s *shop) Initialize(context.Context) error {
	if s.Config().Currency == "XXX" {
		return errors.New("no such currency")
	}
	return nil
}

func (s *shop) Reconfigure(ctx context.Context) error { return s.Initialize(ctx) }

func (*shop) HealthCheck(context.Context) backworks.Health { return backworks.Degraded("slow") }

func (*shop) BeforeRequest(_ context.Context, request *backworks.Request) (backworks.RequestAction, error) {
	switch request.Query.Get("do") {
	case "change":
		return backworks.NewPatch().Header("x-seen", "yes"), nil
	case "answer":
		return backworks.Text("no").Status(403), nil
	case "panic":
		panic("boom")
	}
	return nil, nil
}

func (s *shop) ProcessEndpoint(ctx context.Context, request *backworks.Request) (*backworks.Reply, error) {
	item := request.Params["item"]
	if item == "" {
		return nil, nil
	}
	backworks.Metric("prices", 1)
	if ctx.Err() != nil || backworks.Cancelled() {
		slog.Warn("no time", "item", item)
	}
	if price, found, err := backworks.KVGet(item); found || err != nil {
		return backworks.Text(price), err
	}
	response, err := backworks.Fetch(backworks.HTTPRequest{
		Method: "POST", URL: rates, Headers: backworks.Values{"x-key": {"a"}}, Body: []byte(item), Timeout: time.Second,
	})
	var failed *backworks.FetchError
	if errors.As(err, &failed) {
		return backworks.Problem(502, "Bad Gateway", failed.Message), nil
	}
	if err != nil {
		return nil, err
	}
	bytes, err := response.Body.Bytes()
	if err != nil || response.Status != 200 {
		return backworks.Bytes("a/b", bytes).Status(response.Status), err
	}
	var price struct{ Price string }
	if err := response.JSON(&price); err != nil {
		return nil, err
	}
	var stock int
	if err := backworks.Call("", "stock.level", item, &stock); err != nil {
		return nil, err
	}
	answer := map[string]any{"price": price.Price + " " + s.Config().Currency, "stock": stock}
	return backworks.JSON(answer), backworks.KVSet(item, price.Price, time.Minute)
}

func (*shop) AfterResponse(_ context.Context, response *backworks.Response) (*backworks.Patch, error) {
	if response.Status != 200 {
		return nil, errors.New("as asked")
	}
	return backworks.NewPatch().Status(202), nil
}

func (*shop) Operations() map[string]backworks.Operation {
	return map[string]backworks.Operation{
		"shop.twice": backworks.Typed(func(_ context.Context, n int) (int, error) { return 2 * n, nil }),
	}
}

var (
	euro = map[string]string{"currency": "EUR"}
	tea  = backworkstest.Request{Path: "/price/tea", Route: "/price/{item}", Params: map[string]string{"item": "tea"}}
)

func ask(t *testing.T, plugin *backworkstest.Plugin) *backworkstest.Answer {
	t.Helper()
	answer, err := plugin.ProcessEndpoint(tea)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestServicesAreRecordedAndAnswered(t *testing.T) {
	host := backworkstest.NewHost(t)
	plugin := host.Start(&shop{}, euro)
	host.Respond(rates, backworkstest.Response{Body: []byte(`{"Price":"3"}`)})
	host.Provide("stock.level", 7)

	if answer := ask(t, plugin); string(answer.Body) != `{"price":"3 EUR","stock":7}` {
		t.Errorf("%s", answer.Body)
	}
	requests := host.Requests()
	if len(requests) != 1 || requests[0].Timeout != time.Second || string(requests[0].Body.([]byte)) != "tea" ||
		requests[0].Headers.Get("x-key") != "a" {
		t.Errorf("%+v", requests)
	}
	calls := host.Operations()
	if len(calls) != 1 || calls[0].Name != "stock.level" || string(calls[0].Payload) != `"tea"` {
		t.Errorf("%+v", calls)
	}
	if price, found := host.KV("tea"); !found || price != "3" {
		t.Errorf("%q, %v", price, found)
	}
	host.SetDeadline(10 * time.Millisecond)
	host.Pass(10 * time.Millisecond)
	if known := ask(t, plugin); known.Text() != "3" || known.Header("content-type") != "text/plain; charset=utf-8" {
		t.Errorf("%+v", known)
	}
	want := backworkstest.LogLine{Level: "warn", Text: "no time item=tea"}
	if lines := host.Log(); len(lines) != 1 || lines[0] != want || !host.Logged("no time") || host.Logged("other") {
		t.Errorf("%+v", lines)
	}
	if sum := host.Metric("prices"); sum != 2 {
		t.Errorf("%v", sum)
	}
	host.Pass(time.Minute)
	if _, found := host.KV("tea"); found {
		t.Error("the value did not end")
	}
}

func TestRequestsFailAsTheTestSays(t *testing.T) {
	host := backworkstest.NewHost(t)
	plugin := host.Start(&shop{}, euro)
	host.Refuse(rates, "away")
	host.Respond(rates, backworkstest.Response{Status: 418, Body: []byte{255, 0}})
	var problem struct{ Detail string }
	if answer := ask(t, plugin); answer.Status != 502 || answer.JSON(&problem) != nil || problem.Detail != "away" {
		t.Errorf("%+v", answer)
	}
	for range [2]int{} {
		if answer := ask(t, plugin); answer.Status != 418 || answer.Text() != "\xff\x00" {
			t.Errorf("%+v", answer)
		}
	}
}

func TestHooksAreTypedAndFailuresHaveTheirMessage(t *testing.T) {
	host := backworkstest.NewHost(t)
	plugin := host.Start(&shop{}, euro)
	before := func(what string) (backworkstest.Outcome, error) {
		return plugin.BeforeRequest(backworkstest.Request{Query: backworks.Values{"do": {what}}, Body: map[string]int{"a": 1}})
	}
	if outcome, err := before("change"); err != nil || string(outcome.Patch) != `{"headers":{"x-seen":"yes"}}` {
		t.Errorf("%s, %v", outcome.Patch, err)
	}
	if outcome, err := before("answer"); err != nil || outcome.Answer.Status != 403 || outcome.Patch != nil {
		t.Errorf("%+v, %v", outcome, err)
	}
	if outcome, err := before(""); err != nil || outcome.Answer != nil || outcome.Patch != nil {
		t.Errorf("%+v, %v", outcome, err)
	}
	if _, err := before("panic"); err == nil || !strings.Contains(err.Error(), "host_test.go:") {
		t.Errorf("%v", err)
	}
	if answer, err := plugin.ProcessEndpoint(backworkstest.Request{}); answer != nil || err != nil {
		t.Errorf("%+v, %v", answer, err)
	}
	if patch, err := plugin.AfterResponse(backworkstest.ResponseDocument{}); err != nil || string(patch) != `{"status":202}` {
		t.Errorf("%s, %v", patch, err)
	}
	if _, err := plugin.AfterResponse(backworkstest.ResponseDocument{Status: 404}); err == nil || err.Error() != "as asked" {
		t.Errorf("%v", err)
	}
	var twice int
	if err := plugin.Call("shop.twice", 4, &twice); err != nil || twice != 8 {
		t.Errorf("%d, %v", twice, err)
	}
	if err := plugin.Call("shop.other", 4, nil); !errors.Is(err, backworks.ErrNoAnswer) {
		t.Errorf("%v", err)
	}
	if status, reason := plugin.Health(); status != 1 || reason != "slow" {
		t.Errorf("%d, %s", status, reason)
	}
	if err := plugin.Reconfigure(map[string]string{"currency": "XXX"}); err == nil {
		t.Error("reconfigured")
	}
	if !strings.Contains(string(plugin.Manifest()), "shop.twice") || plugin.Shutdown() != nil {
		t.Errorf("%s", plugin.Manifest())
	}
}

func TestAPluginCanRefuseItsConfiguration(t *testing.T) {
	host := backworkstest.NewHost(t)
	_, err := host.TryStart(&shop{}, map[string]string{"currency": "XXX"})
	if err == nil || err.Error() != "no such currency" {
		t.Errorf("%v", err)
	}
}

// A test of the repository asks for these failures and reads what they print.
func TestFailsWithAReadableMessage(t *testing.T) {
	if os.Getenv("BACKWORKSTEST_FAIL") == "" {
		t.Skip("it fails")
	}
	host := backworkstest.NewHost(t)
	t.Run("second host", func(t *testing.T) { backworkstest.NewHost(t) })
	host.Start(&shop{}, map[string]string{"currency": "XXX"})
}
