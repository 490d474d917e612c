package main

import (
	"context"
	"errors"
	"fmt"

	backworks "github.com/backworks/backworks/native-sdk/go"

	"github.com/backworks/backworks/examples/hl7/acknowledgement"
	"github.com/backworks/backworks/examples/hl7/er7"
	"github.com/backworks/backworks/examples/hl7/mllp"
	"github.com/backworks/backworks/examples/hl7/validation"
)

// send sends a message to the peer and answers with the acknowledgement. Each segment ends with CR, as the standard
// says; all other bytes stay as they came.
func (p *plugin) send(ctx context.Context, request *backworks.Request) *backworks.Reply {
	document, refusal := p.readMessage(request)
	if refusal != nil {
		return refusal
	}
	if p.Config().Validate {
		if findings := validation.Message(document.Segments); len(findings) > 0 {
			detail := fmt.Sprintf("the message was not sent: %s: %s", findings[0].Location, findings[0].Message)
			return problem{Title: "Invalid message", Status: 400, Detail: detail, Findings: findings}.reply()
		}
	}
	controlID := document.Segments[0].Text(10, 1)
	if controlID == "" {
		return wrong("the message was not sent: MSH-10, the control id, is empty")
	}
	document.Terminator, document.FinalTerminator = "\r", true
	data, err := document.Bytes(p.Config().charset())
	if err != nil {
		return wrong(err.Error())
	}
	reply, err := p.client.Exchange(ctx, data)
	if err != nil {
		backworks.Metric("send_failures", 1)
		return failed(err)
	}
	return p.acknowledged(request, reply, controlID, document.Charset(p.Config().charset()))
}

// failed answers when there is no reply.
func failed(err error) *backworks.Reply {
	switch {
	case errors.Is(err, mllp.ErrNotConnected):
		return problem{Title: "Peer not connected", Status: 503, Detail: err.Error()}.reply()
	case errors.Is(err, mllp.ErrNoReply):
		return problem{Title: "No acknowledgement in time", Status: 504, Detail: err.Error() + "; it may have taken the message"}.reply()
	case errors.Is(err, mllp.ErrClosed):
		return problem{Title: "Connection lost", Status: 502, Detail: err.Error() + "; it may have taken the message"}.reply()
	default:
		return problem{Title: "Wrong reply", Status: 502, Detail: err.Error()}.reply()
	}
}

// acknowledged reads the reply. Many systems answer in the character set of the message without saying so in MSH-18.
func (p *plugin) acknowledged(
	request *backworks.Request, reply []byte, controlID string, fallback er7.Charset,
) *backworks.Reply {
	document, err := er7.Parse(reply, fallback)
	if err == nil {
		var read *acknowledgement.Acknowledgement
		if read, err = acknowledgement.Read(document, controlID); err == nil {
			return answered(request, reply, read)
		}
	}
	// What comes next on this connection may answer this message, too.
	p.client.Close()
	backworks.Metric("send_failures", 1)
	return problem{Title: "Wrong reply", Status: 502, Detail: err.Error()}.reply()
}

func answered(request *backworks.Request, reply []byte, read *acknowledgement.Acknowledgement) *backworks.Reply {
	status := 200
	if !read.Code.IsAccept() {
		status = 502
	}
	switch {
	case wantsMessage(request):
		return backworks.Bytes(mediaType, reply).Status(status)
	case status == 200:
		return backworks.JSON(read)
	}
	detail := fmt.Sprintf("the peer answered %s, %s", read.Code, read.Name)
	if read.Text != "" {
		detail += ": " + read.Text
	}
	return problem{Title: "Message not accepted", Status: status, Detail: detail, Acknowledgement: read}.reply()
}
