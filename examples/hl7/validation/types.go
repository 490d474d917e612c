package validation

import (
	"regexp"
	"time"
)

// dataType is a data type of HL7 whose form can be checked. The empty type accepts every text.
type dataType string

const (
	anyText  dataType = ""
	number   dataType = "NM"
	sequence dataType = "SI"
	date     dataType = "DT"
	clock    dataType = "TM"
	instant  dataType = "TS"
)

var forms = map[dataType]struct {
	pattern *regexp.Regexp
	hint    string
}{
	number:   {regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)$`), "a number: digits with an optional sign and decimal point"},
	sequence: {regexp.MustCompile(`^\d{1,4}$`), "a sequence number: one to four digits"},
	date:     {regexp.MustCompile(`^\d{4}(\d\d(\d\d)?)?$`), "a date: YYYY[MM[DD]]"},
	clock: {
		regexp.MustCompile(`^\d\d(\d\d(\d\d(\.\d{1,4})?)?)?([+-]\d{4})?$`),
		"a time: HH[MM[SS[.SSSS]]][+/-ZZZZ]",
	},
	instant: {
		regexp.MustCompile(`^\d{4}(\d\d(\d\d(\d\d(\d\d(\d\d(\.\d{1,4})?)?)?)?)?)?([+-]\d{4})?$`),
		"a date and time: YYYY[MM[DD[HH[MM[SS[.SSSS]]]]]][+/-ZZZZ]",
	},
}

// layouts of the digits of a date or time, by their number.
var layouts = map[dataType]map[int]string{
	date:    {4: "2006", 6: "200601", 8: "20060102"},
	clock:   {2: "15", 4: "1504", 6: "150405"},
	instant: {4: "2006", 6: "200601", 8: "20060102", 10: "2006010215", 12: "200601021504", 14: "20060102150405"},
}

var (
	leadingDigits = regexp.MustCompile(`^\d+`)
	zone          = regexp.MustCompile(`[+-](\d\d)(\d\d)$`)
)

// fits reports whether a text has the form of the type, and what the form is. Dates have to exist in the calendar.
func (t dataType) fits(text string) (hint string, ok bool) {
	form, isChecked := forms[t]
	if !isChecked || text == "" || text == `""` {
		return "", true
	}
	return form.hint, form.pattern.MatchString(text) && t.exists(text)
}

func (t dataType) exists(text string) bool {
	known, isTime := layouts[t]
	if !isTime {
		return true
	}
	digits := leadingDigits.FindString(text)
	if _, err := time.Parse(known[len(digits)], digits); err != nil {
		return false
	}
	offset := zone.FindStringSubmatch(text)
	return offset == nil || offset[1] <= "14" && offset[2] <= "59"
}

// valueTypes are the data types of OBX-5 that can be checked, by the value of OBX-2.
var valueTypes = map[string]dataType{
	"NM": number, "SI": sequence, "DT": date, "TM": clock, "TS": instant, "DTM": instant,
}
