package backworks

import (
	"encoding/base64"
	"strings"
)

// Patch changes a document, as an RFC 7396 merge patch: everything that it does not name stays as it is,
// digit for digit. A value that cannot be written as JSON makes the call fail.
type Patch struct {
	members map[string]any
}

// NewPatch is a patch that changes nothing.
func NewPatch() *Patch { return &Patch{members: map[string]any{}} }

// Header sets a header.
func (p *Patch) Header(name, value string) *Patch {
	return p.inner("headers", strings.ToLower(name), value)
}

// RemoveHeader removes a header.
func (p *Patch) RemoveHeader(name string) *Patch {
	return p.inner("headers", strings.ToLower(name), nil)
}

// Query sets a member of the query. For requests only.
func (p *Patch) Query(name, value string) *Patch { return p.inner("query", name, value) }

// Path sets the path. For requests only.
func (p *Patch) Path(path string) *Patch { return p.Set("path", path) }

// Method sets the method. For requests only.
func (p *Patch) Method(method string) *Patch { return p.Set("method", method) }

// Status sets the status. For responses only.
func (p *Patch) Status(status int) *Patch { return p.Set("status", status) }

// Context leaves a value for later hooks of the same request.
func (p *Patch) Context(name string, value any) *Patch { return p.inner("context", name, value) }

// JSON merges a value into the body, which must be JSON. Members of objects that the value does not name
// stay as they are.
func (p *Patch) JSON(value any) *Patch { return p.body(EncodingJSON, value) }

// Text replaces the body by text.
func (p *Patch) Text(text string) *Patch { return p.body(EncodingText, text) }

// Bytes replaces the body by bytes.
func (p *Patch) Bytes(bytes []byte) *Patch {
	return p.body(EncodingBase64, base64.StdEncoding.EncodeToString(bytes))
}

// Set sets any member of the document; nil removes it.
func (p *Patch) Set(member string, value any) *Patch {
	p.members[member] = value
	return p
}

func (p *Patch) body(encoding BodyEncoding, value any) *Patch {
	return p.Set("body_encoding", encoding).Set("body", value)
}

func (p *Patch) inner(member, name string, value any) *Patch {
	inner, ok := p.members[member].(map[string]any)
	if !ok {
		inner = map[string]any{}
		p.members[member] = inner
	}
	inner[name] = value
	return p
}

// answer is the JSON that the server reads, or nil for NULL.
func (p *Patch) answer(document string) ([]byte, error) {
	if p == nil {
		return nil, nil
	}
	members, err := encode(p.members)
	if err != nil {
		return nil, wrap("the patch", err)
	}
	return within(document, members), nil
}

func (p *Patch) requestAnswer() ([]byte, error) { return p.answer("request") }
