package main

import (
	"reflect"
	"testing"

	backworks "github.com/backworks/backworks/native-sdk/go"
)

var twice = &config{Greeting: "good day", Repeat: 2}

func TestGreetsAsOftenAsConfigured(t *testing.T) {
	reply := answer(twice, &backworks.Request{Params: map[string]string{"name": "Ada"}})
	want := backworks.JSON(map[string][]string{"greetings": {"good day Ada", "good day Ada"}})
	if !reflect.DeepEqual(reply, want) {
		t.Errorf("got %+v, want %+v", reply, want)
	}
}

func TestDoesNotAnswerRequestsWithoutName(t *testing.T) {
	if reply := answer(twice, &backworks.Request{}); reply != nil {
		t.Errorf("got %+v", reply)
	}
}
