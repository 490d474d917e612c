package er7

// documents are accepted: each of them comes back byte for byte.
var documents = map[string]string{
	"a message":                  "MSH|^~\\&|A|B|C|D|20240102||ADT^A01|1|P|2.5\rPID|1||7^^^X&Y&Z~8||Doe^Jane\r",
	"no last terminator":         "MSH|^~\\&|A\rPID|1",
	"line feeds":                 "MSH|^~\\&|A\nPID|1\n",
	"both":                       "MSH|^~\\&|A\r\nPID|1\r\n",
	"a segment without fields":   "MSH|^~\\&\rZZZ\r",
	"empty parts at the end":     "MSH|^~\\&|A\rPID|||^^&&~~|^|\"\"||\r",
	"every escape":               "MSH|^~\\&|A\rNTE|1||\\F\\\\S\\\\T\\\\R\\\\E\\\\X0D0A\\\r",
	"other forms of escapes":     "MSH|^~\\&|A\rNTE|1||\\X0d\\ \\X41\\ \\H\\b\\N\\ \\.br\\ \\Q \\X4\\ \\XZZ\\ \\\\\r",
	"an escape without its end":  "MSH|^~\\&|A\rNTE|1||a\\b\r",
	"other delimiters":           "MSH*:;!@*A*B:C;D@E!S!\r",
	"a truncation character":     "MSH|^~\\&#|A\rNTE|1||\\P\\\r",
	"UTF-8":                      "MSH|^~\\&|A||||||ADT|1|P|2.5||||||UNICODE UTF-8\rPID|||||Müller^Žofie\\XC3A9\\\\XFF\\\r",
	"Latin 1":                    "MSH|^~\\&|A||||||ADT|1|P|2.5||||||8859/1\rPID|||||M\xfcller\\XFC\\\r",
	"two messages":               "MSH|^~\\&|A\rMSH|^~\\&|B\r",
	"a file with two batches":    "FHS|^~\\&|A\rBHS|^~\\&|B\rMSH|^~\\&|C\rPID|1\rMSH*:;!@*D\rPID*1\rBTS|2\rBHS|^~\\&|E\rBTS|0\rFTS|2\r",
	"a file without batches":     "FHS|^~\\&|A\rMSH|^~\\&|C\rFTS|1\r",
	"a batch with own separator": "BHS*:;!@*B\rMSH|^~\\&|C\rPID|1\rBTS*1\r",
}

// refused has the error of each document that is not accepted.
var refused = map[string]struct{ document, reason string }{
	"nothing":                 {"", "the document is empty"},
	"no header":               {"PID|1\r", "segment 1, PID: the document begins with MSH, BHS or FHS"},
	"a short name":            {"MSH|^~\\&\rPI|1\r", "segment 2: the name of a segment is a capital letter and two capital letters or digits"},
	"an empty segment":        {"MSH|^~\\&\r\rPID|1\r", "segment 2: the segment is empty"},
	"no delimiters":           {"MSH\r", "segment 1, MSH: the segment declares no delimiters"},
	"few delimiters":          {"MSH|^~|A\r", "segment 1, MSH: field 2 has four or five encoding characters"},
	"a delimiter twice":       {"MSH|^^\\&|A\r", "segment 1, MSH: the delimiter ^ is declared twice"},
	"a letter as a delimiter": {"MSH|a~\\&|A\r", "segment 1, MSH: the delimiter 0x61 is not a sign of ASCII"},
	"a control character":     {"MSH|^~\\&|A\rPID|1|\x1c\r", "segment 2, PID-2: the control character 0x1C has to be an escape sequence"},
	"no separator":            {"MSH|^~\\&|A\rPID^1\r", "segment 2, PID: | does not follow the name"},
	"not ASCII":               {"MSH|^~\\&|A\rPID|1||||M\xfcller\r", "segment 2, PID-5: the bytes 4DFC6C6C6572 are not ASCII; MSH-18 names the character set"},
	"not UTF-8":               {"MSH|^~\\&|A||||||ADT|1|P|2.5||||||UNICODE UTF-8\rPID|1||||\xfc\r", "segment 2, PID-5: the bytes FC are not UNICODE UTF-8; MSH-18 names the character set"},
	"an unknown charset":      {"MSH|^~\\&|A||||||ADT|1|P|2.5||||||8859/2\r", "segment 1, MSH-18: the character set \"8859/2\" is not supported; these are: ASCII, UNICODE UTF-8, 8859/1"},
	"several charsets":        {"MSH|^~\\&|A||||||ADT|1|P|2.5||||||ASCII~8859/1\r", "segment 1, MSH-18: the character set \"a list\" is not supported; these are: ASCII, UNICODE UTF-8, 8859/1"},
	"mixed terminators":       {"MSH|^~\\&|A\rPID|1\r\nPV1|1\r", "segment 3: the name of a segment is a capital letter and two capital letters or digits"},
	"a trailer alone":         {"BHS|^~\\&\rBTS|0\rBTS|0\r", "segment 3, BTS: BTS ends a batch, and none is open"},
	"after the end":           {"FHS|^~\\&\rFTS|0\rMSH|^~\\&\r", "segment 3, MSH: nothing follows FTS"},
	"a segment in no message": {"BHS|^~\\&\rPID|1\r", "segment 2, PID: the segment is in no message"},
}
