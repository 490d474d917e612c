// Package mllp exchanges messages over the Minimal Lower Layer Protocol of HL7: 0x0B, the message, 0x1C 0x0D.
package mllp

import (
	"bufio"
	"bytes"
	"fmt"
)

const (
	startBlock     = 0x0B
	endBlock       = 0x1C
	carriageReturn = 0x0D
)

// FrameError is a byte that cannot stand where it stands.
type FrameError struct{ Reason string }

func (e *FrameError) Error() string { return "wrong frame: " + e.Reason }

// Frame wraps a message. A message that contains 0x0B or 0x1C cannot be sent.
func Frame(message []byte) ([]byte, error) {
	if at := bytes.IndexAny(message, "\x0b\x1c"); at >= 0 {
		return nil, &FrameError{fmt.Sprintf("the message contains the byte 0x%02X", message[at])}
	}
	frame := make([]byte, 0, len(message)+3)
	frame = append(frame, startBlock)
	frame = append(frame, message...)
	return append(frame, endBlock, carriageReturn), nil
}

// ReadFrame reads one frame and returns the message in it, of at most limit bytes. The error is a *[FrameError], or
// that of the reader; io.EOF and io.ErrUnexpectedEOF are the reader's.
func ReadFrame(reader *bufio.Reader, limit int) ([]byte, error) {
	first, err := reader.ReadByte()
	if err != nil {
		return nil, err
	}
	if first != startBlock {
		return nil, &FrameError{fmt.Sprintf("it begins with 0x%02X instead of 0x0B", first)}
	}
	var message []byte
	for {
		char, err := reader.ReadByte()
		if err != nil {
			return nil, err
		}
		switch {
		case char == startBlock:
			return nil, &FrameError{"0x0B is in the message"}
		case char == endBlock:
			return message, readEnd(reader)
		case len(message) == limit:
			return nil, &FrameError{fmt.Sprintf("the message is longer than %d bytes", limit)}
		}
		message = append(message, char)
	}
}

func readEnd(reader *bufio.Reader) error {
	last, err := reader.ReadByte()
	if err == nil && last != carriageReturn {
		err = &FrameError{fmt.Sprintf("0x%02X instead of 0x0D follows 0x1C", last)}
	}
	return err
}
