package backworks

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/backworks/backworks/native-sdk/go/internal/link"
)

// ErrNotOffered is the error of a service that the server does not offer.
var ErrNotOffered = errors.New("the server does not offer this service")

// ErrNoAnswer is the error of [Call] when the operation has no result, failed, or is not allowed.
var ErrNoAnswer = errors.New("the operation gave no answer")

// FetchError is the error of [Fetch] when the request is wrong, its origin is not granted, or the target did not answer
// in time. A response with any status is no error.
type FetchError struct {
	// Message is one sentence of the server.
	Message string
}

// Error returns the message.
func (e *FetchError) Error() string { return e.Message }

// Metric adds to the counter backworks_plugin_custom_total{plugin,name}. Names are made of a-z, 0-9 and _.
func Metric(name string, delta float64) { link.Current().Metric(name, delta) }

// KVGet reads a value from the plugin's own key-value space, and whether there is one.
func KVGet(key string) (value string, found bool, err error) {
	value, found, offered := link.Current().KVGet(key)
	if !offered {
		return "", false, notOffered("KVGet")
	}
	return value, found, nil
}

// KVSet writes a value to the plugin's own key-value space. With a ttl of 0 it lives as long as the store; a ttl
// is rounded up to seconds and may not be negative.
func KVSet(key, value string, ttl time.Duration) error {
	if ttl < 0 {
		return fmt.Errorf("KVSet: the ttl %v is negative", ttl)
	}
	return kvWrite("KVSet", key, &value, ttl)
}

// KVDelete removes a value from the plugin's own key-value space.
func KVDelete(key string) error { return kvWrite("KVDelete", key, nil, 0) }

func kvWrite(service, key string, value *string, ttl time.Duration) error {
	seconds := math.Min(math.Ceil(ttl.Seconds()), math.MaxUint32)
	status, offered := link.Current().KVSet(key, value, uint32(seconds))
	if !offered {
		return notOffered(service)
	}
	if status != 0 {
		return fmt.Errorf("%s: the server did not store the value (status %d)", service, status)
	}
	return nil
}

// HTTPRequest is a request that the server makes for the plugin.
type HTTPRequest struct {
	// Method is GET when it is empty.
	Method string
	// URL has an origin that the plugin's permissions name.
	URL string
	// Headers of the request.
	Headers Values
	// Body is sent as text when it is a string, as it is when it is a []byte, and as JSON otherwise; nil for none.
	Body any
	// Timeout of the request; 0 leaves it to the server.
	Timeout time.Duration
}

// HTTPResponse is the answer to an [HTTPRequest].
type HTTPResponse struct {
	// Status is the HTTP status.
	Status int
	// Headers has names in lower case.
	Headers Values
	// Body is the body of the response, a text or bytes.
	Body Body
}

// JSON reads the body into a value. It fails when the body is not JSON, or does not fit the type.
func (r *HTTPResponse) JSON(value any) error {
	bytes, err := r.Body.Bytes()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(bytes, value); err != nil {
		return wrap("the body of the response", err)
	}
	return nil
}

// Fetch has the server make an HTTP request. The error is a *[FetchError] when there is no response.
func Fetch(request HTTPRequest) (*HTTPResponse, error) {
	document := map[string]any{"method": "GET", "url": request.URL}
	setUnlessZero(document, "method", request.Method)
	setUnlessZero(document, "timeout_ms", int64(math.Ceil(request.Timeout.Seconds()*1000)))
	if request.Headers != nil {
		document["headers"] = request.Headers
	}
	switch body := request.Body.(type) {
	case nil:
	case []byte:
		document["body_encoding"] = EncodingBase64
		document["body"] = base64.StdEncoding.EncodeToString(body)
	case string:
		document["body_encoding"] = EncodingText
		document["body"] = body
	default:
		document["body_encoding"] = EncodingJSON
		document["body"] = body
	}
	encoded, err := encode(document)
	if err != nil {
		return nil, wrap("the request", err)
	}
	answer, offered := link.Current().HTTPFetch(string(encoded))
	if !offered {
		return nil, notOffered("Fetch")
	}
	return parseFetched([]byte(answer))
}

func parseFetched(answer []byte) (*HTTPResponse, error) {
	var read struct {
		Status       int             `json:"status"`
		Headers      Values          `json:"headers"`
		Body         json.RawMessage `json:"body"`
		BodyEncoding BodyEncoding    `json:"body_encoding"`
		Error        *string         `json:"error"`
	}
	if err := json.Unmarshal(answer, &read); err != nil {
		return nil, wrap("the answer of the server", err)
	}
	if read.Error != nil {
		return nil, &FetchError{*read.Error}
	}
	body := bodyOf(read.Body, read.BodyEncoding, false)
	return &HTTPResponse{Status: read.Status, Headers: read.Headers, Body: body}, nil
}

// Call calls an operation of another plugin, and reads its answer into result. plugin is one of the
// dependencies in [Info]; "" stands for the dependency that provides the operation. result may be nil.
func Call(plugin, operation string, payload, result any) error {
	encoded, err := encode(payload)
	if err != nil {
		return wrap("the payload", err)
	}
	answer, answered, offered := link.Current().Call(plugin, operation, string(encoded))
	switch {
	case !offered:
		return notOffered("Call")
	case !answered:
		return wrap(operation, ErrNoAnswer)
	case result == nil:
		return nil
	}
	if err := json.Unmarshal([]byte(answer), result); err != nil {
		return wrap("the answer of "+operation, err)
	}
	return nil
}

// Cancelled reports whether the server no longer waits for the answer of the running call. The context of a
// hook says the same, and tells goroutines too.
func Cancelled() bool { return link.Current().Cancelled() }

// hookContext ends at the deadline of the running call.
func hookContext() (context.Context, context.CancelFunc) {
	left := link.Current().DeadlineLeftMS()
	if left < 0 {
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), time.Duration(left)*time.Millisecond)
}

func notOffered(service string) error { return wrap(service, ErrNotOffered) }
