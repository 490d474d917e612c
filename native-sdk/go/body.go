package backworks

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// BodyEncoding says how a document writes a body.
type BodyEncoding string

const (
	// EncodingJSON: the body is JSON and is written as it was sent.
	EncodingJSON BodyEncoding = "json"
	// EncodingText: the body is UTF-8 text and is written as a string. null stands for no body.
	EncodingText BodyEncoding = "text"
	// EncodingBase64: the body is written as a string in base64.
	EncodingBase64 BodyEncoding = "base64"
)

// Body is the body of a request or a response. It is decoded when a method asks for it.
type Body struct {
	text     json.RawMessage
	encoding BodyEncoding
	streamed bool
}

func bodyOf(text json.RawMessage, encoding BodyEncoding, streamed bool) Body {
	if encoding == "" {
		encoding = EncodingText
	}
	if text == nil {
		text = json.RawMessage("null")
	}
	return Body{text: text, encoding: encoding, streamed: streamed}
}

// Encoding says how the document writes the body.
func (b Body) Encoding() BodyEncoding { return b.encoding }

// Raw is the JSON text of the member "body", exactly as it was sent when the encoding is EncodingJSON.
func (b Body) Raw() json.RawMessage { return b.text }

// Streamed is true when the server passes the body on as it comes, so that no plugin sees it.
func (b Body) Streamed() bool { return b.streamed }

// IsEmpty is true when the document has no body.
func (b Body) IsEmpty() bool { return b.encoding == EncodingText && string(b.text) == "null" }

// JSON reads the body into a value. It fails when the body is not JSON, or does not fit the type.
func (b Body) JSON(value any) error {
	if b.encoding != EncodingJSON {
		return errors.New("the body is not JSON")
	}
	if err := json.Unmarshal(b.text, value); err != nil {
		return wrap("the body does not have the expected form", err)
	}
	return nil
}

// Text returns the body as text. It fails when the body is not UTF-8.
func (b Body) Text() (string, error) {
	bytes, err := b.Bytes()
	if err != nil {
		return "", err
	}
	if !utf8.Valid(bytes) {
		return "", errors.New("the body is not UTF-8")
	}
	return string(bytes), nil
}

// Bytes returns the bytes of the body.
func (b Body) Bytes() ([]byte, error) {
	if b.encoding == EncodingJSON {
		return append([]byte(nil), b.text...), nil
	}
	var text string
	if err := json.Unmarshal(b.text, &text); err != nil {
		return nil, wrap("the member body of the document", err)
	}
	if b.encoding == EncodingBase64 {
		return base64.StdEncoding.DecodeString(text)
	}
	return []byte(text), nil
}
