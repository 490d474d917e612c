package validation

import (
	"sort"
	"strconv"
	"strings"

	"github.com/backworks/backworks/examples/hl7/er7"
)

// Document checks every message of a document, and the counts in the trailers of a batch file.
func Document(document *er7.Document) ([]Finding, error) {
	file, err := er7.Group(document.Segments)
	if err != nil {
		return nil, err
	}
	findings := []Finding{}
	for _, batch := range file.Batches {
		for _, message := range batch.Messages {
			findings = append(findings, Message(message)...)
		}
		findings = append(findings, count(batch.Trailer, len(batch.Messages), "messages in the batch")...)
	}
	return append(findings, count(file.Trailer, len(file.Batches), "batches in the file")...), nil
}

// count compares field 1 of a trailer.
func count(trailer *er7.Segment, actual int, what string) []Finding {
	if trailer == nil {
		return nil
	}
	findings := segment(*trailer, 1)
	text := trailer.Text(1, 1)
	if stated, err := strconv.Atoi(text); err == nil && stated != actual {
		finding := inField(trailer.Name, 1, 1, DataType, "%s states %d %s; there are %d", trailer.Name, stated, what, actual)
		findings = append(findings, finding)
	}
	return findings
}

// Message checks one message. The list is empty when nothing was found.
func Message(segments []er7.Segment) []Finding {
	findings := []Finding{}
	seen := map[string]int{}
	for _, found := range segments {
		seen[found.Name]++
		findings = append(findings, segment(found, seen[found.Name])...)
	}
	header := segments[0]
	if version := header.Text(12, 1); version != "" && !versions[version] {
		findings = append(findings, inField("MSH", 1, 12, UnsupportedVersion, "%s is not a version of HL7 2", version))
	}
	return append(findings, structureOf(header, segments)...)
}

func structureOf(header er7.Segment, segments []er7.Segment) []Finding {
	kind := header.Text(9, 1) + "^" + header.Text(9, 2)
	expected, isKnown := structures[kind]
	if !isKnown {
		return nil
	}
	findings := []Finding{}
	if id := header.Text(9, 3); id != "" && id != expected.id {
		finding := inField("MSH", 1, 9, UnsupportedMessageType, "the structure of %s is %s, not %s", kind, expected.id, id)
		finding.Repetition, finding.Component = 1, 3
		findings = append(findings, finding)
	}
	first := map[string]int{}
	for at, segment := range segments {
		if _, isSeen := first[segment.Name]; !isSeen {
			first[segment.Name] = at
		}
	}
	last := "MSH"
	for _, name := range expected.required {
		at, isPresent := first[name]
		switch {
		case !isPresent:
			findings = append(findings, inSegment(name, 1, SegmentSequence, "%s requires the segment %s", kind, name))
			continue
		case at < first[last]:
			findings = append(findings, inSegment(name, 1, SegmentSequence, "%s comes after %s in %s", name, last, kind))
		}
		last = name
	}
	return append(findings, orderOf(kind, expected, first)...)
}

func orderOf(kind string, expected structure, first map[string]int) []Finding {
	findings := []Finding{}
	names := make([]string, 0, len(expected.after))
	for name := range expected.after {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		before := expected.after[name]
		at, isPresent := first[name]
		earlier, hasEarlier := first[before]
		if isPresent && hasEarlier && at < earlier {
			findings = append(findings, inSegment(name, 1, SegmentSequence, "%s comes after %s in %s", name, before, kind))
		}
	}
	return findings
}

func segment(found er7.Segment, occurrence int) []Finding {
	findings := []Finding{}
	rules := segmentRules[found.Name]
	numbers := make([]int, 0, len(rules))
	for number := range rules {
		numbers = append(numbers, number)
	}
	sort.Ints(numbers)
	for _, number := range numbers {
		findings = append(findings, field(found, occurrence, number, rules[number])...)
	}
	if found.Name == "OBX" {
		findings = append(findings, observation(found, occurrence)...)
	}
	return findings
}

func field(found er7.Segment, occurrence, number int, rule fieldRule) []Finding {
	value := found.Field(number)
	if value.IsEmpty() {
		if !rule.isRequired {
			return nil
		}
		return []Finding{inField(found.Name, occurrence, number, RequiredFieldMissing, "%s is required", rule.name)}
	}
	findings := []Finding{}
	for at, repetition := range value {
		finding, isWrong := valueOf(found.Name, occurrence, number, rule, repetition.Text(1))
		if isWrong {
			finding.Repetition = at + 1
			findings = append(findings, finding)
		}
	}
	return findings
}

func valueOf(name string, occurrence, number int, rule fieldRule, text string) (Finding, bool) {
	if hint, ok := rule.kind.fits(text); !ok {
		return inField(name, occurrence, number, DataType, "%s: %q is not %s", rule.name, shortened(text), hint), true
	}
	if rule.values == nil || text == "" {
		return Finding{}, false
	}
	for _, value := range rule.values {
		if text == value {
			return Finding{}, false
		}
	}
	known := strings.Join(rule.values, ", ")
	return inField(name, occurrence, number, TableValueNotFound, "%s: %q is none of %s", rule.name, shortened(text), known), true
}

// observation checks OBX-5 against its type in OBX-2.
func observation(found er7.Segment, occurrence int) []Finding {
	if found.Field(5).IsEmpty() {
		return nil
	}
	kind := found.Text(2, 1)
	if kind == "" {
		return []Finding{inField("OBX", occurrence, 2, RequiredFieldMissing, "Value Type is required when OBX-5 has a value")}
	}
	return field(found, occurrence, 5, typed("Observation Value", valueTypes[kind]))
}

// shortened keeps messages readable, and much of a patient's data out of them.
func shortened(text string) string {
	const most = 40
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
