package main

import (
	"testing"

	"github.com/backworks/backworks/native-sdk/go/backworkstest"
)

func start(t *testing.T) *backworkstest.Plugin {
	host := backworkstest.NewHost(t)
	return host.Start(&greeter{}, map[string]any{"greeting": "good day", "repeat": 2})
}

func TestGreetsAsOftenAsConfigured(t *testing.T) {
	request := backworkstest.Request{Path: "/hello/Ada", Params: map[string]string{"name": "Ada"}}
	answer, err := start(t).ProcessEndpoint(request)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"greetings":["good day Ada","good day Ada"]}`; answer.Text() != want {
		t.Errorf("got %s, want %s", answer.Text(), want)
	}
}

func TestDoesNotAnswerRequestsWithoutName(t *testing.T) {
	answer, err := start(t).ProcessEndpoint(backworkstest.Request{Path: "/other"})
	if answer != nil || err != nil {
		t.Errorf("got %+v, %v", answer, err)
	}
}
