// Package acknowledgement builds the acknowledgement of a message, and reads one.
package acknowledgement

import "fmt"

// Code is an acknowledgement code of HL7 table 0008.
type Code string

// The codes of the original mode.
const (
	Accept Code = "AA"
	Error  Code = "AE"
	Reject Code = "AR"
)

var names = map[Code]string{
	Accept: "application accept", Error: "application error", Reject: "application reject",
	"CA": "commit accept", "CE": "commit error", "CR": "commit reject",
}

// CodeOf reads a code that this side may send.
func CodeOf(text string) (Code, error) {
	code := Code(text)
	if code != Accept && code != Error && code != Reject {
		return "", fmt.Errorf("the code is AA, AE or AR")
	}
	return code, nil
}

// Name of the code; "" for codes that do not exist.
func (c Code) Name() string { return names[c] }

// IsAccept is true when the message was taken.
func (c Code) IsAccept() bool { return c == Accept || c == "CA" }
