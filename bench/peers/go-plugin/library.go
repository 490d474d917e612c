package main

/*
#cgo CFLAGS: -I${SRCDIR}/../../../native-sdk/include
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>
#include "backworks_plugin.h"

static PluginVTable vtable;

static const char *open_library(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    PluginVTable (*get)(void);

    if (library == NULL)
        return dlerror();
    *(void **)&get = dlsym(library, "plugin_vtable");
    if (get == NULL)
        return dlerror();
    vtable = get();
    return vtable.process_endpoint == NULL ? "no process_endpoint" : NULL;
}

static const char *process_endpoint(const char *endpoint, const char *method, const char *data) {
    return vtable.process_endpoint(endpoint, method, data);
}
*/
import "C"

import (
	"errors"
	"sync"
	"unsafe"
)

// The ABI promises no thread safety: calls are serial, as in Backworks.
var serial sync.Mutex

func openLibrary(path string) error {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	if why := C.open_library(name); why != nil {
		return errors.New(C.GoString(why))
	}
	return nil
}

func processEndpoint(endpoint, method, data string) string {
	e, m, d := C.CString(endpoint), C.CString(method), C.CString(data)
	defer C.free(unsafe.Pointer(e))
	defer C.free(unsafe.Pointer(m))
	defer C.free(unsafe.Pointer(d))
	serial.Lock()
	defer serial.Unlock()
	return C.GoString(C.process_endpoint(e, m, d))
}
