package main

import (
	"encoding/json"
	"testing"
)

func TestReadsPricesWithoutRounding(t *testing.T) {
	for price, want := range map[string]uint64{
		"12.50": 125_000, "7": 70_000, "0.0001": 1,
		"": 0, ".": 0, "1.": 0, ".5": 0, "1.23456": 0, "-1": 0, "1e3": 0, "1 ": 0,
	} {
		if got := units(price); got != want {
			t.Errorf("%q: got %d, want %d", price, got, want)
		}
	}
}

func TestNamesEveryWrongField(t *testing.T) {
	config := &config{Symbols: []string{"ACME"}, MaxNotional: 1000}
	right := readOrder(json.RawMessage(`{"symbol":"ACME","side":"buy","quantity":3,"price":"1.5"}`))
	if notional, problems := right.check(config); notional != 45_000 || len(problems) > 0 {
		t.Errorf("got %d, %v", notional, problems)
	}
	for _, body := range []string{`{"symbol":"XYZ","side":7,"quantity":1.5,"price":12}`, `[]`, `null`, `"text"`} {
		_, problems := readOrder(json.RawMessage(body)).check(config)
		fields := ""
		for _, each := range problems {
			fields += each.Field + " "
		}
		if fields != "symbol side quantity price " {
			t.Errorf("%s: got %s", body, fields)
		}
	}
}
