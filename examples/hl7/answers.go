package main

import (
	"encoding/json"
	"fmt"
	"strings"

	backworks "github.com/backworks/backworks/native-sdk/go"

	"github.com/backworks/backworks/examples/hl7/acknowledgement"
	"github.com/backworks/backworks/examples/hl7/er7"
	"github.com/backworks/backworks/examples/hl7/validation"
)

// mediaType of messages in answers. It has no charset parameter: MSH-18 names the character set.
const mediaType = "application/hl7-v2"

// replyMax is below what the server accepts from a plugin (limits.parsed_reply, 1 MiB).
const replyMax = 1_000_000

// problem is a problem document (RFC 9457) with members of its own.
type problem struct {
	Type            string                           `json:"type"`
	Title           string                           `json:"title"`
	Status          int                              `json:"status"`
	Detail          string                           `json:"detail"`
	Findings        []validation.Finding             `json:"findings,omitempty"`
	Acknowledgement *acknowledgement.Acknowledgement `json:"acknowledgement,omitempty"`
}

func (p problem) reply() *backworks.Reply {
	p.Type = "about:blank"
	return backworks.JSON(p).Status(p.Status).Header("content-type", "application/problem+json")
}

func wrong(detail string) *backworks.Reply {
	return problem{Title: "Bad Request", Status: 400, Detail: detail}.reply()
}

// documentReply answers with the JSON of a document.
func documentReply(document *er7.Document) *backworks.Reply {
	text, err := document.MarshalJSON()
	if err != nil {
		return wrong(err.Error())
	}
	if len(text) > replyMax {
		detail := fmt.Sprintf("the JSON has %d bytes, and an answer at most %d", len(text), replyMax)
		return problem{Title: "Content Too Large", Status: 413, Detail: detail}.reply()
	}
	return backworks.JSON(json.RawMessage(text))
}

// wantsMessage is true when the client asks for the message itself instead of JSON.
func wantsMessage(request *backworks.Request) bool {
	return strings.Contains(request.Header("accept"), mediaType)
}
