package backworks

import (
	"encoding/json"
	"strings"
)

// Remote is the address of a client.
type Remote struct {
	// Address is an IP address.
	Address string `json:"address"`
	// Port is a TCP port.
	Port int `json:"port"`
}

// Request is a request, as BeforeRequest and ProcessEndpoint see it. It stays valid after the hook.
type Request struct {
	// ID is the number of the request, as in the server's log.
	ID string
	// Method is the HTTP method in upper case.
	Method string
	// Path is the path as sent: percent-encoded, without the query.
	Path string
	// Route is the path of the endpoint that matched, such as "/weather/{city}"; "" when none did.
	Route string
	// Params are the values of the placeholders in the route, decoded.
	Params map[string]string
	// Query is the query, decoded.
	Query Values
	// Headers has names in lower case.
	Headers Values
	// Remote is the client, or nil when the request did not come over a socket.
	Remote *Remote
	// Context is what hooks that ran earlier left for later ones.
	Context Context
	// Body is the body of the request.
	Body Body
}

// Header returns the first value of a header, or "" when there is none. Upper and lower case are the same.
func (r *Request) Header(name string) string { return r.Headers.Get(strings.ToLower(name)) }

// Response is a response, as AfterResponse sees it. It stays valid after the hook.
type Response struct {
	// Status is the HTTP status.
	Status int
	// Headers has names in lower case.
	Headers Values
	// Context is what hooks left during the request.
	Context Context
	// Request is the request that is answered.
	Request AnsweredRequest
	// Body is the body of the response.
	Body Body
}

// Header returns the first value of a header, or "" when there is none. Upper and lower case are the same.
func (r *Response) Header(name string) string { return r.Headers.Get(strings.ToLower(name)) }

// AnsweredRequest is the request that a response answers.
type AnsweredRequest struct {
	// ID is the number of the request, as in the server's log.
	ID string `json:"id"`
	// Method is the HTTP method in upper case.
	Method string `json:"method"`
	// Path is the path as sent, without the query.
	Path string `json:"path"`
	// Route is the path of the endpoint that matched; "" when none did.
	Route string `json:"route"`
}

// Context is what the hooks of one request leave for later ones, by name.
type Context map[string]json.RawMessage

// Read reads a member into a value. It returns false when there is no such member.
func (c Context) Read(name string, value any) (bool, error) {
	text, ok := c[name]
	if !ok {
		return false, nil
	}
	if err := json.Unmarshal(text, value); err != nil {
		return false, wrap("context."+name, err)
	}
	return true, nil
}

// parseRequest reads a request document. The result shares no memory with the text.
func parseRequest(document []byte) (*Request, error) {
	var read struct {
		ID           string            `json:"id"`
		Method       string            `json:"method"`
		Path         string            `json:"path"`
		Route        string            `json:"route"`
		Params       map[string]string `json:"params"`
		Query        Values            `json:"query"`
		Headers      Values            `json:"headers"`
		Remote       *Remote           `json:"remote"`
		Context      Context           `json:"context"`
		Body         json.RawMessage   `json:"body"`
		BodyEncoding BodyEncoding      `json:"body_encoding"`
		BodyStreamed bool              `json:"body_streamed"`
	}
	if err := json.Unmarshal(document, &read); err != nil {
		return nil, wrap("the request document", err)
	}
	return &Request{
		ID: read.ID, Method: read.Method, Path: read.Path, Route: read.Route, Params: read.Params,
		Query: read.Query, Headers: read.Headers, Remote: read.Remote, Context: read.Context,
		Body: bodyOf(read.Body, read.BodyEncoding, read.BodyStreamed),
	}, nil
}

// parseResponse reads a response document. The result shares no memory with the text.
func parseResponse(document []byte) (*Response, error) {
	var read struct {
		Status       int             `json:"status"`
		Headers      Values          `json:"headers"`
		Context      Context         `json:"context"`
		Request      AnsweredRequest `json:"request"`
		Body         json.RawMessage `json:"body"`
		BodyEncoding BodyEncoding    `json:"body_encoding"`
		BodyStreamed bool            `json:"body_streamed"`
	}
	if err := json.Unmarshal(document, &read); err != nil {
		return nil, wrap("the response document", err)
	}
	return &Response{
		Status: read.Status, Headers: read.Headers, Context: read.Context, Request: read.Request,
		Body: bodyOf(read.Body, read.BodyEncoding, read.BodyStreamed),
	}, nil
}
