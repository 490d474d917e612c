package er7

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// unescape replaces the escape sequences that stand for characters. Others, such as \H\ and \.br\, stay as they
// are, and so does a sequence without its end.
func unescape(raw string, delimiters Delimiters, charset Charset) string {
	var text strings.Builder
	for {
		start := strings.IndexByte(raw, delimiters.Escape)
		if start < 0 {
			break
		}
		length := strings.IndexByte(raw[start+1:], delimiters.Escape)
		if length < 0 {
			break
		}
		end := start + length + 2
		text.WriteString(raw[:start])
		if meaning, ok := meaningOf(raw[start+1:end-1], delimiters, charset); ok {
			text.WriteString(meaning)
		} else {
			text.WriteString(raw[start:end])
		}
		raw = raw[end:]
	}
	text.WriteString(raw)
	return text.String()
}

// meaningOf is the text that an escape sequence stands for. sequence is what stands between the escape characters.
func meaningOf(sequence string, delimiters Delimiters, charset Charset) (string, bool) {
	if len(sequence) == 1 {
		char := delimiters.character(sequence[0])
		return string(rune(char)), char != 0
	}
	if len(sequence) < 3 || sequence[0] != 'X' {
		return "", false
	}
	data, err := hex.DecodeString(sequence[1:])
	if err != nil {
		return "", false
	}
	return charset.decode(data)
}

// escape writes delimiters as their sequences, and control characters as \Xdd..\ with capital digits.
func escape(text string, delimiters Delimiters) string {
	var raw strings.Builder
	for at := 0; at < len(text); {
		if end := endOfControls(text, at); end > at {
			fmt.Fprintf(&raw, "%cX%X%c", delimiters.Escape, text[at:end], delimiters.Escape)
			at = end
			continue
		}
		if letter := delimiters.letter(text[at]); letter != 0 {
			raw.Write([]byte{delimiters.Escape, letter, delimiters.Escape})
		} else {
			raw.WriteByte(text[at])
		}
		at++
	}
	return raw.String()
}

func endOfControls(text string, at int) int {
	for at < len(text) && isControl(text[at]) {
		at++
	}
	return at
}

// isControl is true for the characters that a value contains only as escape sequences. Among those are the end of
// a segment and the bytes that frame a message (0x0B and 0x1C).
func isControl(char byte) bool { return char < 0x20 && char != '\t' }
