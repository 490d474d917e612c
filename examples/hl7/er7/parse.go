package er7

import (
	"bytes"
	"fmt"
	"strings"
)

// valuesMax bounds the memory that a document takes: each value costs about 150 bytes.
const valuesMax = 65_536

type parser struct {
	scope  *scope
	values int
}

// Parse reads a message or a batch file. fallback is the character set of messages without MSH-18. The result shares
// no memory with data. The error is an *[Error].
func Parse(data []byte, fallback Charset) (*Document, error) {
	if len(data) == 0 {
		return nil, &Error{Reason: "the document is empty"}
	}
	document := &Document{Terminator: terminatorOf(data)}
	lines := bytes.Split(data, []byte(document.Terminator))
	if last := len(lines) - 1; last > 0 && len(lines[last]) == 0 {
		document.FinalTerminator = true
		lines = lines[:last]
	}
	p := &parser{scope: newScope(firstCharset(lines, fallback), fallback)}
	for at, line := range lines {
		segment, fault := p.segment(line)
		if fault != nil {
			fault.Position = at + 1
			return nil, fault
		}
		document.Segments = append(document.Segments, segment)
	}
	if _, err := Group(document.Segments); err != nil {
		return nil, err
	}
	return document, nil
}

// terminatorOf is the first end of a segment in the document.
func terminatorOf(data []byte) string {
	at := bytes.IndexAny(data, "\r\n")
	switch {
	case at < 0:
		return "\r"
	case data[at] == '\n':
		return "\n"
	case at+1 < len(data) && data[at+1] == '\n':
		return "\r\n"
	default:
		return "\r"
	}
}

// firstCharset is that of the first message. A wrong MSH-18 is reported when the message itself is read.
func firstCharset(lines [][]byte, fallback Charset) Charset {
	for _, line := range lines {
		if bytes.HasPrefix(line, []byte("MSH")) && len(line) > 3 {
			if charset, ok := charsetOf(charsetField(line, line[3]), fallback); ok {
				return charset
			}
			break
		}
	}
	return fallback
}

// charsetField is the text of MSH-18, which is needed before the segment can be decoded.
func charsetField(line []byte, separator byte) string {
	parts := bytes.Split(line, []byte{separator})
	if len(parts) < 18 {
		return ""
	}
	return string(parts[17])
}

func (p *parser) segment(line []byte) (Segment, *Error) {
	if len(line) == 0 {
		return Segment{}, &Error{Reason: "the segment is empty"}
	}
	if len(line) < 3 || !isName(string(line[:3])) {
		return Segment{}, &Error{Reason: "the name of a segment is a capital letter and two capital letters or digits"}
	}
	segment := Segment{Name: string(line[:3])}
	rest := line[3:]
	if isHeader(segment.Name) {
		fault := p.header(&segment, line)
		if fault != nil {
			return segment, fault
		}
		rest = rest[1+len(segment.Fields[1][0][0][0].Text):]
	}
	delimiters, ok := p.scope.delimitersOf(segment.Name)
	if !ok {
		return segment, &Error{Segment: segment.Name, Reason: "the document begins with MSH, BHS or FHS"}
	}
	if len(rest) == 0 {
		return segment, nil
	}
	if rest[0] != delimiters.Field {
		return segment, &Error{Segment: segment.Name, Reason: fmt.Sprintf("%c does not follow the name", delimiters.Field)}
	}
	for _, part := range bytes.Split(rest[1:], []byte{delimiters.Field}) {
		field, reason := p.field(part, delimiters)
		if reason != "" {
			return segment, &Error{Segment: segment.Name, Field: len(segment.Fields) + 1, Reason: reason}
		}
		segment.Fields = append(segment.Fields, field)
	}
	return segment, nil
}

// header reads fields 1 and 2, and the character set of a message.
func (p *parser) header(segment *Segment, line []byte) *Error {
	if len(line) < 5 {
		return &Error{Segment: segment.Name, Reason: "the segment declares no delimiters"}
	}
	encoding := line[4:]
	if end := bytes.IndexByte(encoding, line[3]); end >= 0 {
		encoding = encoding[:end]
	}
	delimiters, reason := delimitersOf(string(line[3:4]), string(encoding))
	if reason != "" {
		return &Error{Segment: segment.Name, Reason: reason}
	}
	segment.Fields = []Field{Plain(string(line[3:4])), Plain(string(encoding))}
	return p.scope.header(segment.Name, delimiters, func() string {
		name := charsetField(line, delimiters.Field)
		if strings.ContainsAny(name, string([]byte{delimiters.Repetition, delimiters.Component, delimiters.Subcomponent})) {
			return "a list"
		}
		return name
	})
}

func isName(name string) bool {
	for at := 0; at < len(name); at++ {
		isDigit := name[at] >= '0' && name[at] <= '9'
		if !(name[at] >= 'A' && name[at] <= 'Z' || at > 0 && isDigit) {
			return false
		}
	}
	return len(name) == 3
}

func (p *parser) field(data []byte, delimiters Delimiters) (Field, string) {
	var field Field
	for _, repetitionData := range bytes.Split(data, []byte{delimiters.Repetition}) {
		var repetition Repetition
		for _, componentData := range bytes.Split(repetitionData, []byte{delimiters.Component}) {
			var component Component
			for _, valueData := range bytes.Split(componentData, []byte{delimiters.Subcomponent}) {
				value, reason := p.value(valueData, delimiters)
				if reason != "" {
					return nil, reason
				}
				component = append(component, value)
			}
			repetition = append(repetition, component)
		}
		field = append(field, repetition)
	}
	return field, ""
}

func (p *parser) value(data []byte, delimiters Delimiters) (Value, string) {
	if p.values++; p.values > valuesMax {
		return Value{}, fmt.Sprintf("the document has more than %d values", valuesMax)
	}
	raw, ok := p.scope.charset.decode(data)
	if !ok {
		return Value{}, fmt.Sprintf("the bytes %.32X are not %s; MSH-18 names the character set", data, p.scope.charset)
	}
	if at := firstControl(raw); at >= 0 {
		return Value{}, fmt.Sprintf("the control character 0x%02X has to be an escape sequence", raw[at])
	}
	text := unescape(raw, delimiters, p.scope.charset)
	if escape(text, delimiters) == raw {
		return Value{Text: text}, ""
	}
	return Value{Text: text, Raw: raw}, ""
}

func firstControl(raw string) int {
	for at := 0; at < len(raw); at++ {
		if isControl(raw[at]) {
			return at
		}
	}
	return -1
}
