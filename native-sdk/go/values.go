package backworks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Values are names and their values, in the order in which they came. Of headers only set-cookie has
// several values, because the server joins the others.
type Values map[string][]string

// Get returns the first value of a name, or "" when there is none.
func (v Values) Get(name string) string {
	value, _ := v.Lookup(name)
	return value
}

// Lookup returns the first value of a name, and whether there is one.
func (v Values) Lookup(name string) (string, bool) {
	if values := v[name]; len(values) > 0 {
		return values[0], true
	}
	return "", false
}

// UnmarshalJSON reads the member of a document: a name has a string or a list of strings.
func (v *Values) UnmarshalJSON(text []byte) error {
	*v = make(Values)
	if string(text) == "null" {
		return nil
	}
	return eachMember(text, func(name string, value []byte) (err error) {
		(*v)[name], err = listOf(value)
		return err
	})
}

// MarshalJSON writes the values as documents do: one value as a string, several as a list.
func (v Values) MarshalJSON() ([]byte, error) {
	members := make(map[string]any, len(v))
	for name, values := range v {
		if len(values) == 1 {
			members[name] = values[0]
		} else {
			members[name] = values
		}
	}
	return encode(members)
}

func listOf(value []byte) ([]string, error) {
	switch value[0] {
	case '"':
		text, err := stringOf(value)
		return []string{text}, err
	case '[':
		var values []string
		err := json.Unmarshal(value, &values)
		return values, err
	default:
		return nil, fmt.Errorf("%s is neither a string nor a list", value)
	}
}

// encode writes JSON without the escapes that encoding/json adds for HTML.
func encode(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

func wrap(doing string, err error) error { return fmt.Errorf("%s: %w", doing, err) }

// withoutNUL makes a text fit for C, where a NUL byte would end it.
func withoutNUL(text string) string { return strings.ReplaceAll(text, "\x00", " ") }
