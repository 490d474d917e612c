package validation

// fieldRule is what is checked of a field.
type fieldRule struct {
	name       string
	isRequired bool
	kind       dataType
	// values are the only ones; nil for any.
	values []string
}

func required(name string) fieldRule { return fieldRule{name: name, isRequired: true} }

func typed(name string, kind dataType) fieldRule { return fieldRule{name: name, kind: kind} }

func requiredTyped(name string, kind dataType) fieldRule {
	return fieldRule{name: name, isRequired: true, kind: kind}
}

func oneOf(name string, values ...string) fieldRule {
	return fieldRule{name: name, isRequired: true, values: values}
}

// segmentRules has the rules of version 2.5 by segment and number of the field. Other segments and fields are not checked.
var segmentRules = map[string]map[int]fieldRule{
	"MSH": {
		1: required("Field Separator"), 2: required("Encoding Characters"),
		7: requiredTyped("Date/Time Of Message", instant), 9: required("Message Type"),
		10: required("Message Control ID"), 11: oneOf("Processing ID", "P", "T", "D"),
		12: required("Version ID"), 13: typed("Sequence Number", number),
	},
	"EVN": {
		2: requiredTyped("Recorded Date/Time", instant), 3: typed("Date/Time Planned Event", instant),
		6: typed("Event Occurred", instant),
	},
	"PID": {
		1: typed("Set ID - PID", sequence), 3: required("Patient Identifier List"), 5: required("Patient Name"),
		7: typed("Date/Time of Birth", instant), 25: typed("Birth Order", number),
		29: typed("Patient Death Date and Time", instant), 33: typed("Last Update Date/Time", instant),
	},
	"PV1": {
		1: typed("Set ID - PV1", sequence), 2: required("Patient Class"), 25: typed("Contract Effective Date", date),
		44: typed("Admit Date/Time", instant), 45: typed("Discharge Date/Time", instant),
		46: typed("Current Patient Balance", number), 47: typed("Total Charges", number),
	},
	"NK1": {1: requiredTyped("Set ID - NK1", sequence), 8: typed("Start Date", date), 9: typed("End Date", date)},
	"AL1": {1: required("Set ID - AL1"), 3: required("Allergen Code"), 6: typed("Identification Date", date)},
	"DG1": {
		1: requiredTyped("Set ID - DG1", sequence), 5: typed("Diagnosis Date/Time", instant),
		6: required("Diagnosis Type"),
	},
	"OBR": {
		1: typed("Set ID - OBR", sequence), 4: required("Universal Service Identifier"),
		7: typed("Observation Date/Time", instant), 8: typed("Observation End Date/Time", instant),
		14: typed("Specimen Received Date/Time", instant), 22: typed("Results Rpt/Status Chng - Date/Time", instant),
	},
	"OBX": {
		1: typed("Set ID - OBX", sequence), 3: required("Observation Identifier"), 9: typed("Probability", number),
		11: oneOf("Observation Result Status", "C", "D", "F", "I", "N", "O", "P", "R", "S", "U", "W", "X"),
		12: typed("Effective Date of Reference Range", instant), 14: typed("Date/Time of the Observation", instant),
		19: typed("Date/Time of the Analysis", instant),
	},
	"NTE": {1: typed("Set ID - NTE", sequence)},
	"MSA": {
		1: oneOf("Acknowledgment Code", "AA", "AE", "AR", "CA", "CE", "CR"), 2: required("Message Control ID"),
		4: typed("Expected Sequence Number", number),
	},
	"ERR": {3: required("HL7 Error Code"), 4: oneOf("Severity", "E", "F", "I", "W")},
	"BTS": {1: typed("Batch Message Count", number)},
	"FTS": {1: typed("File Batch Count", number)},
}
