package backworks

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// RequestAction is what BeforeRequest makes of a request: a *[Patch] or a *[Reply].
type RequestAction interface {
	requestAnswer() ([]byte, error)
}

// Reply is a whole response. A value that cannot be written as JSON makes the call fail.
type Reply struct {
	status   int
	headers  map[string]any
	encoding BodyEncoding
	body     any
}

func replyOf(status int, encoding BodyEncoding, body any) *Reply {
	return &Reply{status: status, headers: map[string]any{}, encoding: encoding, body: body}
}

// Empty is a response without a body, with status 204.
func Empty() *Reply { return replyOf(204, EncodingText, nil) }

// JSON is a 200 with a JSON body.
func JSON(value any) *Reply { return replyOf(200, EncodingJSON, value) }

// Text is a 200 with a body of plain text.
func Text(text string) *Reply {
	return replyOf(200, EncodingText, text).Header("content-type", "text/plain; charset=utf-8")
}

// Bytes is a 200 with any bytes as its body.
func Bytes(contentType string, bytes []byte) *Reply {
	text := base64.StdEncoding.EncodeToString(bytes)
	return replyOf(200, EncodingBase64, text).Header("content-type", contentType)
}

// Problem is a problem document (RFC 9457) for a request that cannot be answered.
func Problem(status int, title, detail string) *Reply {
	body := map[string]any{"type": "about:blank", "title": title, "status": status, "detail": detail}
	return replyOf(status, EncodingJSON, body).Header("content-type", "application/problem+json")
}

// Status sets the HTTP status, from 200 to 599.
func (r *Reply) Status(status int) *Reply {
	r.status = status
	return r
}

// Header sets a header, in the place of an earlier one of that name.
func (r *Reply) Header(name, value string) *Reply {
	r.headers[strings.ToLower(name)] = value
	return r
}

// Cookie adds a set-cookie header.
func (r *Reply) Cookie(cookie string) *Reply {
	cookies, _ := r.headers["set-cookie"].([]string)
	r.headers["set-cookie"] = append(cookies, cookie)
	return r
}

// answer is the JSON that the server reads, or nil for NULL. The body comes first as JSON of its own, so
// that a large one is encoded once.
func (r *Reply) answer() ([]byte, error) {
	if r == nil {
		return nil, nil
	}
	body, err := encode(r.body)
	if err != nil {
		return nil, wrap("the body of the reply", err)
	}
	headers, err := encode(r.headers)
	if err != nil {
		return nil, wrap("the headers of the reply", err)
	}
	text := make([]byte, 0, len(body)+len(headers)+64)
	text = append(text, `{"status":`...)
	text = strconv.AppendInt(text, int64(r.status), 10)
	text = append(text, `,"headers":`...)
	text = append(text, headers...)
	text = append(text, `,"body_encoding":"`...)
	text = append(text, r.encoding...)
	text = append(text, `","body":`...)
	text = append(text, body...)
	return append(text, '}'), nil
}

func (r *Reply) requestAnswer() ([]byte, error) {
	answer, err := r.answer()
	return within("response", answer), err
}

// within makes the object {member: document}; nil stays nil.
func within(member string, document []byte) []byte {
	if document == nil {
		return nil
	}
	text := make([]byte, 0, len(document)+len(member)+5)
	text = append(text, `{"`...)
	text = append(text, member...)
	text = append(text, `":`...)
	text = append(text, document...)
	return append(text, '}')
}
