package backworks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

// with sets a member, in the place of an earlier one of that name.
func (o object) with(name string, value any) object {
	for at := range o {
		if o[at].name == name {
			o[at].value = value
			return o
		}
	}
	return append(o, member{name, value})
}

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	var text bytes.Buffer
	text.WriteByte('{')
	for at, member := range o {
		value, err := encode(member.value)
		if err != nil {
			return nil, err
		}
		if at > 0 {
			text.WriteByte(',')
		}
		text.WriteString(strconv.Quote(member.name))
		text.WriteByte(':')
		text.Write(value)
	}
	text.WriteByte('}')
	return text.Bytes(), nil
}

// schemaOf makes the JSON Schema (draft-07) of a configuration.
func schemaOf(of reflect.Type) (json.RawMessage, error) {
	schema, err := (&schemaMaker{}).of(of)
	if err != nil {
		return nil, err
	}
	head := object{{"$schema", "http://json-schema.org/draft-07/schema#"}}
	return encode(append(head, schema...))
}

// schemaMaker keeps the structs that it is inside of, because a recursive type has no finite schema here.
type schemaMaker struct {
	inside []reflect.Type
}

func (s *schemaMaker) of(of reflect.Type) (object, error) {
	switch {
	case implements(of, jsonUnmarshaler):
		return object{}, nil
	case isText(of):
		return object{{"type", "string"}}, nil
	}
	switch of.Kind() {
	case reflect.Pointer:
		return s.of(of.Elem())
	case reflect.Interface:
		return object{}, nil
	case reflect.Bool:
		return object{{"type", "boolean"}}, nil
	case reflect.String:
		return object{{"type", "string"}}, nil
	case reflect.Float32, reflect.Float64:
		return object{{"type", "number"}}, nil
	case reflect.Slice, reflect.Array:
		return s.list(of)
	case reflect.Map:
		return s.dictionary(of)
	case reflect.Struct:
		return s.structure(of)
	default:
		return integer(of)
	}
}

// integer has the limits of its type, except those of 64 bits, which no float of the server holds.
func integer(of reflect.Type) (object, error) {
	schema := object{{"type", "integer"}}
	switch of.Kind() {
	case reflect.Int, reflect.Int64:
		return schema, nil
	case reflect.Uint, reflect.Uint64, reflect.Uintptr:
		return schema.with("minimum", 0), nil
	case reflect.Int8, reflect.Int16, reflect.Int32:
		most := int64(1)<<(of.Bits()-1) - 1
		return schema.with("minimum", -most-1).with("maximum", most), nil
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return schema.with("minimum", 0).with("maximum", uint64(math.MaxUint64)>>(64-of.Bits())), nil
	default:
		return nil, fmt.Errorf("%s cannot be read from JSON", of)
	}
}

func (s *schemaMaker) list(of reflect.Type) (object, error) {
	if of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.Uint8 {
		return object{{"type", "string"}, {"format", "byte"}}, nil
	}
	items, err := s.of(of.Elem())
	if err != nil {
		return nil, err
	}
	schema := object{{"type", "array"}, {"items", items}}
	if of.Kind() == reflect.Array {
		schema = schema.with("minItems", of.Len()).with("maxItems", of.Len())
	}
	return schema, nil
}

func (s *schemaMaker) dictionary(of reflect.Type) (object, error) {
	if of.Key().Kind() != reflect.String {
		return nil, fmt.Errorf("%s: keys are strings", of)
	}
	values, err := s.of(of.Elem())
	return object{{"type", "object"}, {"additionalProperties", values}}, err
}

func (s *schemaMaker) structure(of reflect.Type) (object, error) {
	for _, outer := range s.inside {
		if outer == of {
			return nil, fmt.Errorf("%s contains itself", of)
		}
	}
	s.inside = append(s.inside, of)
	defer func() { s.inside = s.inside[:len(s.inside)-1] }()

	properties, required := object{}, []string{}
	for _, field := range reflect.VisibleFields(of) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		isSkipped := !field.IsExported() && !field.Anonymous
		if isSkipped || len(field.Index) > 1 || (name == "-" && options == "") {
			continue
		}
		schema, err := s.field(field, options)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", of, field.Name, err)
		}
		if name == "" {
			name = field.Name
		}
		properties = properties.with(name, schema)
		if isRequired(field, options) {
			required = append(required, name)
		}
	}
	schema := object{{"type", "object"}, {"additionalProperties", false}, {"properties", properties}}
	if len(required) > 0 {
		schema = schema.with("required", required)
	}
	return schema, nil
}

func isRequired(field reflect.StructField, options string) bool {
	_, hasDefault := field.Tag.Lookup("default")
	return !hasDefault && field.Type.Kind() != reflect.Pointer && !hasOption(options, "omitempty")
}

func hasOption(options, wanted string) bool {
	for _, option := range strings.Split(options, ",") {
		if option == wanted {
			return true
		}
	}
	return false
}
