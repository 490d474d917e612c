package er7

import "fmt"

// scope knows which delimiters and which character set a segment has: those of the message, batch or file that it
// belongs to. Segments pass through it in the order of the document.
type scope struct {
	file, batch, message *Delimiters
	charset              Charset
	fallback             Charset
}

// newScope begins a document. The headers before the first message have the character set of that message.
func newScope(first, fallback Charset) *scope { return &scope{charset: first, fallback: fallback} }

// header passes a header segment. charsetName reads MSH-18; it is called for messages only.
func (s *scope) header(name string, delimiters Delimiters, charsetName func() string) *Error {
	switch name {
	case "FHS":
		s.file = &delimiters
		return nil
	case "BHS":
		s.batch = &delimiters
		return nil
	}
	s.message = &delimiters
	text := charsetName()
	charset, ok := charsetOf(text, s.fallback)
	if !ok {
		reason := fmt.Sprintf("the character set %q is not supported; these are: %s, %s, %s", text, ASCII, UTF8, Latin1)
		return &Error{Segment: name, Field: 18, Reason: reason}
	}
	s.charset = charset
	return nil
}

// delimitersOf a segment; false when no header came before it.
func (s *scope) delimitersOf(name string) (Delimiters, bool) {
	order := []*Delimiters{s.message, s.batch, s.file}
	switch name {
	case "BTS", "BHS":
		order = []*Delimiters{s.batch, s.message, s.file}
	case "FTS", "FHS":
		order = []*Delimiters{s.file, s.batch, s.message}
	}
	for _, found := range order {
		if found != nil {
			return *found, true
		}
	}
	return Delimiters{}, false
}
