package main

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestRemovesTheMembersThatAreThere(t *testing.T) {
	names := []string{"salary", "notes"}
	for body, want := range map[string]map[string]any{
		`{"id":1.50,"salary":1}`: {"salary": nil},
		`{"id":1}`:               {},
		`["salary"]`:             nil,
		`null`:                   {},
	} {
		if change := without(json.RawMessage(body), names); !reflect.DeepEqual(change, want) {
			t.Errorf("%s: got %v, want %v", body, change, want)
		}
	}
}
