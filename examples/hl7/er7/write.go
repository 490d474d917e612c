package er7

import (
	"bytes"
	"fmt"
	"strings"
)

// Bytes writes the document. fallback is the character set of messages without MSH-18. The error is an *[Error].
func (d *Document) Bytes(fallback Charset) ([]byte, error) {
	if _, err := Group(d.Segments); err != nil {
		return nil, err
	}
	scope := newScope(d.Charset(fallback), fallback)
	var data bytes.Buffer
	for at, segment := range d.Segments {
		if at > 0 {
			data.WriteString(d.Terminator)
		}
		if fault := writeSegment(&data, segment, scope); fault != nil {
			fault.Position = at + 1
			fault.Segment = segment.Name
			return nil, fault
		}
	}
	if d.FinalTerminator {
		data.WriteString(d.Terminator)
	}
	return data.Bytes(), nil
}

// Charset is that of the first message.
func (d *Document) Charset(fallback Charset) Charset {
	for _, segment := range d.Segments {
		if segment.Name == "MSH" {
			if charset, ok := charsetOf(charsetName(segment), fallback); ok {
				return charset
			}
			break
		}
	}
	return fallback
}

// charsetName is the text of MSH-18. With several repetitions or components it names no character set.
func charsetName(segment Segment) string {
	field := segment.Field(18)
	if text := singleText(field); text != "" || field == nil || field.IsEmpty() {
		return text
	}
	return "a list"
}

// singleText is the text of a field with one value, which has no raw form; "" for any other field.
func singleText(field Field) string {
	if len(field) != 1 || len(field[0]) != 1 || len(field[0][0]) != 1 || field[0][0][0].Raw != "" {
		return ""
	}
	return field[0][0][0].Text
}

func writeSegment(data *bytes.Buffer, segment Segment, scope *scope) *Error {
	if !isName(segment.Name) {
		return &Error{Reason: "the name of a segment is a capital letter and two capital letters or digits"}
	}
	data.WriteString(segment.Name)
	first := 0
	if isHeader(segment.Name) {
		separator, encoding := singleText(segment.Field(1)), singleText(segment.Field(2))
		delimiters, reason := delimitersOf(separator, encoding)
		if reason != "" {
			return &Error{Reason: reason}
		}
		if fault := scope.header(segment.Name, delimiters, func() string { return charsetName(segment) }); fault != nil {
			return fault
		}
		data.WriteString(separator + encoding)
		first = 2
	}
	delimiters, ok := scope.delimitersOf(segment.Name)
	if !ok {
		return &Error{Reason: "the document begins with MSH, BHS or FHS"}
	}
	for at, field := range segment.Fields[first:] {
		data.WriteByte(delimiters.Field)
		if reason := writeField(data, field, delimiters, scope.charset); reason != "" {
			return &Error{Field: first + at + 1, Reason: reason}
		}
	}
	return nil
}

func writeField(data *bytes.Buffer, field Field, delimiters Delimiters, charset Charset) string {
	for r, repetition := range field {
		separate(data, r, delimiters.Repetition)
		for c, component := range repetition {
			separate(data, c, delimiters.Component)
			for v, value := range component {
				separate(data, v, delimiters.Subcomponent)
				if reason := writeValue(data, value, delimiters, charset); reason != "" {
					return reason
				}
			}
		}
	}
	return ""
}

func separate(data *bytes.Buffer, index int, delimiter byte) {
	if index > 0 {
		data.WriteByte(delimiter)
	}
}

func writeValue(data *bytes.Buffer, value Value, delimiters Delimiters, charset Charset) string {
	raw := value.Raw
	if raw == "" {
		raw = escape(value.Text, delimiters)
	} else if reason := refuseRaw(value, delimiters, charset); reason != "" {
		return reason
	}
	encoded, err := charset.encode(raw)
	if err != nil {
		return err.Error()
	}
	data.Write(encoded)
	return ""
}

// refuseRaw explains what is wrong with a raw value; "" when nothing is.
func refuseRaw(value Value, delimiters Delimiters, charset Charset) string {
	separators := []byte{delimiters.Field, delimiters.Component, delimiters.Repetition, delimiters.Subcomponent}
	if at := strings.IndexAny(value.Raw, string(separators)); at >= 0 {
		return fmt.Sprintf("raw contains the delimiter %c", value.Raw[at])
	}
	if at := firstControl(value.Raw); at >= 0 {
		return fmt.Sprintf("raw contains the control character 0x%02X", value.Raw[at])
	}
	if value.Text != "" && value.Text != unescape(value.Raw, delimiters, charset) {
		return "text is not what raw stands for; leave out one of them"
	}
	return ""
}
