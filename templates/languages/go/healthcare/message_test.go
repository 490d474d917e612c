package main

import (
	"reflect"
	"testing"
)

const header = `MSH|^~\&|LAB|CITY|HIS|WARD|20260102||ADT^A01|42|P|2.5`

func TestReadsSegmentsAndFields(t *testing.T) {
	read, err := parse(header+"\r\nPID|1||77\r\n", 10)
	if err != nil {
		t.Fatal(err)
	}
	if want := (segment{Name: "PID", Fields: []string{"1", "", "77"}}); !reflect.DeepEqual(read.segments[1], want) {
		t.Errorf("got %+v, want %+v", read.segments[1], want)
	}
	if ack := read.acknowledge([]string{"PID"}); ack != `MSH|^~\&|HIS|WARD|LAB|CITY|20260102||ACK|42|P|2.5`+"\rMSA|AA|42" {
		t.Errorf("acknowledgement: %q", ack)
	}
}

func TestRefusesWhatIsNoMessage(t *testing.T) {
	for _, text := range []string{"", "hello", "MSH", `MSH|^~\&|LAB`, header + "\rpid|1", header + "\rPID|1\rPID|2"} {
		if _, err := parse(text, 2); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
