package backworks

import (
	"reflect"
	"testing"
)

func membersOf(object string) (map[string]string, error) {
	found := make(map[string]string)
	err := eachMember([]byte(object), func(name string, value []byte) error {
		found[name] = string(value)
		return nil
	})
	return found, err
}

func TestMembersAreDelimited(t *testing.T) {
	for object, want := range map[string]map[string]string{
		`{}`:    {},
		` { } `: {},
		" {\"a\" : \"x\\\"}\" ,\n\"b\":{\"c\":[1,{\"d\":\"]\"}]},\"e\":-1.5e+3,\"f\" :null }": {
			"a": `"x\"}"`, "b": `{"c":[1,{"d":"]"}]}`, "e": "-1.5e+3", "f": "null",
		},
		`{"caf\u00e9":"\\","é":true,"caf\u00e9":1}`: {"café": "1", "é": "true"},
	} {
		found, err := membersOf(object)
		if err != nil || !reflect.DeepEqual(found, want) {
			t.Errorf("%s: got %v, %v", object, found, err)
		}
	}
}

func TestWhatIsNoObjectIsAnError(t *testing.T) {
	for _, object := range []string{
		"", "[]", "{", `{"a"`, `{"a":`, `{"a":}`, `{"a":1`, `{"a":1,`, `{"a":1 2}`, `{"a":"`, `{"a":"\`, `{"a":[`,
		`{a:1}`, `{,}`, `{"a" 1}`, `{1:2}`, `{:1}`, `{"\x":1}`,
	} {
		if found, err := membersOf(object); err == nil {
			t.Errorf("%s: got %v", object, found)
		}
	}
}

func TestDocumentsOfAnotherFormAreErrors(t *testing.T) {
	for _, document := range []string{
		`{"id":1}`, `{"params":{"a":1}}`, `{"query":{"a":1}}`, `{"headers":{"a":[1]}}`, `{"headers":[]}`,
		`{"remote":{"port":"x"}}`, `{"context":1}`, `{"body_streamed":"yes"}`, `{"body_encoding":7}`, `null`,
	} {
		if request, err := parseRequest([]byte(document)); err == nil {
			t.Errorf("%s: got %+v", document, request)
		}
	}
	if _, err := parseResponse([]byte(`{"status":"200"}`)); err == nil {
		t.Error("a status in quotes was read")
	}
}
