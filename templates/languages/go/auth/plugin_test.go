package main

import (
	"testing"

	backworks "github.com/backworks/backworks/native-sdk/go"
	"github.com/backworks/backworks/native-sdk/go/backworkstest"
)

func checkKey(t *testing.T, key string) backworkstest.Outcome {
	host := backworkstest.NewHost(t)
	plugin := host.Start(&keyCheck{}, map[string]any{"keys": []string{"first", "second"}})
	outcome, err := plugin.BeforeRequest(backworkstest.Request{Headers: backworks.Values{"x-api-key": {key}}})
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

func TestRemovesAKeyThatIsKnown(t *testing.T) {
	want := `{"context":{"authenticated":true},"headers":{"x-api-key":null}}`
	if outcome := checkKey(t, "second"); string(outcome.Patch) != want {
		t.Errorf("got %s, want %s", outcome.Patch, want)
	}
}

func TestRefusesOtherKeys(t *testing.T) {
	for _, key := range []string{"", "sec", "third"} {
		t.Run(key, func(t *testing.T) {
			if outcome := checkKey(t, key); outcome.Answer == nil || outcome.Answer.Status != 401 {
				t.Errorf("got %+v", outcome)
			}
		})
	}
}
