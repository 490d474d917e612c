package er7

// File is a batch file. A single message is a file with one batch and one message, without headers and trailers.
type File struct {
	Header  *Segment
	Batches []Batch
	Trailer *Segment
}

// Batch is a part of a file. Header and trailer are optional.
type Batch struct {
	Header   *Segment
	Messages [][]Segment
	Trailer  *Segment
}

// IsMessage is true when the document is one message without an envelope.
func (f *File) IsMessage() bool {
	if f.Header != nil || f.Trailer != nil || len(f.Batches) != 1 {
		return false
	}
	batch := f.Batches[0]
	return batch.Header == nil && batch.Trailer == nil && len(batch.Messages) == 1
}

type grouping struct {
	file   File
	isOpen bool
}

// Group finds the messages of a document: [FHS] { [BHS] { MSH … } [BTS] } [FTS]. The error is an *[Error].
func Group(segments []Segment) (*File, error) {
	if len(segments) == 0 {
		return nil, &Error{Reason: "the document has no segments"}
	}
	g := &grouping{}
	for at := range segments {
		if reason := g.add(&segments[at], at == 0); reason != "" {
			return nil, &Error{Position: at + 1, Segment: segments[at].Name, Reason: reason}
		}
	}
	return &g.file, nil
}

func (g *grouping) add(segment *Segment, isFirst bool) string {
	if g.file.Trailer != nil {
		return "nothing follows FTS"
	}
	switch segment.Name {
	case "FHS":
		if !isFirst {
			return "FHS is the first segment of a file"
		}
		g.file.Header = segment
	case "BHS":
		g.open(segment)
	case "MSH":
		if !g.isOpen {
			g.open(nil)
		}
		batch := g.batch()
		batch.Messages = append(batch.Messages, []Segment{*segment})
	case "BTS":
		if !g.isOpen {
			return "BTS ends a batch, and none is open"
		}
		g.batch().Trailer = segment
		g.isOpen = false
	case "FTS":
		if isFirst {
			return "the document begins with MSH, BHS or FHS"
		}
		g.file.Trailer = segment
	default:
		return g.inMessage(segment)
	}
	return ""
}

func (g *grouping) open(header *Segment) {
	g.file.Batches = append(g.file.Batches, Batch{Header: header})
	g.isOpen = true
}

func (g *grouping) batch() *Batch { return &g.file.Batches[len(g.file.Batches)-1] }

func (g *grouping) inMessage(segment *Segment) string {
	if !g.isOpen || len(g.batch().Messages) == 0 {
		return "the segment is in no message"
	}
	messages := g.batch().Messages
	last := len(messages) - 1
	messages[last] = append(messages[last], *segment)
	return ""
}
