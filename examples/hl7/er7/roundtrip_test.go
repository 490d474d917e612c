package er7

import (
	"bytes"
	"math/rand"
	"sort"
	"testing"
)

// comesBack fails the test when an accepted document does not come back byte for byte, directly and through JSON.
func comesBack(t *testing.T, data []byte) {
	t.Helper()
	for _, fallback := range []Charset{ASCII, Latin1, UTF8} {
		document, err := Parse(data, fallback)
		if err != nil {
			continue
		}
		same(t, document, fallback, data)
		text, err := document.MarshalJSON()
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		read, err := DocumentFromJSON(text)
		if err != nil {
			t.Fatalf("%q: %s: %v", data, text, err)
		}
		same(t, read, fallback, data)
	}
}

func same(t *testing.T, document *Document, fallback Charset, data []byte) {
	t.Helper()
	if written, err := document.Bytes(fallback); err != nil || !bytes.Equal(written, data) {
		t.Fatalf("%q came back as %q: %v", data, written, err)
	}
}

func TestAcceptedDocumentsComeBackByteForByte(t *testing.T) {
	for name, document := range documents {
		if _, err := Parse([]byte(document), ASCII); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		comesBack(t, []byte(document))
	}
}

// Mutations of good documents get further into the parser than random bytes.
func TestMutatedDocumentsAreRefusedOrComeBack(t *testing.T) {
	names := make([]string, 0, len(documents))
	for name := range documents {
		names = append(names, name)
	}
	sort.Strings(names)
	random := rand.New(rand.NewSource(1))
	signs := []byte("|^~\\&#*:;!@/\r\n\x0b\x1c\x00\xfc\xc3AX019MSHBTF")
	for round := 0; round < 20_000; round++ {
		data := []byte(documents[names[random.Intn(len(names))]])
		for change := random.Intn(6); change >= 0; change-- {
			at := random.Intn(len(data))
			switch random.Intn(3) {
			case 0:
				data[at] = signs[random.Intn(len(signs))]
			case 1:
				data = append(data[:at:at], append([]byte{signs[random.Intn(len(signs))]}, data[at:]...)...)
			default:
				if len(data) > 1 {
					data = append(data[:at:at], data[at+1:]...)
				}
			}
		}
		comesBack(t, data)
	}
}

func FuzzParse(f *testing.F) {
	for _, document := range documents {
		f.Add([]byte(document))
	}
	for _, wrong := range refused {
		f.Add([]byte(wrong.document))
	}
	f.Fuzz(func(t *testing.T, data []byte) { comesBack(t, data) })
}

// What is built from JSON can be read again.
func FuzzBuild(f *testing.F) {
	for _, document := range documents {
		if read, err := Parse([]byte(document), ASCII); err == nil {
			text, _ := read.MarshalJSON()
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		document, err := DocumentFromJSON(text)
		if err != nil {
			return
		}
		data, err := document.Bytes(ASCII)
		if err != nil {
			return
		}
		if _, err := Parse(data, ASCII); err != nil {
			t.Fatalf("%s was written as %q: %v", text, data, err)
		}
		comesBack(t, data)
	})
}
