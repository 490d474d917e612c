package main

import (
	"testing"

	"github.com/backworks/backworks/native-sdk/go/backworkstest"
)

func TestRemovesTheMembersThatAreThere(t *testing.T) {
	host := backworkstest.NewHost(t)
	plugin := host.Start(&transformer{}, map[string]any{"remove": []string{"salary", "notes"}, "served_by": "a"})
	for _, row := range []struct {
		body any
		want string
	}{
		{map[string]int{"id": 1, "salary": 1}, `{"body":{"salary":null},"body_encoding":"json","headers":{"x-served-by":"a"}}`},
		{map[string]int{"id": 1}, `{"headers":{"x-served-by":"a"}}`},
		{[]string{"salary"}, `{"headers":{"x-served-by":"a"}}`},
		{"salary", `{"headers":{"x-served-by":"a"}}`},
	} {
		patch, err := plugin.AfterResponse(backworkstest.ResponseDocument{Body: row.body})
		if err != nil || string(patch) != row.want {
			t.Errorf("%v: got %s, %v, want %s", row.body, patch, err, row.want)
		}
	}
}
