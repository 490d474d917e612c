// Package backworkstest tests a plugin without a server and without Node.js: `go test` is enough.
//
// A [Host] stands in for the server. It records what the plugin does and answers as the test says. It starts plugins,
// whose functions are then called through the same code as in a server: documents are JSON, and a panic is an error.
//
//	func TestGreets(t *testing.T) {
//		host := backworkstest.NewHost(t)
//		plugin := host.Start(&greeter{}, map[string]any{"greeting": "good day"})
//		answer, err := plugin.ProcessEndpoint(backworkstest.Request{
//			Path: "/hello/Ada", Params: map[string]string{"name": "Ada"},
//		})
//		if err != nil || answer.Status != 200 {
//			t.Fatalf("%+v, %v", answer, err)
//		}
//	}
//
// The functions of package backworks talk to one host, so tests with a host cannot run in parallel: do not call
// t.Parallel in them.
package backworkstest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	backworks "github.com/backworks/backworks/native-sdk/go"
	"github.com/backworks/backworks/native-sdk/go/internal/link"
)

// LogLine is a line that the plugin logged, with its attributes as key=value.
type LogLine struct {
	// Level is "debug", "info", "warn" or "error".
	Level string
	Text  string
}

// Operation is a call of the plugin to an operation of another plugin.
type Operation struct {
	// Plugin is the plugin it named; "" for any that provides the operation.
	Plugin string
	Name   string
	// Payload is JSON.
	Payload json.RawMessage
}

// Response is what a [Host] answers to a request of the plugin.
type Response struct {
	// Status is 200 when it is 0.
	Status  int
	Headers backworks.Values
	Body    []byte
}

type value struct {
	text string
	// ends is 0 when the value lasts.
	ends time.Duration
}

// Host stands in for the server. Its methods may be used on any goroutine.
type Host struct {
	t    testing.TB
	lock sync.Mutex

	log        []LogLine
	metrics    map[string]float64
	values     map[string]value
	responses  script
	requests   []string
	operations script
	calls      []Operation
	now        time.Duration
	deadline   *time.Duration
	cancelled  bool
}

// script has answers in the order in which they were given.
type script map[string][]string

// next is the first answer; the last one is given again and again.
func (s script) next(name string) (string, bool) {
	answers := s[name]
	if len(answers) == 0 {
		return "", false
	}
	if len(answers) > 1 {
		s[name] = answers[1:]
	}
	return answers[0], true
}

var inUse sync.Mutex

// NewHost makes a host that the plugin talks to until the test ends. It fails the test when another test has one.
func NewHost(t testing.TB) *Host {
	t.Helper()
	if !inUse.TryLock() {
		t.Fatal("backworkstest: another test uses a host; tests with a host cannot run in parallel")
	}
	host := &Host{
		t: t, metrics: map[string]float64{}, values: map[string]value{}, responses: script{}, operations: script{},
	}
	restoreHost := link.Use((*table)(host))
	restoreLog := link.LogToHost()
	t.Cleanup(func() {
		restoreLog()
		restoreHost()
		inUse.Unlock()
	})
	return host
}

// Log returns the lines that the plugin logged, oldest first.
func (h *Host) Log() []LogLine {
	h.lock.Lock()
	defer h.lock.Unlock()
	return append([]LogLine(nil), h.log...)
}

// Logged reports whether some line contains this text.
func (h *Host) Logged(part string) bool {
	for _, line := range h.Log() {
		if strings.Contains(line.Text, part) {
			return true
		}
	}
	return false
}

// Metric returns the sum of a counter; 0 when the plugin did not raise it.
func (h *Host) Metric(name string) float64 {
	h.lock.Lock()
	defer h.lock.Unlock()
	return h.metrics[name]
}

// KV returns a value of the plugin's key-value space, and whether there is one.
func (h *Host) KV(key string) (string, bool) {
	h.lock.Lock()
	defer h.lock.Unlock()
	found, ok := h.values[key]
	isOver := found.ends != 0 && found.ends <= h.now
	return found.text, ok && !isOver
}

// SetKV sets a value of the plugin's key-value space.
func (h *Host) SetKV(key, text string) {
	h.lock.Lock()
	defer h.lock.Unlock()
	h.values[key] = value{text: text}
}

// Respond says what a request to a URL is answered with. Several answers for one URL are given in order, the last one
// again and again. Any other URL gets an error.
func (h *Host) Respond(url string, response Response) {
	document := map[string]any{
		"status": response.Status, "headers": response.Headers, "body_encoding": "text", "body": string(response.Body),
	}
	if response.Status == 0 {
		document["status"] = 200
	}
	if response.Headers == nil {
		document["headers"] = map[string]any{}
	}
	if !utf8.Valid(response.Body) {
		document["body_encoding"] = "base64"
		document["body"] = base64.StdEncoding.EncodeToString(response.Body)
	}
	h.script(h.responses, url, document)
}

// Refuse makes requests to a URL fail, with this message of the server.
func (h *Host) Refuse(url, message string) {
	h.script(h.responses, url, map[string]string{"error": message})
}

// Provide says what an operation of another plugin answers, in order as for Respond. Any other operation gives no
// answer.
func (h *Host) Provide(operation string, answer any) { h.script(h.operations, operation, answer) }

func (h *Host) script(answers script, name string, answer any) {
	h.t.Helper()
	text, err := json.Marshal(answer)
	if err != nil {
		h.t.Fatalf("backworkstest: the answer of %s: %v", name, err)
	}
	h.lock.Lock()
	defer h.lock.Unlock()
	answers[name] = append(answers[name], string(text))
}

