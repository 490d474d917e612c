package backworks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

var errNoObject = errors.New("it is not a JSON object")

// eachMember calls read with the name and the JSON text of each member of an object. Values are delimited and not
// checked: whoever reads a value does that. Reading into a struct by reflection takes several times as long.
func eachMember(object []byte, read func(name string, value []byte) error) error {
	text := scanner{text: object}
	if !text.takes('{') {
		return errNoObject
	}
	if text.takes('}') {
		return nil
	}
	for {
		name, err := text.value()
		if err != nil || name[0] != '"' || !text.takes(':') {
			return errNoObject
		}
		value, err := text.value()
		if err != nil {
			return err
		}
		key, err := stringOf(name)
		if err != nil {
			return err
		}
		if err := read(key, value); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if text.takes('}') {
			return nil
		}
		if !text.takes(',') {
			return errNoObject
		}
	}
}

// scanner finds the ends of JSON values.
type scanner struct {
	text []byte
	at   int
}

// takes passes a byte, and white space before it, if the byte is next.
func (s *scanner) takes(wanted byte) bool {
	s.skipSpace()
	if s.at == len(s.text) || s.text[s.at] != wanted {
		return false
	}
	s.at++
	return true
}

func (s *scanner) skipSpace() {
	for s.at < len(s.text) && (s.text[s.at] == ' ' || s.text[s.at] == '\n' || s.text[s.at] == '\r' || s.text[s.at] == '\t') {
		s.at++
	}
}

// value passes a value, which is not empty.
func (s *scanner) value() ([]byte, error) {
	s.skipSpace()
	start, depth := s.at, 0
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case '"':
			if !s.passString() {
				return nil, errNoObject
			}
		case '{', '[':
			depth++
			s.at++
		case '}', ']':
			if depth == 0 {
				return s.since(start)
			}
			depth--
			s.at++
		case ',', ':', ' ', '\n', '\r', '\t':
			if depth == 0 {
				return s.since(start)
			}
			s.at++
			continue
		default:
			s.at++
			continue
		}
		if depth == 0 {
			return s.since(start)
		}
	}
	return nil, errNoObject
}

func (s *scanner) since(start int) ([]byte, error) {
	if s.at == start {
		return nil, errNoObject
	}
	return s.text[start:s.at], nil
}

func (s *scanner) passString() bool {
	for s.at++; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '"':
			s.at++
			return true
		case '\\':
			s.at++
		}
	}
	return false
}

// stringOf reads a JSON string. null is "".
func stringOf(value []byte) (string, error) {
	if value[0] == '"' && bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1]), nil
	}
	var text string
	err := json.Unmarshal(value, &text)
	return text, err
}

// stringsOf reads an object whose members are strings. null is nil.
func stringsOf(object []byte) (map[string]string, error) {
	if object[0] == 'n' {
		return nil, nil
	}
	read := make(map[string]string)
	err := eachMember(object, func(name string, value []byte) (err error) {
		read[name], err = stringOf(value)
		return err
	})
	return read, err
}

// rawOf reads an object whose members stay JSON. The result shares no memory with the text. null is nil.
func rawOf(object []byte) (map[string]json.RawMessage, error) {
	if object[0] == 'n' {
		return nil, nil
	}
	read := make(map[string]json.RawMessage)
	err := eachMember(object, func(name string, value []byte) error {
		read[name] = bytes.Clone(value)
		return nil
	})
	return read, err
}
