package backworks

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// textTags are tags whose text is the value of a keyword.
var textTags = []struct{ tag, keyword string }{
	{"doc", "description"},
	{"pattern", "pattern"},
	{"format", "format"},
}

// field is the schema of a field's type, with what its tags add.
func (s *schemaMaker) field(field reflect.StructField, options string) (object, error) {
	if field.Anonymous {
		return nil, errors.New("embedded structs are not supported; give the field a name")
	}
	if hasOption(options, "string") {
		return nil, errors.New(`the json option "string" is not supported`)
	}
	schema, err := s.of(field.Type)
	if err != nil {
		return nil, err
	}
	for _, text := range textTags {
		if value, ok := field.Tag.Lookup(text.tag); ok {
			schema = schema.with(text.keyword, value)
		}
	}
	if schema, err = withLimits(schema, field); err != nil {
		return nil, err
	}
	if values, ok := field.Tag.Lookup("enum"); ok {
		schema = schema.with("enum", enumOf(field.Type, values))
	}
	if field.Tag.Get("secret") == "true" {
		schema = schema.with("writeOnly", true)
	}
	if value, ok := field.Tag.Lookup("default"); ok {
		schema = schema.with("default", literal(field.Type, value))
	}
	return schema, nil
}

func withLimits(schema object, field reflect.StructField) (object, error) {
	for _, tag := range []string{"min", "max"} {
		text, ok := field.Tag.Lookup(tag)
		if !ok {
			continue
		}
		var number json.Number
		if err := json.Unmarshal([]byte(text), &number); err != nil {
			return nil, fmt.Errorf("%s is no number: %s", tag, text)
		}
		schema = schema.with(limitKeyword(field.Type, tag), number)
	}
	return schema, nil
}

// limitKeyword is the keyword of the least or greatest value: of a length, or of a number.
func limitKeyword(of reflect.Type, tag string) string {
	if of.Kind() == reflect.Pointer {
		return limitKeyword(of.Elem(), tag)
	}
	switch of.Kind() {
	case reflect.String:
		return tag + "Length"
	case reflect.Slice, reflect.Array:
		return tag + "Items"
	case reflect.Map:
		return tag + "Properties"
	default:
		return tag + "imum"
	}
}

func enumOf(of reflect.Type, text string) []json.RawMessage {
	values := []json.RawMessage{}
	for _, value := range strings.Split(text, ",") {
		values = append(values, literal(of, value))
	}
	return values
}
