package mllp

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"
)

func read(frame string) ([]byte, error) {
	return ReadFrame(bufio.NewReader(bytes.NewReader([]byte(frame))), 8)
}

func TestFramesComeBack(t *testing.T) {
	frame, err := Frame([]byte("MSH|\r"))
	if err != nil || string(frame) != "\x0bMSH|\r\x1c\r" {
		t.Fatalf("%q %v", frame, err)
	}
	if message, err := read(string(frame)); err != nil || string(message) != "MSH|\r" {
		t.Errorf("%q %v", message, err)
	}
}

func TestWrongFramesAreRefused(t *testing.T) {
	for frame, reason := range map[string]string{
		"MSH|\r\x1c\r":        "wrong frame: it begins with 0x4D instead of 0x0B",
		"\x0bMSH\x0b":         "wrong frame: 0x0B is in the message",
		"\x0bMSH|\x1cX":       "wrong frame: 0x58 instead of 0x0D follows 0x1C",
		"\x0b123456789\x1c\r": "wrong frame: the message is longer than 8 bytes",
		"\x0b12345678\x1c":    io.EOF.Error(),
		"\x0bMSH":             io.EOF.Error(),
		"":                    io.EOF.Error(),
	} {
		if _, err := read(frame); err == nil || err.Error() != reason {
			t.Errorf("%q: %v", frame, err)
		}
	}
	if _, err := Frame([]byte("a\x1cb")); err == nil {
		t.Error("a message with 0x1C was framed")
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("\x0bMSH|\r\x1c\r"))
	f.Fuzz(func(t *testing.T, data []byte) {
		message, err := read(string(data))
		var wrong *FrameError
		switch {
		case err == nil:
			if frame, err := Frame(message); err != nil || !bytes.HasPrefix(data, frame) {
				t.Errorf("%q was read from %q", message, data)
			}
		case !errors.As(err, &wrong) && !errors.Is(err, io.EOF):
			t.Error(err)
		}
	})
}
