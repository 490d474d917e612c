package er7

import (
	"fmt"
	"unicode/utf8"
)

// Charset is a character set, by its name in HL7 table 0211.
type Charset string

// The character sets that this package reads and writes. In all of them, a byte below 0x80 is a character of ASCII.
const (
	ASCII  Charset = "ASCII"
	UTF8   Charset = "UNICODE UTF-8"
	Latin1 Charset = "8859/1"
)

// charsetOf finds a character set by the value of MSH-18.
func charsetOf(name string, fallback Charset) (Charset, bool) {
	switch name {
	case "":
		return fallback, true
	case "ASCII":
		return ASCII, true
	case "8859/1":
		return Latin1, true
	case "UNICODE UTF-8", "UTF-8":
		return UTF8, true
	}
	return "", false
}

// decode returns false when the bytes are not of this character set.
func (c Charset) decode(data []byte) (string, bool) {
	switch c {
	case UTF8:
		return string(data), utf8.Valid(data)
	case Latin1:
		text := make([]rune, len(data))
		for at, char := range data {
			text[at] = rune(char)
		}
		return string(text), true
	default:
		for _, char := range data {
			if char >= 0x80 {
				return "", false
			}
		}
		return string(data), true
	}
}

// encode fails when the character set lacks a character of the text.
func (c Charset) encode(text string) ([]byte, error) {
	last := map[Charset]rune{ASCII: 0x7F, Latin1: 0xFF, UTF8: utf8.MaxRune}[c]
	data := make([]byte, 0, len(text))
	for _, char := range text {
		if char > last {
			return nil, fmt.Errorf("the character %q (U+%04X) does not exist in %s", char, char, c)
		}
		if c == Latin1 {
			data = append(data, byte(char))
		} else {
			data = utf8.AppendRune(data, char)
		}
	}
	return data, nil
}
