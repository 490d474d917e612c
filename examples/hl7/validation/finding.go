// Package validation checks messages against the rules of HL7 version 2.5, and names segment and field.
package validation

import "fmt"

// Code is an error condition of HL7 table 0357.
type Code int

// The conditions that this package finds.
const (
	SegmentSequence        Code = 100
	RequiredFieldMissing   Code = 101
	DataType               Code = 102
	TableValueNotFound     Code = 103
	UnsupportedMessageType Code = 200
	UnsupportedVersion     Code = 203
)

var names = map[Code]string{
	SegmentSequence:        "Segment sequence error",
	RequiredFieldMissing:   "Required field missing",
	DataType:               "Data type error",
	TableValueNotFound:     "Table value not found",
	UnsupportedMessageType: "Unsupported message type",
	UnsupportedVersion:     "Unsupported version id",
}

// Name is the text of the code in table 0357.
func (c Code) Name() string { return names[c] }

// Finding is one fault of a message.
type Finding struct {
	// Location is the segment, or the segment and the field, such as "PID-7".
	Location string `json:"location"`
	Segment  string `json:"segment"`
	// Sequence counts the segments of this name in the message, from 1.
	Sequence int `json:"sequence"`
	// Field, Repetition and Component are counted from 1; 0 when the fault is not in one of those.
	Field      int    `json:"field,omitempty"`
	Repetition int    `json:"repetition,omitempty"`
	Component  int    `json:"component,omitempty"`
	Code       Code   `json:"code"`
	Name       string `json:"name"`
	Message    string `json:"message"`
}

func inSegment(segment string, sequence int, code Code, format string, values ...any) Finding {
	return Finding{
		Location: segment, Segment: segment, Sequence: sequence, Code: code, Name: code.Name(),
		Message: fmt.Sprintf(format, values...),
	}
}

func inField(segment string, sequence, field int, code Code, format string, values ...any) Finding {
	finding := inSegment(segment, sequence, code, format, values...)
	finding.Location = fmt.Sprintf("%s-%d", segment, field)
	finding.Field = field
	return finding
}
