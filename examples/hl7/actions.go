package main

import (
	"fmt"
	"time"

	backworks "github.com/backworks/backworks/native-sdk/go"

	"github.com/backworks/backworks/examples/hl7/acknowledgement"
	"github.com/backworks/backworks/examples/hl7/er7"
	"github.com/backworks/backworks/examples/hl7/validation"
)

// read reads the document in the body of a request. The reply says what is wrong with it; nil when nothing is.
func (p *plugin) read(request *backworks.Request) (*er7.Document, *backworks.Reply) {
	data, err := request.Body.Bytes()
	if err != nil || request.Body.IsEmpty() {
		return nil, wrong("the body is an HL7 message")
	}
	if limit := p.Config().MessageLimit; len(data) > limit {
		detail := fmt.Sprintf("the message has %d bytes; message_limit is %d", len(data), limit)
		return nil, problem{Title: "Content Too Large", Status: 413, Detail: detail}.reply()
	}
	document, err := er7.Parse(data, p.Config().charset())
	if err != nil {
		return nil, wrong(err.Error())
	}
	return document, nil
}

// readMessage reads a body that is one message.
func (p *plugin) readMessage(request *backworks.Request) (*er7.Document, *backworks.Reply) {
	document, refusal := p.read(request)
	if refusal != nil {
		return nil, refusal
	}
	if file, err := er7.Group(document.Segments); err != nil || !file.IsMessage() {
		return nil, wrong("a batch file cannot be used here: send its messages one by one")
	}
	return document, nil
}

// parse answers with the JSON of a message or batch file.
func (p *plugin) parse(request *backworks.Request) *backworks.Reply {
	document, refusal := p.read(request)
	if refusal != nil {
		return refusal
	}
	return documentReply(document)
}

// build is the inverse of parse.
func (p *plugin) build(request *backworks.Request) *backworks.Reply {
	if request.Body.Encoding() != backworks.EncodingJSON {
		return wrong("the body is JSON, with the content type application/json")
	}
	document, err := er7.DocumentFromJSON(request.Body.Raw())
	if err != nil {
		return wrong(err.Error())
	}
	return p.message(document)
}

// message answers with the bytes of a document.
func (p *plugin) message(document *er7.Document) *backworks.Reply {
	data, err := document.Bytes(p.Config().charset())
	if err != nil {
		return wrong(err.Error())
	}
	return backworks.Bytes(mediaType, data)
}

// validate answers with the findings in every message of the body.
func (p *plugin) validate(request *backworks.Request) *backworks.Reply {
	document, refusal := p.read(request)
	if refusal != nil {
		return refusal
	}
	findings, err := validation.Document(document)
	if err != nil {
		return wrong(err.Error())
	}
	return backworks.JSON(struct {
		Valid    bool                 `json:"valid"`
		Findings []validation.Finding `json:"findings"`
	}{len(findings) == 0, findings})
}

// acknowledge answers with the acknowledgement of a message. Its code is that of the query, or what the message calls for.
func (p *plugin) acknowledge(request *backworks.Request) *backworks.Reply {
	document, refusal := p.readMessage(request)
	if refusal != nil {
		return refusal
	}
	findings := validation.Message(document.Segments)
	code := acknowledgement.CodeFor(findings)
	if wish := request.Query.Get("code"); wish != "" {
		var err error
		if code, err = acknowledgement.CodeOf(wish); err != nil {
			return wrong(err.Error())
		}
	}
	return p.message(acknowledgement.Build(document.Segments, code, findings, time.Now()))
}
