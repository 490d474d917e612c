package er7

import (
	"encoding/json"
	"errors"
)

// The JSON of a field is as short as its value: a string, or an object that names the level on which the field has
// several parts. An object with raw is a value whose escape sequences are not those that are written for its text.
type nodeJSON struct {
	Repetitions   []json.RawMessage `json:"repetitions,omitempty"`
	Components    []json.RawMessage `json:"components,omitempty"`
	Subcomponents []json.RawMessage `json:"subcomponents,omitempty"`
	Raw           *string           `json:"raw,omitempty"`
	Text          *string           `json:"text,omitempty"`
}

func fieldToJSON(field Field) json.RawMessage {
	parts := make([]json.RawMessage, len(field))
	for at, repetition := range field {
		parts[at] = repetitionToJSON(repetition)
	}
	return join(parts, nodeJSON{Repetitions: parts})
}

func repetitionToJSON(repetition Repetition) json.RawMessage {
	parts := make([]json.RawMessage, len(repetition))
	for at, component := range repetition {
		parts[at] = componentToJSON(component)
	}
	return join(parts, nodeJSON{Components: parts})
}

func componentToJSON(component Component) json.RawMessage {
	parts := make([]json.RawMessage, len(component))
	for at, value := range component {
		parts[at] = valueToJSON(value)
	}
	return join(parts, nodeJSON{Subcomponents: parts})
}

func valueToJSON(value Value) json.RawMessage {
	if value.Raw == "" {
		return mustMarshal(value.Text)
	}
	return mustMarshal(nodeJSON{Raw: &value.Raw, Text: &value.Text})
}

func join(parts []json.RawMessage, several nodeJSON) json.RawMessage {
	if len(parts) == 1 {
		return parts[0]
	}
	return mustMarshal(several)
}

// mustMarshal writes strings and objects of strings, which cannot fail.
func mustMarshal(value any) json.RawMessage {
	text, err := marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}

var errForm = errors.New("expected a string, or an object with one of repetitions, components, subcomponents and raw, in this order of levels")

// levels of a field, from the outermost.
const (
	levelField = iota
	levelRepetition
	levelComponent
)

func fieldFromJSON(text json.RawMessage) (Field, error) {
	node, err := readNode(text, levelField)
	if err != nil {
		return nil, err
	}
	if node.Repetitions == nil {
		repetition, err := repetitionFromJSON(text)
		return Field{repetition}, err
	}
	return each(node.Repetitions, repetitionFromJSON)
}

func repetitionFromJSON(text json.RawMessage) (Repetition, error) {
	node, err := readNode(text, levelRepetition)
	if err != nil {
		return nil, err
	}
	if node.Components == nil {
		component, err := componentFromJSON(text)
		return Repetition{component}, err
	}
	return each(node.Components, componentFromJSON)
}

func componentFromJSON(text json.RawMessage) (Component, error) {
	node, err := readNode(text, levelComponent)
	if err != nil {
		return nil, err
	}
	if node.Subcomponents == nil {
		value, err := valueFromJSON(text)
		return Component{value}, err
	}
	return each(node.Subcomponents, valueFromJSON)
}

func valueFromJSON(text json.RawMessage) (Value, error) {
	node, err := readNode(text, levelComponent)
	switch {
	case err != nil:
		return Value{}, err
	case node.Subcomponents != nil:
		return Value{}, errForm
	case node.Raw == nil:
		return Value{Text: *node.Text}, nil
	case node.Text == nil:
		return Value{Raw: *node.Raw}, nil
	default:
		return Value{Text: *node.Text, Raw: *node.Raw}, nil
	}
}

// readNode reads a string as an object with text. Exactly one kind of content is present, and none of an outer level.
func readNode(text json.RawMessage, level int) (nodeJSON, error) {
	var plain *string
	if err := json.Unmarshal(text, &plain); err == nil {
		if plain == nil {
			return nodeJSON{}, errForm
		}
		return nodeJSON{Text: plain}, nil
	}
	var node nodeJSON
	if err := unmarshal(text, &node); err != nil {
		return node, errForm
	}
	kinds := 0
	for _, isPresent := range []bool{
		len(node.Repetitions) > 0, len(node.Components) > 0, len(node.Subcomponents) > 0, node.Raw != nil,
	} {
		if isPresent {
			kinds++
		}
	}
	isOuter := level > levelField && node.Repetitions != nil || level > levelRepetition && node.Components != nil
	if kinds != 1 || isOuter || node.Raw == nil && node.Text != nil {
		return node, errForm
	}
	return node, nil
}

func each[Part any](texts []json.RawMessage, read func(json.RawMessage) (Part, error)) ([]Part, error) {
	parts := make([]Part, len(texts))
	for at, text := range texts {
		part, err := read(text)
		if err != nil {
			return nil, err
		}
		parts[at] = part
	}
	return parts, nil
}
