// Package link is what stands between package backworks and whoever calls the plugin: the server, or the mock host of
// package backworkstest.
package link

import "sync/atomic"

// Host is what the plugin may use. The results `offered` are false when the host does not offer the service. Every
// method may be called on any goroutine.
type Host interface {
	Log(level int32, message string) (offered bool)
	Metric(name string, delta float64) (offered bool)
	KVGet(key string) (value string, found, offered bool)
	// KVSet removes the key when value is nil.
	KVSet(key string, value *string, ttlSeconds uint32) (status int32, offered bool)
	HTTPFetch(request string) (answer string, offered bool)
	// Call calls any provider of the operation when plugin is "".
	Call(plugin, operation, payload string) (answer string, answered, offered bool)
	// DeadlineLeftMS is -1 without a deadline.
	DeadlineLeftMS() int64
	Cancelled() bool
}

type holder struct{ host Host }

var current atomic.Pointer[holder]

// Current is the host that the plugin talks to.
func Current() Host { return current.Load().host }

// Use replaces the host. It returns a function that puts the former one back.
func Use(host Host) (restore func()) {
	former := current.Swap(&holder{host})
	return func() { current.Store(former) }
}

// Functions are the functions of one plugin, with documents as JSON. A panic is an error. A function that the plugin
// does not have is nil.
type Functions struct {
	Manifest        []byte
	Initialize      func(config []byte) error
	Reconfigure     func(config []byte) error
	Shutdown        func() error
	HealthCheck     func() (status int32, reason string)
	BeforeRequest   func(document []byte) ([]byte, error)
	ProcessEndpoint func(document []byte) ([]byte, error)
	AfterResponse   func(document []byte) ([]byte, error)
	Call            func(operation string, payload []byte) ([]byte, error)
}

// FunctionsOf is set by package backworks: it describes a value that implements backworks.Plugin.
var FunctionsOf func(plugin any) (*Functions, error)

// LogToHost is set by package backworks: it sends the default logger to the host, until restore is called.
var LogToHost func() (restore func())
