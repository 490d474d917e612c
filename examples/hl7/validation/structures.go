package validation

// structure is what a message of one type and event consists of.
type structure struct {
	// id is MSH-9.3.
	id string
	// required segments, in their order.
	required []string
	// after names, for a segment, one that has to come before it.
	after map[string]string
}

// structures by the type and the event of the message, MSH-9.1 and MSH-9.2.
var structures = map[string]structure{
	"ADT^A01": {
		id: "ADT_A01", required: []string{"MSH", "EVN", "PID", "PV1"},
		after: map[string]string{"PD1": "PID", "NK1": "PID", "PV2": "PV1", "OBX": "PV1", "AL1": "PV1", "DG1": "PV1"},
	},
	"ORU^R01": {
		id: "ORU_R01", required: []string{"MSH", "OBR"},
		after: map[string]string{"PV1": "PID", "NK1": "PID", "OBX": "OBR"},
	},
}

// versions of HL7 that messages may have.
var versions = map[string]bool{
	"2.1": true, "2.2": true, "2.3": true, "2.3.1": true, "2.4": true, "2.5": true, "2.5.1": true, "2.6": true,
	"2.7": true, "2.7.1": true, "2.8": true, "2.8.1": true, "2.8.2": true,
}