// Requests returns the HTTP requests that the plugin made, oldest first. A Body is nil, a string, a []byte, or a
// json.RawMessage.
func (h *Host) Requests() []backworks.HTTPRequest {
	h.t.Helper()
	h.lock.Lock()
	defer h.lock.Unlock()
	requests := make([]backworks.HTTPRequest, len(h.requests))
	for at, text := range h.requests {
		request, err := parseRequest(text)
		if err != nil {
			h.t.Fatalf("backworkstest: %s is no request: %v", text, err)
		}
		requests[at] = request
	}
	return requests
}

func parseRequest(text string) (backworks.HTTPRequest, error) {
	var read struct {
		Method       string                 `json:"method"`
		URL          string                 `json:"url"`
		Headers      backworks.Values       `json:"headers"`
		Body         json.RawMessage        `json:"body"`
		BodyEncoding backworks.BodyEncoding `json:"body_encoding"`
		TimeoutMS    int64                  `json:"timeout_ms"`
	}
	if err := json.Unmarshal([]byte(text), &read); err != nil {
		return backworks.HTTPRequest{}, err
	}
	request := backworks.HTTPRequest{
		Method: read.Method, URL: read.URL, Headers: read.Headers, Timeout: time.Duration(read.TimeoutMS) * time.Millisecond,
	}
	if read.Body == nil {
		return request, nil
	}
	if read.BodyEncoding == backworks.EncodingJSON {
		request.Body = read.Body
		return request, nil
	}
	var body string
	if err := json.Unmarshal(read.Body, &body); err != nil {
		return request, err
	}
	request.Body = body
	if read.BodyEncoding == backworks.EncodingBase64 {
		bytes, err := base64.StdEncoding.DecodeString(body)
		request.Body = bytes
		return request, err
	}
	return request, nil
}

// Operations returns the calls of other plugins' operations, oldest first.
func (h *Host) Operations() []Operation {
	h.lock.Lock()
	defer h.lock.Unlock()
	return append([]Operation(nil), h.calls...)
}

// SetDeadline says how much time the calls that follow have left. A new host has no deadline. The context of a hook
// ends after this time of the real clock.
func (h *Host) SetDeadline(left time.Duration) {
	h.lock.Lock()
	defer h.lock.Unlock()
	deadline := h.now + left
	h.deadline = &deadline
}

// Pass lets time pass: the deadline comes nearer, and values of the key-value space end.
func (h *Host) Pass(time time.Duration) {
	h.lock.Lock()
	defer h.lock.Unlock()
	h.now += time
}

// Cancel says whether nobody waits for the answer any more. It is always so after the deadline.
func (h *Host) Cancel(cancelled bool) {
	h.lock.Lock()
	defer h.lock.Unlock()
	h.cancelled = cancelled
}

// table is the host as the plugin sees it.
type table Host

func (h *table) Log(level int32, message string) bool {
	names := [...]string{"debug", "info", "warn", "error"}
	h.lock.Lock()
	defer h.lock.Unlock()
	h.log = append(h.log, LogLine{names[level], message})
	return true
}

func (h *table) Metric(name string, delta float64) bool {
	h.lock.Lock()
	defer h.lock.Unlock()
	if delta >= 0 && !math.IsInf(delta, 0) {
		h.metrics[name] += delta
	}
	return true
}

func (h *table) KVGet(key string) (text string, found, offered bool) {
	text, found = (*Host)(h).KV(key)
	if !found {
		text = ""
	}
	return text, found, true
}

const (
	keyMax   = 1024
	valueMax = 1 << 20
	// invalid is BACKWORKS_KV_INVALID.
	invalid = 2
)

func (h *table) KVSet(key string, text *string, ttlSeconds uint32) (status int32, offered bool) {
	if key == "" || len(key) > keyMax || (text != nil && (len(*text) > valueMax || !utf8.ValidString(*text))) {
		return invalid, true
	}
	h.lock.Lock()
	defer h.lock.Unlock()
	if text == nil {
		delete(h.values, key)
		return 0, true
	}
	written := value{text: *text}
	if ttlSeconds > 0 {
		written.ends = h.now + time.Duration(ttlSeconds)*time.Second
	}
	h.values[key] = written
	return 0, true
}

func (h *table) HTTPFetch(request string) (answer string, offered bool) {
	h.lock.Lock()
	defer h.lock.Unlock()
	h.requests = append(h.requests, request)
	var read struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal([]byte(request), &read); err != nil {
		return refused(fmt.Sprintf("the request is not JSON: %v", err)), true
	}
	answer, ok := h.responses.next(read.URL)
	if !ok {
		return refused("the test has no response for " + read.URL), true
	}
	return answer, true
}

func refused(message string) string {
	text, _ := json.Marshal(map[string]string{"error": message})
	return string(text)
}

func (h *table) Call(plugin, operation, payload string) (answer string, answered, offered bool) {
	h.lock.Lock()
	defer h.lock.Unlock()
	h.calls = append(h.calls, Operation{plugin, operation, json.RawMessage(payload)})
	answer, answered = h.operations.next(operation)
	return answer, answered, true
}

func (h *table) DeadlineLeftMS() int64 {
	h.lock.Lock()
	defer h.lock.Unlock()
	if h.deadline == nil {
		return -1
	}
	if left := *h.deadline - h.now; left > 0 {
		return left.Milliseconds()
	}
	return 0
}

func (h *table) Cancelled() bool {
	isOver := h.DeadlineLeftMS() == 0
	h.lock.Lock()
	defer h.lock.Unlock()
	return h.cancelled || isOver
}
