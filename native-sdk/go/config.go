package backworks

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"sync/atomic"
	"time"
)

// Configured gives the plugin that embeds it a typed configuration. C is the type of the plugin's `config:`
// block, usually a struct. The block is read before Initialize and before Reconfigure. The server checks the
// block with a JSON Schema that is made from the type, before the plugin sees it.
//
// A field is required unless it is a pointer, has a default, or has `omitempty` in its json tag. Keys without
// a field are refused. These tags say more about a field:
//
//	doc:"…"       one sentence for the operator
//	default:"…"   the value when the key is missing: text for a string, JSON for any other type
//	min:"…"       the lowest number, or the least length of a string, list or map; max:"…" likewise
//	enum:"a,b"    the only values
//	pattern:"…"   a regular expression that a string has to match
//	format:"…"    a format that the server knows, such as "hostname" or "uri"
//	secret:"true" messages of the server do not show the value
type Configured[C any] struct {
	current atomic.Pointer[C]
}

// Config returns the configuration. It is shared, so it must not be changed. Before the first configuration
// was read, it has the defaults.
func (c *Configured[C]) Config() *C {
	if config := c.current.Load(); config != nil {
		return config
	}
	config := new(C)
	_ = setDefaults(reflect.ValueOf(config).Elem())
	return config
}

// configured is implemented by types that embed Configured.
type configured interface {
	configSchema() (json.RawMessage, error)
	checkDefaults() error
	loadConfig(text []byte) (restore func(), err error)
}

func (c *Configured[C]) configSchema() (json.RawMessage, error) {
	return schemaOf(reflect.TypeOf((*C)(nil)).Elem())
}

func (c *Configured[C]) checkDefaults() error {
	return setDefaults(reflect.ValueOf(new(C)).Elem())
}

// loadConfig replaces the configuration; restore() puts the old one back.
func (c *Configured[C]) loadConfig(text []byte) (restore func(), err error) {
	config := new(C)
	if err := setDefaults(reflect.ValueOf(config).Elem()); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(config); err != nil {
		return nil, wrap("config", err)
	}
	old := c.current.Swap(config)
	return func() { c.current.Store(old) }, nil
}

// Duration is a time in a configuration, written as in Go: "1m30s".
type Duration time.Duration

// MarshalText writes the duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	value, err := time.ParseDuration(string(text))
	*d = Duration(value)
	return err
}

// setDefaults sets the fields of a struct, and of structs in it, that have a default.
func setDefaults(value reflect.Value) error {
	if value.Kind() != reflect.Struct || isText(value.Type()) {
		return nil
	}
	for _, field := range reflect.VisibleFields(value.Type()) {
		if !field.IsExported() || len(field.Index) > 1 {
			continue
		}
		target := value.FieldByIndex(field.Index)
		text, ok := field.Tag.Lookup("default")
		if !ok {
			if err := setDefaults(target); err != nil {
				return err
			}
			continue
		}
		if err := json.Unmarshal(literal(field.Type, text), target.Addr().Interface()); err != nil {
			return fmt.Errorf("%s: the default %s: %w", field.Name, text, err)
		}
	}
	return nil
}

// literal is the JSON of a value in a tag.
func literal(of reflect.Type, text string) json.RawMessage {
	if of.Kind() == reflect.Pointer {
		return literal(of.Elem(), text)
	}
	if of.Kind() != reflect.String && !isText(of) {
		return json.RawMessage(text)
	}
	quoted, _ := encode(text)
	return quoted
}

var (
	textUnmarshaler = reflect.TypeOf((*encoding.TextUnmarshaler)(nil)).Elem()
	jsonUnmarshaler = reflect.TypeOf((*json.Unmarshaler)(nil)).Elem()
)

// isText is true for types that encoding/json reads from a string.
func isText(of reflect.Type) bool {
	return implements(of, textUnmarshaler) && !implements(of, jsonUnmarshaler)
}

func implements(of, unmarshaler reflect.Type) bool {
	return of.Implements(unmarshaler) || reflect.PointerTo(of).Implements(unmarshaler)
}
