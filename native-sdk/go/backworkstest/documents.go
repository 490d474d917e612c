package backworkstest

import (
	"encoding/base64"
	"encoding/json"

	backworks "github.com/backworks/backworks/native-sdk/go"
)

// Request is what a request document is made of. Every member has a default.
type Request struct {
	// Method is GET when it is empty, or POST with a body.
	Method string
	// Path is "/" when it is empty.
	Path string
	// Route is the path when it is empty.
	Route string
	// Unmatched is true when no endpoint matches: the document then has no route.
	Unmatched bool
	Params    map[string]string
	Query     backworks.Values
	// Headers has names in lower case. A body adds content-type.
	Headers backworks.Values
	// Context is what earlier hooks left.
	Context map[string]any
	// Body is a text when it is a string, bytes when it is a []byte, and JSON otherwise; nil for none.
	Body any
}

func (r Request) document() ([]byte, error) {
	method, path := or(r.Method, "GET"), or(r.Path, "/")
	if r.Method == "" && r.Body != nil {
		method = "POST"
	}
	document := map[string]any{
		"id": "test", "method": method, "path": path, "route": or(r.Route, path),
		"params": orEmpty(r.Params), "query": orEmpty(r.Query), "context": orEmpty(r.Context),
		"remote": map[string]any{"address": "127.0.0.1", "port": 50000},
	}
	if r.Unmatched {
		document["route"] = nil
	}
	setBody(document, r.Headers, r.Body)
	return json.Marshal(document)
}

// ResponseDocument is what a response document is made of. Every member has a default.
type ResponseDocument struct {
	// Status is 200 when it is 0.
	Status int
	// Headers has names in lower case. A body adds content-type.
	Headers backworks.Values
	// Context is what earlier hooks left.
	Context map[string]any
	// Body is a text when it is a string, bytes when it is a []byte, and JSON otherwise; nil for none.
	Body any
	// Request is the request that is answered.
	Request backworks.AnsweredRequest
}

func (r ResponseDocument) document() ([]byte, error) {
	status := r.Status
	if status == 0 {
		status = 200
	}
	path := or(r.Request.Path, "/")
	document := map[string]any{
		"status": status, "context": orEmpty(r.Context),
		"request": map[string]any{
			"id": or(r.Request.ID, "test"), "method": or(r.Request.Method, "GET"), "path": path,
			"route": or(r.Request.Route, path),
		},
	}
	setBody(document, r.Headers, r.Body)
	return json.Marshal(document)
}

func setBody(document map[string]any, headers backworks.Values, body any) {
	written := backworks.Values{}
	encoding, contentType := backworks.EncodingJSON, "application/json"
	switch bytes := body.(type) {
	case nil:
		encoding, contentType = backworks.EncodingText, ""
	case string:
		encoding, contentType = backworks.EncodingText, "text/plain; charset=utf-8"
	case []byte:
		encoding, contentType = backworks.EncodingBase64, "application/octet-stream"
		body = base64.StdEncoding.EncodeToString(bytes)
	}
	if contentType != "" {
		written["content-type"] = []string{contentType}
	}
	for name, values := range headers {
		written[name] = values
	}
	document["headers"] = written
	document["body"] = body
	document["body_encoding"] = encoding
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func orEmpty[M ~map[string]V, V any](members M) M {
	if members == nil {
		return M{}
	}
	return members
}

// Answer is a response of the plugin, as the server would send it.
type Answer struct {
	Status int `json:"status"`
	// Headers has names in lower case.
	Headers  backworks.Values       `json:"headers"`
	Encoding backworks.BodyEncoding `json:"body_encoding"`
	// Body is the member of the answer: JSON, or a string that holds a text or base64.
	Body json.RawMessage `json:"body"`
}

// Header returns the first value of a header in lower case, or "".
func (a *Answer) Header(name string) string { return a.Headers.Get(name) }

// JSON reads a JSON body into a value.
func (a *Answer) JSON(value any) error { return json.Unmarshal(a.Body, value) }

// Bytes returns the bytes that a client gets.
func (a *Answer) Bytes() ([]byte, error) {
	if a.Encoding == backworks.EncodingJSON {
		return a.Body, nil
	}
	var text *string
	if err := json.Unmarshal(a.Body, &text); err != nil || text == nil {
		return nil, err
	}
	if a.Encoding == backworks.EncodingBase64 {
		return base64.StdEncoding.DecodeString(*text)
	}
	return []byte(*text), nil
}

// Text returns the body as text; "" when it cannot be read.
func (a *Answer) Text() string {
	bytes, err := a.Bytes()
	if err != nil {
		return ""
	}
	return string(bytes)
}
