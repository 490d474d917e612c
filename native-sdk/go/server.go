package backworks

/*
#include <stdlib.h>
#include "glue.h"
*/
import "C"

import (
	"unsafe"

	"github.com/backworks/backworks/native-sdk/go/internal/link"
)

func init() { link.Use(server{}) }

// server is the host of a library that a server loaded: the functions of its table.
type server struct{}

func (server) Log(level int32, message string) bool {
	text := cString(message)
	defer C.free(unsafe.Pointer(text))
	return C.backworks_host_log(C.int32_t(level), text) != 0
}

func (server) Metric(name string, delta float64) bool {
	text := cString(name)
	defer C.free(unsafe.Pointer(text))
	return C.backworks_host_metric(text, C.double(delta)) != 0
}

func (server) KVGet(key string) (value string, found, offered bool) {
	name := cString(key)
	defer C.free(unsafe.Pointer(name))
	var copied *C.char
	if C.backworks_host_kv_get(name, &copied) == 0 {
		return "", false, false
	}
	value, found = take(copied)
	return value, found, true
}

func (server) KVSet(key string, value *string, ttlSeconds uint32) (status int32, offered bool) {
	name := cString(key)
	defer C.free(unsafe.Pointer(name))
	var text *C.char
	if value != nil {
		text = cString(*value)
		defer C.free(unsafe.Pointer(text))
	}
	var written C.int32_t
	offered = C.backworks_host_kv_set(name, text, C.uint32_t(ttlSeconds), &written) != 0
	return int32(written), offered
}

func (server) HTTPFetch(request string) (answer string, offered bool) {
	text := cString(request)
	defer C.free(unsafe.Pointer(text))
	var copied *C.char
	if C.backworks_host_http_fetch(text, &copied) == 0 {
		return "", false
	}
	answer, _ = take(copied)
	return answer, true
}

func (server) Call(plugin, operation, payload string) (answer string, answered, offered bool) {
	var name *C.char
	if plugin != "" {
		name = cString(plugin)
		defer C.free(unsafe.Pointer(name))
	}
	called, text := cString(operation), cString(payload)
	defer C.free(unsafe.Pointer(called))
	defer C.free(unsafe.Pointer(text))
	var copied *C.char
	if C.backworks_host_call(name, called, text, &copied) == 0 {
		return "", false, false
	}
	answer, answered = take(copied)
	return answer, answered, true
}

func (server) DeadlineLeftMS() int64 { return int64(C.backworks_host_deadline_left_ms()) }

func (server) Cancelled() bool { return C.backworks_host_cancelled() != 0 }

// fail makes the running call fail. It returns false when the server cannot be told.
func fail(message string) bool {
	text := cString(message)
	defer C.free(unsafe.Pointer(text))
	return C.backworks_host_fail(text) != 0
}

// cString copies a text for C. The caller frees the copy.
func cString(text string) *C.char { return C.CString(withoutNUL(text)) }

// take copies a string that C allocated, and frees it. It returns false for NULL.
func take(text *C.char) (string, bool) {
	if text == nil {
		return "", false
	}
	defer C.free(unsafe.Pointer(text))
	return C.GoString(text), true
}
