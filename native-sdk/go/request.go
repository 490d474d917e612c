package backworks

import (
	"bytes"
	"encoding/json"
	"strconv"
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
	request := &Request{}
	var body bodyMembers
	err := eachMember(document, func(name string, value []byte) (err error) {
		switch name {
		case "id":
			request.ID, err = stringOf(value)
		case "method":
			request.Method, err = stringOf(value)
		case "path":
			request.Path, err = stringOf(value)
		case "route":
			request.Route, err = stringOf(value)
		case "params":
			request.Params, err = stringsOf(value)
		case "query":
			err = request.Query.UnmarshalJSON(value)
		case "headers":
			err = request.Headers.UnmarshalJSON(value)
		case "remote":
			request.Remote, err = remoteOf(value)
		case "context":
			request.Context, err = rawOf(value)
		default:
			err = body.read(name, value)
		}
		return err
	})
	if err != nil {
		return nil, wrap("the request document", err)
	}
	request.Body = body.body()
	return request, nil
}

// parseResponse reads a response document. The result shares no memory with the text.
func parseResponse(document []byte) (*Response, error) {
	response := &Response{}
	var body bodyMembers
	err := eachMember(document, func(name string, value []byte) (err error) {
		switch name {
		case "status":
			response.Status, err = strconv.Atoi(string(value))
		case "headers":
			err = response.Headers.UnmarshalJSON(value)
		case "context":
			response.Context, err = rawOf(value)
		case "request":
			err = json.Unmarshal(value, &response.Request)
		default:
			err = body.read(name, value)
		}
		return err
	})
	if err != nil {
		return nil, wrap("the response document", err)
	}
	response.Body = body.body()
	return response, nil
}

// bodyMembers are the members of a document that make a [Body].
type bodyMembers struct {
	text     json.RawMessage
	encoding string
	streamed bool
}

func (b *bodyMembers) read(name string, value []byte) (err error) {
	switch name {
	case "body":
		b.text = bytes.Clone(value)
	case "body_encoding":
		b.encoding, err = stringOf(value)
	case "body_streamed":
		b.streamed, err = strconv.ParseBool(string(value))
	}
	return err
}

func (b *bodyMembers) body() Body { return bodyOf(b.text, BodyEncoding(b.encoding), b.streamed) }

// remoteOf reads the address of a client. null is nil.
func remoteOf(value []byte) (*Remote, error) {
	if value[0] == 'n' {
		return nil, nil
	}
	remote := &Remote{}
	err := eachMember(value, func(name string, member []byte) (err error) {
		switch name {
		case "address":
			remote.Address, err = stringOf(member)
		case "port":
			remote.Port, err = strconv.Atoi(string(member))
		}
		return err
	})
	return remote, err
}
