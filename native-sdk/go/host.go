package backworks

/*
#include <stdlib.h>
#include "glue.h"
*/
import "C"

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
	"unsafe"
)

// ErrNotOffered is the error of a service that the server does not offer.
var ErrNotOffered = errors.New("the server does not offer this service")

// ErrNoAnswer is the error of [Call] when the operation has no result, failed, or is not allowed.
var ErrNoAnswer = errors.New("the operation gave no answer")

// Metric adds to the counter backworks_plugin_custom_total{plugin,name}. Names are made of a-z, 0-9 and _.
func Metric(name string, delta float64) {
	text := cString(name)
	defer C.free(unsafe.Pointer(text))
	C.backworks_host_metric(text, C.double(delta))
}

// KVGet reads a value from the plugin's own key-value space, and whether there is one.
func KVGet(key string) (value string, found bool, err error) {
	name := cString(key)
	defer C.free(unsafe.Pointer(name))
	var copied *C.char
	if C.backworks_host_kv_get(name, &copied) == 0 {
		return "", false, notOffered("KVGet")
	}
	text, found := take(copied)
	return string(text), found, nil
}

// KVSet writes a value to the plugin's own key-value space. With a ttl of 0 it lives as long as the store; a ttl
// is rounded up to seconds and may not be negative.
func KVSet(key, value string, ttl time.Duration) error {
	if ttl < 0 {
		return fmt.Errorf("KVSet: the ttl %v is negative", ttl)
	}
	text := cString(value)
	defer C.free(unsafe.Pointer(text))
	return kvWrite("KVSet", key, text, ttl)
}

// KVDelete removes a value from the plugin's own key-value space.
func KVDelete(key string) error { return kvWrite("KVDelete", key, nil, 0) }

func kvWrite(service, key string, value *C.char, ttl time.Duration) error {
	name := cString(key)
	defer C.free(unsafe.Pointer(name))
	seconds := math.Min(math.Ceil(ttl.Seconds()), math.MaxUint32)
	var status C.int32_t
	if C.backworks_host_kv_set(name, value, C.uint32_t(seconds), &status) == 0 {
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
	Headers map[string]string
	// Body is sent as text when it is a string, and as JSON otherwise; nil for none.
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
	// Body is the body of the response.
	Body Body
}

// Fetch has the server make an HTTP request.
func Fetch(request HTTPRequest) (*HTTPResponse, error) {
	document := map[string]any{"method": "GET", "url": request.URL}
	setUnlessZero(document, "method", request.Method)
	setUnlessZero(document, "timeout_ms", request.Timeout.Milliseconds())
	if request.Headers != nil {
		document["headers"] = request.Headers
	}
	if request.Body != nil {
		document["body"] = request.Body
	}
	encoded, err := encode(document)
	if err != nil {
		return nil, wrap("the request", err)
	}
	text := cString(string(encoded))
	defer C.free(unsafe.Pointer(text))
	var copied *C.char
	if C.backworks_host_http_fetch(text, &copied) == 0 {
		return nil, notOffered("Fetch")
	}
	answer, _ := take(copied)
	return parseFetched(answer)
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
		return nil, errors.New(*read.Error)
	}
	if read.BodyEncoding == "" && len(read.Body) > 0 && read.Body[0] != '"' && string(read.Body) != "null" {
		read.BodyEncoding = EncodingJSON
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
	var name *C.char
	if plugin != "" {
		name = cString(plugin)
		defer C.free(unsafe.Pointer(name))
	}
	called, text := cString(operation), cString(string(encoded))
	defer C.free(unsafe.Pointer(called))
	defer C.free(unsafe.Pointer(text))
	var copied *C.char
	if C.backworks_host_call(name, called, text, &copied) == 0 {
		return notOffered("Call")
	}
	answer, answered := take(copied)
	switch {
	case !answered:
		return wrap(operation, ErrNoAnswer)
	case result == nil:
		return nil
	}
	if err := json.Unmarshal(answer, result); err != nil {
		return wrap("the answer of "+operation, err)
	}
	return nil
}

// Cancelled reports whether the server no longer waits for the answer of the running call. The context of a
// hook says the same, and tells goroutines too.
func Cancelled() bool { return C.backworks_host_cancelled() != 0 }

// hookContext ends at the deadline of the running call.
func hookContext() (context.Context, context.CancelFunc) {
	left := int64(C.backworks_host_deadline_left_ms())
	if left < 0 {
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), time.Duration(left)*time.Millisecond)
}

// fail makes the running call fail. It returns false when the server cannot be told.
func fail(message string) bool {
	text := cString(message)
	defer C.free(unsafe.Pointer(text))
	return C.backworks_host_fail(text) != 0
}

func notOffered(service string) error { return wrap(service, ErrNotOffered) }

// cString copies a text for C. The caller frees the copy.
func cString(text string) *C.char { return C.CString(withoutNUL(text)) }

// take copies a string that C allocated, and frees it. It returns false for NULL.
func take(text *C.char) ([]byte, bool) {
	if text == nil {
		return nil, false
	}
	defer C.free(unsafe.Pointer(text))
	return []byte(C.GoString(text)), true
}
