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
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	*v = make(Values, len(members))
	for name, member := range members {
		values, err := listOf(member)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		(*v)[name] = values
	}
	return nil
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

func listOf(member any) ([]string, error) {
	switch member := member.(type) {
	case string:
		return []string{member}, nil
	case []any:
		values := make([]string, len(member))
		for at, item := range member {
			value, ok := item.(string)
			if !ok {
				return nil, fmt.Errorf("%v is no string", item)
			}
			values[at] = value
		}
		return values, nil
	default:
		return nil, fmt.Errorf("%v is neither a string nor a list", member)
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
