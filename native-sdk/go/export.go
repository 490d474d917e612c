package backworks

/*
#include <stdlib.h>
#include <string.h>
#include "glue.h"
*/
import "C"

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"unsafe"

	"github.com/backworks/backworks/native-sdk/go/internal/link"
)

// The functions that glue.c puts into the tables of the ABI. Whatever they are given is the host's and is
// copied; what hooks return was allocated with malloc() and comes back to free_string().

// static holds texts for the life of the library.
var static struct {
	sync.Once
	texts    [3]*C.char
	manifest *C.char
}

func staticTexts() {
	static.Do(func() {
		if registered == nil {
			return // initialize() says so.
		}
		info := registered.info
		for at, text := range []string{info.Name, info.Version, info.Description} {
			static.texts[at] = cString(text)
		}
		static.manifest = cString(string(registered.manifest))
	})
}

//export backworksText
func backworksText(at C.int32_t) *C.ConstChar {
	staticTexts()
	return constant(static.texts[at])
}

//export backworksManifest
func backworksManifest() *C.ConstChar {
	staticTexts()
	return constant(static.manifest)
}

//export backworksImplements
func backworksImplements() C.int32_t {
	r := registered
	if r == nil {
		return C.IMPLEMENTS_INITIALIZE
	}
	var members C.int32_t
	for _, entry := range []struct {
		member        C.int32_t
		isImplemented bool
	}{
		{C.IMPLEMENTS_INITIALIZE, r.configured != nil || r.initializer != nil},
		{C.IMPLEMENTS_SHUTDOWN, r.shutdowner != nil},
		{C.IMPLEMENTS_HEALTH_CHECK, r.healthChecker != nil},
		{C.IMPLEMENTS_BEFORE_REQUEST, r.before != nil},
		{C.IMPLEMENTS_AFTER_RESPONSE, r.after != nil},
		{C.IMPLEMENTS_PROCESS_ENDPOINT, r.endpoint != nil},
		{C.IMPLEMENTS_CALL, len(r.operations) > 0},
		{C.IMPLEMENTS_RECONFIGURE, r.reconfigurer != nil},
		{C.IS_THREAD_SAFE, r.info.ThreadSafe},
	} {
		if entry.isImplemented {
			members |= entry.member
		}
	}
	return members
}

// backworksBound sends the default logger, and with it the package log, to the server.
//
//export backworksBound
func backworksBound(hasLog C.int32_t) {
	if hasLog != 0 {
		link.LogToHost()
	}
}

//export backworksInitialize
func backworksInitialize(config *C.ConstChar) C.int32_t {
	return status(func() error {
		if registered == nil {
			return errors.New("the library does not call backworks.Register() in init()")
		}
		return registered.initialize(bytesOf(config))
	})
}

//export backworksReconfigure
func backworksReconfigure(config *C.ConstChar) C.int32_t {
	return status(func() error { return registered.reconfigure(bytesOf(config)) })
}

//export backworksShutdown
func backworksShutdown() C.int32_t {
	return status(func() error { return registered.shutdowner.Shutdown(context.Background()) })
}

//export backworksHealthCheck
func backworksHealthCheck() C.int32_t {
	health := registered.health()
	return explain(health.status, health.reason)
}

//export backworksBeforeRequest
func backworksBeforeRequest(document *C.ConstChar) *C.ConstChar {
	return answer(func(ctx context.Context) ([]byte, error) {
		return registered.beforeRequest(ctx, bytesOf(document))
	})
}

//export backworksAfterResponse
func backworksAfterResponse(document *C.ConstChar) *C.ConstChar {
	return answer(func(ctx context.Context) ([]byte, error) {
		return registered.afterResponse(ctx, bytesOf(document))
	})
}

// The document has the route and the method too.
//
//export backworksProcessEndpoint
func backworksProcessEndpoint(endpoint, method, document *C.ConstChar) *C.ConstChar {
	return answer(func(ctx context.Context) ([]byte, error) {
		return registered.processEndpoint(ctx, bytesOf(document))
	})
}

//export backworksCall
func backworksCall(operation, payload *C.ConstChar) *C.ConstChar {
	return answer(func(ctx context.Context) ([]byte, error) {
		return registered.call(ctx, string(bytesOf(operation)), append(json.RawMessage{}, bytesOf(payload)...))
	})
}

//export backworksLastError
func backworksLastError() *C.ConstChar { return constant(lastError) }

// lastError is written and read by [serial] functions only.
var lastError *C.char

func status(work func() error) C.int32_t {
	if err := tried(work); err != nil {
		return explain(1, err.Error())
	}
	return explain(0, "")
}

func explain(status int32, reason string) C.int32_t {
	C.free(unsafe.Pointer(lastError))
	lastError = nil
	if status != 0 {
		lastError = cString(reason)
	}
	return C.int32_t(status)
}

// answer runs a hook. A host that cannot be told of a failure would take NULL for "unchanged" and let pass
// what the plugin may have been about to refuse, so the process ends instead.
func answer(work hook) *C.ConstChar {
	text, err := called(work)
	if err != nil {
		if !fail(err.Error()) {
			fmt.Fprintln(os.Stderr, err)
			C.abort()
		}
		return nil
	}
	if text == nil {
		return nil
	}
	return (*C.ConstChar)(C.CBytes(append(text, 0)))
}

// bytesOf returns a string of the host without copying it. It must not be kept after the call.
func bytesOf(text *C.ConstChar) []byte {
	if text == nil {
		return nil
	}
	pointer := unsafe.Pointer(text)
	return unsafe.Slice((*byte)(pointer), C.strlen((*C.char)(pointer)))
}

func constant(text *C.char) *C.ConstChar { return (*C.ConstChar)(unsafe.Pointer(text)) }
