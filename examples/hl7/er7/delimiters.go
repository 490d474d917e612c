package er7

import "fmt"

// Delimiters are the characters that a header segment (MSH, FHS or BHS) declares in its fields 1 and 2.
type Delimiters struct {
	Field, Component, Repetition, Escape, Subcomponent byte
	// Truncation is 0 in messages that declare none. It came with version 2.7.
	Truncation byte
}

// delimitersOf reads the delimiters from fields 1 and 2 of a header segment.
func delimitersOf(separator, encoding string) (Delimiters, string) {
	if len(separator) != 1 {
		return Delimiters{}, "field 1 is one character, the field separator"
	}
	if len(encoding) != 4 && len(encoding) != 5 {
		return Delimiters{}, "field 2 has four or five encoding characters"
	}
	all := separator + encoding
	for at := 0; at < len(all); at++ {
		if !isDelimiter(all[at]) {
			return Delimiters{}, fmt.Sprintf("the delimiter 0x%02X is not a sign of ASCII", all[at])
		}
		for before := 0; before < at; before++ {
			if all[before] == all[at] {
				return Delimiters{}, fmt.Sprintf("the delimiter %c is declared twice", all[at])
			}
		}
	}
	found := Delimiters{all[0], all[1], all[2], all[3], all[4], 0}
	if len(all) == 6 {
		found.Truncation = all[5]
	}
	return found, ""
}

// isDelimiter is true for the visible characters of ASCII that are neither a letter nor a digit.
func isDelimiter(char byte) bool {
	isWord := char >= '0' && char <= '9' || char >= 'A' && char <= 'Z' || char >= 'a' && char <= 'z'
	return char > 0x20 && char < 0x7F && !isWord
}

// letter is the letter of the escape sequence that stands for a character; 0 when the character needs none.
func (d Delimiters) letter(char byte) byte {
	switch char {
	case d.Field:
		return 'F'
	case d.Component:
		return 'S'
	case d.Subcomponent:
		return 'T'
	case d.Repetition:
		return 'R'
	case d.Escape:
		return 'E'
	case d.Truncation:
		if char != 0 {
			return 'P'
		}
	}
	return 0
}

// character is the inverse of letter.
func (d Delimiters) character(letter byte) byte {
	switch letter {
	case 'F':
		return d.Field
	case 'S':
		return d.Component
	case 'T':
		return d.Subcomponent
	case 'R':
		return d.Repetition
	case 'E':
		return d.Escape
	case 'P':
		return d.Truncation
	}
	return 0
}
