package main

import (
	"testing"

	"github.com/backworks/backworks/native-sdk/go/backworkstest"
)

func TestAnswersWithTheMessageAndItsAcknowledgement(t *testing.T) {
	host := backworkstest.NewHost(t)
	plugin := host.Start(&reader{}, nil)
	answer, err := plugin.ProcessEndpoint(backworkstest.Request{Body: header + "\rPID|1||77"})
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Type     string    `json:"type"`
		Segments []segment `json:"segments"`
	}
	if err := answer.JSON(&read); err != nil || read.Type != "ADT^A01" || len(read.Segments) != 2 {
		t.Errorf("got %+v, %v", read, err)
	}
}

func TestRefusesABodyThatIsNoText(t *testing.T) {
	host := backworkstest.NewHost(t)
	plugin := host.Start(&reader{}, nil)
	answer, err := plugin.ProcessEndpoint(backworkstest.Request{Body: []byte{255}})
	if err != nil || answer.Status != 422 {
		t.Errorf("got %+v, %v", answer, err)
	}
}
