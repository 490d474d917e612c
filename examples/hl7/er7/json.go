package er7

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// documentJSON is the JSON of a document: a message has segments, a batch file has file.
type documentJSON struct {
	Terminator      *string       `json:"terminator,omitempty"`
	FinalTerminator *bool         `json:"final_terminator,omitempty"`
	Segments        []segmentJSON `json:"segments,omitempty"`
	File            *fileJSON     `json:"file,omitempty"`
}

type fileJSON struct {
	Header  *segmentJSON `json:"header,omitempty"`
	Batches []batchJSON  `json:"batches"`
	Trailer *segmentJSON `json:"trailer,omitempty"`
}

type batchJSON struct {
	Header   *segmentJSON  `json:"header,omitempty"`
	Messages []messageJSON `json:"messages"`
	Trailer  *segmentJSON  `json:"trailer,omitempty"`
}

type messageJSON struct {
	Segments []segmentJSON `json:"segments"`
}

type segmentJSON struct {
	Name   string            `json:"name"`
	Fields []json.RawMessage `json:"fields"`
}

// MarshalJSON writes the document. See the README for its form.
func (d *Document) MarshalJSON() ([]byte, error) {
	file, err := Group(d.Segments)
	if err != nil {
		return nil, err
	}
	document := documentJSON{Terminator: &d.Terminator, FinalTerminator: &d.FinalTerminator}
	if file.IsMessage() {
		document.Segments = segmentsToJSON(d.Segments)
		return marshal(document)
	}
	document.File = &fileJSON{Header: segmentToJSON(file.Header), Batches: []batchJSON{}, Trailer: segmentToJSON(file.Trailer)}
	for _, batch := range file.Batches {
		written := batchJSON{Header: segmentToJSON(batch.Header), Messages: []messageJSON{}, Trailer: segmentToJSON(batch.Trailer)}
		for _, message := range batch.Messages {
			written.Messages = append(written.Messages, messageJSON{segmentsToJSON(message)})
		}
		document.File.Batches = append(document.File.Batches, written)
	}
	return marshal(document)
}

func segmentsToJSON(segments []Segment) []segmentJSON {
	written := make([]segmentJSON, len(segments))
	for at := range segments {
		written[at] = *segmentToJSON(&segments[at])
	}
	return written
}

func segmentToJSON(segment *Segment) *segmentJSON {
	if segment == nil {
		return nil
	}
	written := &segmentJSON{Name: segment.Name, Fields: make([]json.RawMessage, len(segment.Fields))}
	for at, field := range segment.Fields {
		written.Fields[at] = fieldToJSON(field)
	}
	return written
}

// DocumentFromJSON reads what MarshalJSON writes. The error is an *[Error] when a segment is wrong.
func DocumentFromJSON(text []byte) (*Document, error) {
	var read documentJSON
	if err := unmarshal(text, &read); err != nil {
		return nil, err
	}
	document := &Document{Terminator: "\r", FinalTerminator: true}
	if read.Terminator != nil {
		document.Terminator = *read.Terminator
	}
	if read.FinalTerminator != nil {
		document.FinalTerminator = *read.FinalTerminator
	}
	switch document.Terminator {
	case "\r", "\n", "\r\n":
	default:
		return nil, errors.New(`terminator is "\r", "\n" or "\r\n"`)
	}
	if (read.Segments == nil) == (read.File == nil) {
		return nil, errors.New("the document has either segments or file")
	}
	for at, segment := range read.allSegments() {
		segment, fault := segmentFromJSON(segment)
		if fault != nil {
			fault.Position = at + 1
			return nil, fault
		}
		document.Segments = append(document.Segments, segment)
	}
	return document, nil
}

func (d documentJSON) allSegments() []segmentJSON {
	if d.File == nil {
		return d.Segments
	}
	var segments []segmentJSON
	add := func(segment *segmentJSON) {
		if segment != nil {
			segments = append(segments, *segment)
		}
	}
	add(d.File.Header)
	for _, batch := range d.File.Batches {
		add(batch.Header)
		for _, message := range batch.Messages {
			segments = append(segments, message.Segments...)
		}
		add(batch.Trailer)
	}
	add(d.File.Trailer)
	return segments
}

func segmentFromJSON(read segmentJSON) (Segment, *Error) {
	segment := Segment{Name: read.Name}
	for at, text := range read.Fields {
		field, err := fieldFromJSON(text)
		if err != nil {
			return segment, &Error{Segment: read.Name, Field: at + 1, Reason: err.Error()}
		}
		segment.Fields = append(segment.Fields, field)
	}
	return segment, nil
}

// marshal keeps <, > and & as they are.
func marshal(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimRight(text.Bytes(), "\n"), err
}

func unmarshal(text []byte, value any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value); err != nil {
		return fmt.Errorf("the JSON does not have the form of a document: %w", err)
	}
	return nil
}
