package acknowledgement

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/backworks/backworks/examples/hl7/er7"
	"github.com/backworks/backworks/examples/hl7/validation"
)

// CodeFor is the code that the findings of a message call for: AR when the receiver does not support the kind of
// message, AE when the message has other faults.
func CodeFor(findings []validation.Finding) Code {
	code := Accept
	for _, finding := range findings {
		if finding.Code >= validation.UnsupportedMessageType {
			return Reject
		}
		code = Error
	}
	return code
}

// Build makes the acknowledgement of a message: MSH, MSA, and an ERR for each finding unless the code is AA. It has
// the delimiters, the character set and the version of the message, and goes back to its sender.
func Build(message []er7.Segment, code Code, findings []validation.Finding, now time.Time) *er7.Document {
	header := message[0]
	kind := []string{"ACK"}
	if event := header.Text(9, 2); event != "" {
		kind = []string{"ACK", event, "ACK"}
	}
	fields := []er7.Field{
		copied(header, 1), copied(header, 2), copied(header, 5), copied(header, 6), copied(header, 3), copied(header, 4),
		er7.Plain(now.Format("20060102150405-0700")), er7.Plain(""), er7.Components(kind...),
		er7.Plain(controlID(now)), copied(header, 11), copied(header, 12),
	}
	if charset := header.Field(18); !charset.IsEmpty() {
		for len(fields) < 17 {
			fields = append(fields, er7.Plain(""))
		}
		fields = append(fields, charset)
	}
	segments := []er7.Segment{
		{Name: "MSH", Fields: fields},
		{Name: "MSA", Fields: []er7.Field{er7.Plain(string(code)), copied(header, 10)}},
	}
	if code != Accept {
		for _, finding := range findings {
			segments = append(segments, errorSegment(finding))
		}
	}
	return &er7.Document{Terminator: "\r", FinalTerminator: true, Segments: segments}
}

func copied(header er7.Segment, number int) er7.Field {
	if field := header.Field(number); field != nil {
		return field
	}
	return er7.Plain("")
}

// controlID has at most 20 characters, and two messages of one process never get the same.
func controlID(now time.Time) string {
	return "BW" + strings.ToUpper(strconv.FormatInt(now.UnixNano(), 36))
}

// errorSegment has the form of version 2.5: the place, the condition of table 0357, the severity and the text.
func errorSegment(finding validation.Finding) er7.Segment {
	place := []string{finding.Segment, fmt.Sprint(finding.Sequence)}
	for _, number := range []int{finding.Field, finding.Repetition, finding.Component} {
		if number == 0 {
			break
		}
		place = append(place, fmt.Sprint(number))
	}
	empty := er7.Plain("")
	return er7.Segment{Name: "ERR", Fields: []er7.Field{
		empty, er7.Components(place...), er7.Components(fmt.Sprint(int(finding.Code)), finding.Name, "HL70357"),
		er7.Plain("E"), empty, empty, er7.Plain(asciiOnly(finding.Message)),
	}}
}

// asciiOnly lets the text be written in every character set.
func asciiOnly(text string) string {
	return strings.Map(func(char rune) rune {
		if char > 0x7E {
			return '?'
		}
		return char
	}, text)
}
