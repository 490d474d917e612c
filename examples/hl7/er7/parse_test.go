package er7

import (
	"fmt"
	"strings"
	"testing"
)

func TestRefusedDocumentsNameSegmentAndField(t *testing.T) {
	for name, wrong := range refused {
		if _, err := Parse([]byte(wrong.document), ASCII); err == nil || err.Error() != wrong.reason {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestValuesHaveTheirText(t *testing.T) {
	document, err := Parse([]byte("MSH|^~\\&|A\rNTE|1||\\F\\\\S\\\\T\\\\R\\\\E\\\\X0D0A\\|\\X41\\\\H\\&b^c~d\r"), ASCII)
	if err != nil {
		t.Fatal(err)
	}
	nte := document.Segments[1]
	if text := nte.Text(3, 1); text != "|^&~\\\r\n" {
		t.Errorf("%q", text)
	}
	if got := fmt.Sprintf("%q", nte.Field(4)); got != `[[[{"A\\H\\" "\\X41\\\\H\\"} {"b" ""}] [{"c" ""}]] [[{"d" ""}]]]` {
		t.Error(got)
	}
}

func TestTheNumberOfValuesIsLimited(t *testing.T) {
	_, err := Parse([]byte("MSH|^~\\&|"+strings.Repeat("&", valuesMax)), ASCII)
	if err == nil || err.Error() != "segment 1, MSH-3: the document has more than 65536 values" {
		t.Error(err)
	}
}

func TestJSONThatIsNoDocumentIsRefused(t *testing.T) {
	header := `{"name":"MSH","fields":["|","^~\\&"]},`
	for text, reason := range map[string]string{
		`{}`:                               "the document has either segments or file",
		`{"segments":[],"terminator":"x"}`: `terminator is "\r", "\n" or "\r\n"`,
		`{"segments":[` + header + `{"name":"pid","fields":[]}]}`:                                       "segment 2, pid: the name of a segment is a capital letter and two capital letters or digits",
		`{"segments":[` + header + `{"name":"PID","fields":[{"raw":"a|"}]}]}`:                           "segment 2, PID-1: raw contains the delimiter |",
		`{"segments":[` + header + `{"name":"PID","fields":[{"raw":"\r"}]}]}`:                           "segment 2, PID-1: raw contains the control character 0x0D",
		`{"segments":[` + header + `{"name":"PID","fields":["","ü"]}]}`:                                 "segment 2, PID-2: the character 'ü' (U+00FC) does not exist in ASCII",
		`{"segments":[` + header + `{"name":"PID","fields":[{"raw":"a","text":"b"}]}]}`:                 "segment 2, PID-1: text is not what raw stands for; leave out one of them",
		`{"segments":[` + header + `{"name":"PID","fields":[7]}]}`:                                      "segment 2, PID-1: " + errForm.Error(),
		`{"segments":[` + header + `{"name":"PID","fields":[{"components":[{"repetitions":["a"]}]}]}]}`: "segment 2, PID-1: " + errForm.Error(),
	} {
		document, err := DocumentFromJSON([]byte(text))
		if err == nil {
			_, err = document.Bytes(ASCII)
		}
		if err == nil || err.Error() != reason {
			t.Errorf("%s: %v", text, err)
		}
	}
}
