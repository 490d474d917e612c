package acknowledgement

import (
	"errors"
	"fmt"
	"strings"

	"github.com/backworks/backworks/examples/hl7/er7"
)

// Acknowledgement is what a system answered to a message.
type Acknowledgement struct {
	// Code is MSA-1, and Name what it means.
	Code Code   `json:"code"`
	Name string `json:"name"`
	// ControlID is MSA-2: the control id of the message that is answered.
	ControlID string `json:"control_id"`
	// Text is MSA-3.
	Text   string   `json:"text"`
	Errors []Detail `json:"errors"`
}

// Detail is one ERR segment.
type Detail struct {
	// Location has the parts of ERR-2: segment, sequence, field, repetition and component.
	Location string `json:"location"`
	// Code and Name are ERR-3: the condition, usually of HL7 table 0357.
	Code     string `json:"code"`
	Name     string `json:"name"`
	Severity string `json:"severity"`
	// Message is ERR-8, or ERR-7 when there is no ERR-8.
	Message string `json:"message"`
}

// ErrControlID is in the chain of Read's error when the acknowledgement answers another message.
var ErrControlID = errors.New("the acknowledgement answers another message")

// Read finds the acknowledgement of the message with this control id.
func Read(document *er7.Document, controlID string) (*Acknowledgement, error) {
	file, err := er7.Group(document.Segments)
	if err != nil {
		return nil, err
	}
	if !file.IsMessage() {
		return nil, errors.New("the reply is not a single message")
	}
	var found *er7.Segment
	read := &Acknowledgement{Errors: []Detail{}}
	for at, segment := range document.Segments {
		switch {
		case segment.Name == "MSA" && found == nil:
			found = &document.Segments[at]
		case segment.Name == "ERR":
			read.Errors = append(read.Errors, detailOf(segment))
		}
	}
	if found == nil {
		return nil, errors.New("the reply has no segment MSA")
	}
	read.Code, read.ControlID, read.Text = Code(found.Text(1, 1)), found.Text(2, 1), found.Text(3, 1)
	read.Name = read.Code.Name()
	if read.Name == "" {
		return nil, fmt.Errorf("MSA-1 of the reply is %q, which is not an acknowledgement code", read.Code)
	}
	if read.ControlID != controlID {
		return nil, fmt.Errorf("%w: MSA-2 is %q, and MSH-10 of the message is %q", ErrControlID, read.ControlID, controlID)
	}
	return read, nil
}

func detailOf(segment er7.Segment) Detail {
	detail := Detail{
		Code: segment.Text(3, 1), Name: segment.Text(3, 2), Severity: segment.Text(4, 1), Message: segment.Text(8, 1),
	}
	if detail.Message == "" {
		detail.Message = segment.Text(7, 1)
	}
	if place := segment.Field(2); place != nil {
		parts := make([]string, len(place[0]))
		for at := range parts {
			parts[at] = place[0].Text(at + 1)
		}
		detail.Location = strings.Join(parts, "-")
	}
	return detail
}
