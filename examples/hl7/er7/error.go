package er7

import "fmt"

// Error is a document that cannot be read or written, with the place of the fault.
type Error struct {
	// Position of the segment in the document, from 1; 0 when the fault is in no segment.
	Position int
	// Segment is its name; "" when it has none.
	Segment string
	// Field is its number, from 1; 0 when the fault is in no field.
	Field  int
	Reason string
}

func (e *Error) Error() string {
	switch {
	case e.Position == 0:
		return e.Reason
	case e.Segment == "":
		return fmt.Sprintf("segment %d: %s", e.Position, e.Reason)
	case e.Field == 0:
		return fmt.Sprintf("segment %d, %s: %s", e.Position, e.Segment, e.Reason)
	default:
		return fmt.Sprintf("segment %d, %s-%d: %s", e.Position, e.Segment, e.Field, e.Reason)
	}
}
