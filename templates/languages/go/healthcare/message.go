package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// segment is a line of a message. Its fields begin with the first one behind the name.
type segment struct {
	Fields []string `json:"fields"`
	Name   string   `json:"name"`
}

// message is an HL7 v2 message, whose first segment is MSH.
type message struct {
	separator string
	segments  []segment
}

var segmentName = regexp.MustCompile(`^[A-Z][A-Z0-9]{2}$`)

// parse splits a message into segments and fields. Segments end with CR, LF or both.
func parse(text string, maxSegments int) (*message, error) {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\r' || r == '\n' })
	if len(lines) == 0 || len(lines[0]) < 4 || !strings.HasPrefix(lines[0], "MSH") {
		return nil, errors.New("the message does not begin with MSH and a field separator")
	}
	if len(lines) > maxSegments {
		return nil, fmt.Errorf("the message has more than %d segments", maxSegments)
	}
	read := &message{separator: lines[0][3:4]}
	for at, line := range lines {
		fields := strings.Split(line, read.separator)
		if !segmentName.MatchString(fields[0]) {
			return nil, fmt.Errorf("segment %d has the name %q", at+1, fields[0])
		}
		read.segments = append(read.segments, segment{Name: fields[0], Fields: fields[1:]})
	}
	if read.header(9) == "" {
		return nil, errors.New("MSH has no control id (field 10)")
	}
	return read, nil
}

// header is a field of MSH by its position, the first being 1: in MSH the separator itself counts as field 1.
func (m *message) header(position int) string {
	fields := m.segments[0].Fields
	if position > len(fields) {
		return ""
	}
	return fields[position-1]
}

// acknowledge is the answer for the sender: AA, or AE when a required segment is missing. It repeats the time of the
// message; put the current time there when its sender needs it.
func (m *message) acknowledge(required []string) string {
	back := []string{
		"MSH", m.header(1), m.header(4), m.header(5), m.header(2), m.header(3),
		m.header(6), "", "ACK", m.header(9), m.header(10), m.header(11),
	}
	status := []string{"MSA", "AA", m.header(9)}
	for _, name := range required {
		if !m.has(name) {
			status = []string{"MSA", "AE", m.header(9), "a segment " + name + " is missing"}
			break
		}
	}
	return strings.Join(back, m.separator) + "\r" + strings.Join(status, m.separator)
}

func (m *message) has(name string) bool {
	for _, each := range m.segments {
		if each.Name == name {
			return true
		}
	}
	return false
}
