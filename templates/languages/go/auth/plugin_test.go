package main

import (
	"reflect"
	"testing"

	backworks "github.com/backworks/backworks/native-sdk/go"
)

func checkKey(key string) backworks.RequestAction {
	two := &config{Keys: []string{"first", "second"}, Header: "x-api-key"}
	return check(two, &backworks.Request{Headers: backworks.Values{"x-api-key": {key}}})
}

func TestRemovesAKeyThatIsKnown(t *testing.T) {
	want := backworks.NewPatch().RemoveHeader("x-api-key").Context("authenticated", true)
	if action := checkKey("second"); !reflect.DeepEqual(action, want) {
		t.Errorf("got %+v, want %+v", action, want)
	}
}

func TestRefusesOtherKeys(t *testing.T) {
	for _, key := range []string{"", "sec", "third"} {
		if _, refused := checkKey(key).(*backworks.Reply); !refused {
			t.Errorf("%q passes", key)
		}
	}
}
