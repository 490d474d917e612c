package backworks

import (
	"context"
	"errors"
	"math"
	"reflect"
	"testing"
)

type ctx = context.Context

type named struct{}

func (named) Info() Info { return Info{Name: "named", Version: "1.0.0", Description: "For tests."} }

const requestDocument = `{"id":"7","method":"GET","path":"/a%20b","route":null,"params":{"p":"q"},
"query":{"one":"1","many":["a","b"]},"headers":{"x-a":"b","set-cookie":["c","d"]},
"remote":{"address":"::1","port":9},"context":{"n":1.50},"body":{ "a": 1.50 },"body_encoding":"json"}`

func TestRequestsAreTyped(t *testing.T) {
	text := []byte(requestDocument)
	request, err := parseRequest(text)
	if err != nil {
		t.Fatal(err)
	}
	// The text is the host's: nothing that was read from it may change with it.
	for at := range text {
		text[at] = '#'
	}
	var n float64
	found, err := request.Context.Read("n", &n)
	if err != nil || !found || n != 1.5 || string(request.Context["n"]) != "1.50" {
		t.Errorf("context: %v, %v", request.Context, err)
	}
	if found, _ := request.Context.Read("m", &n); found {
		t.Error("a member that is not there was found")
	}
	body, err := request.Body.Text()
	if err != nil || body != `{ "a": 1.50 }` {
		t.Errorf("body: %s, %v", body, err)
	}
	if request.Header("X-A") != "b" || request.Header("x-b") != "" || request.Remote.Port != 9 || request.Route != "" {
		t.Errorf("%+v", request)
	}
	if want := (Values{"one": {"1"}, "many": {"a", "b"}}); !reflect.DeepEqual(request.Query, want) {
		t.Errorf("query: %v", request.Query)
	}
	written, err := encode(request.Query)
	if err != nil || string(written) != `{"many":["a","b"],"one":"1"}` {
		t.Errorf("query: %s, %v", written, err)
	}
}

func TestBodiesInEveryEncoding(t *testing.T) {
	for _, row := range []struct {
		document, text string
		isEmpty        bool
	}{
		{`{"body":null}`, "", true},
		{`{"body":"é\u0000","body_encoding":"text"}`, "é\x00", false},
		{`{"body":"w6k=","body_encoding":"base64"}`, "é", false},
		{`{"body":[1],"body_encoding":"json"}`, "[1]", false},
	} {
		response, err := parseResponse([]byte(row.document))
		if err != nil {
			t.Fatal(err)
		}
		text, err := response.Body.Text()
		if err != nil || text != row.text || response.Body.IsEmpty() != row.isEmpty {
			t.Errorf("%s: %q, %v", row.document, text, err)
		}
	}
	response, _ := parseResponse([]byte(`{"body":"/w==","body_encoding":"base64"}`))
	if _, err := response.Body.Text(); err == nil {
		t.Error("bytes that are no UTF-8 are a text")
	}
	if bytes, err := response.Body.Bytes(); err != nil || bytes[0] != 0xff {
		t.Errorf("%v, %v", bytes, err)
	}
	if err := response.Body.JSON(new(any)); err == nil {
		t.Error("bytes are JSON")
	}
}

func TestAnswers(t *testing.T) {
	respond := func(reply *Reply) ([]byte, error) { return reply.answer() }
	for name, row := range map[string]struct {
		answer func() ([]byte, error)
		want   string
	}{
		"json": {
			func() ([]byte, error) {
				return respond(JSON(map[string]string{"a": "<&>"}).Status(201).Header("X-A", "b"))
			},
			`{"status":201,"headers":{"x-a":"b"},"body_encoding":"json","body":{"a":"<&>"}}`,
		},
		"cookies": {
			func() ([]byte, error) { return respond(Empty().Cookie("a=1").Cookie("b=2")) },
			`{"status":204,"headers":{"set-cookie":["a=1","b=2"]},"body_encoding":"text","body":null}`,
		},
		"bytes": {
			func() ([]byte, error) { return respond(Bytes("a/b", []byte{255})) },
			`{"status":200,"headers":{"content-type":"a/b"},"body_encoding":"base64","body":"/w=="}`,
		},
		"a reply to a request": {
			func() ([]byte, error) { return Text("x").requestAnswer() },
			`{"response":{"status":200,"headers":{"content-type":"text/plain; charset=utf-8"},` +
				`"body_encoding":"text","body":"x"}}`,
		},
		"a patch": {
			func() ([]byte, error) {
				return NewPatch().Header("A", "b").RemoveHeader("C").Query("q", "1").Context("c", 1).requestAnswer()
			},
			`{"request":{"context":{"c":1},"headers":{"a":"b","c":null},"query":{"q":"1"}}}`,
		},
		"a patch of a body": {
			func() ([]byte, error) { return NewPatch().Status(404).JSON([]int{1}).answer("response") },
			`{"response":{"body":[1],"body_encoding":"json","status":404}}`,
		},
		"no reply": {func() ([]byte, error) { return (*Reply)(nil).requestAnswer() }, ``},
		"no patch": {func() ([]byte, error) { return (*Patch)(nil).requestAnswer() }, ``},
	} {
		answer, err := row.answer()
		if err != nil || string(answer) != row.want {
			t.Errorf("%s: %s, %v", name, answer, err)
		}
	}
	for _, value := range []any{math.NaN(), func() {}} {
		if _, err := JSON(value).answer(); err == nil {
			t.Errorf("%v was written", value)
		}
	}
}

func TestTypedOperations(t *testing.T) {
	double := Typed(func(_ ctx, n int) (int, error) { return 2 * n, nil })
	r := &registration{operations: map[string]Operation{"double": double}}
	answer, err := r.call(context.Background(), "double", []byte("21"))
	if err != nil || string(answer) != "42" {
		t.Errorf("%s, %v", answer, err)
	}
	if _, err := r.call(context.Background(), "double", []byte(`"x"`)); err == nil {
		t.Error("a payload that does not fit was accepted")
	}
	if answer, err := r.call(context.Background(), "unknown", nil); answer != nil || err != nil {
		t.Errorf("an unknown operation: %s, %v", answer, err)
	}
}

func TestWithoutAHostServicesSaySo(t *testing.T) {
	Metric("m", 1)
	_, _, err := KVGet("k")
	for _, err := range []error{err, KVSet("k", "v", 0), KVDelete("k"), Call("", "o", nil, nil)} {
		if !errors.Is(err, ErrNotOffered) {
			t.Errorf("%v", err)
		}
	}
	context, cancel := hookContext()
	defer cancel()
	if _, ok := context.Deadline(); ok || Cancelled() {
		t.Error("there is a deadline")
	}
}
