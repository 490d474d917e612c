// Package er7 reads and writes HL7 version 2 in its encoding ER7, with delimiters. It does no input or output.
//
// Reading and writing are inverse: what [Parse] accepts, [Document.Bytes] returns byte for byte.
package er7

// Document is a message, or a batch file, as a list of segments.
type Document struct {
	// Terminator ends each segment: "\r" by the standard, "\n" or "\r\n" in what some systems send.
	Terminator string
	// FinalTerminator is false when the last segment has no terminator.
	FinalTerminator bool
	Segments        []Segment
}

// Segment is one line of a document.
type Segment struct {
	// Name has three characters, such as "PID".
	Name string
	// Fields begins with field 1. Fields 1 and 2 of MSH, FHS and BHS are the delimiters.
	Fields []Field
}

// Field is a list of repetitions, at least one.
type Field []Repetition

// Repetition is a list of components, at least one.
type Repetition []Component

// Component is a list of subcomponents, at least one.
type Component []Value

// Value is the text of a subcomponent.
type Value struct {
	// Text has no escape sequences, except those that do not stand for characters.
	Text string
	// Raw is the value with its escape sequences; "" when those are the ones that are written for Text.
	Raw string
}

// Plain is a field with one value.
func Plain(text string) Field { return Field{{{{Text: text}}}} }

// Components is a field with components.
func Components(texts ...string) Field {
	components := make(Repetition, len(texts))
	for at, text := range texts {
		components[at] = Component{{Text: text}}
	}
	return Field{components}
}

// Field returns a field by its number, or nil when the segment is shorter.
func (s Segment) Field(number int) Field {
	if number < 1 || number > len(s.Fields) {
		return nil
	}
	return s.Fields[number-1]
}

// Text returns the first subcomponent of a component in the first repetition of a field; "" when there is none.
// Fields and components are counted from 1.
func (s Segment) Text(field, component int) string {
	value := s.Field(field)
	if len(value) == 0 {
		return ""
	}
	return value[0].Text(component)
}

// Text returns the first subcomponent of a component; "" when there is none. Components are counted from 1.
func (r Repetition) Text(component int) string {
	if component < 1 || component > len(r) {
		return ""
	}
	return r[component-1][0].Text
}

// IsEmpty is true when no part of the field has a text.
func (f Field) IsEmpty() bool {
	for _, repetition := range f {
		if !repetition.IsEmpty() {
			return false
		}
	}
	return true
}

// IsEmpty is true when no part of the repetition has a text.
func (r Repetition) IsEmpty() bool {
	for _, component := range r {
		for _, value := range component {
			if value.Text != "" {
				return false
			}
		}
	}
	return true
}

// isHeader is true for the segments that declare delimiters.
func isHeader(name string) bool { return name == "MSH" || name == "FHS" || name == "BHS" }
