package backworks

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

type limits struct {
	Burst uint8 `json:"burst" max:"9"`
}

type everything struct {
	Name     string             `json:"name" doc:"Of the service." min:"1" pattern:"^[a-z]+$"`
	Port     uint16             `json:"port" default:"80"`
	Ratio    float64            `json:"ratio" min:"0" max:"0.5"`
	Key      string             `json:"key,omitempty" secret:"true"`
	Mode     string             `json:"mode" enum:"fast,safe" default:"safe"`
	Timeout  Duration           `json:"timeout" default:"1m30s"`
	Tags     []string           `json:"tags" default:"[\"a\"]" max:"3"`
	Weights  map[string]float32 `json:"weights,omitempty"`
	Limits   limits             `json:"limits"`
	Optional *bool              `json:"optional"`
	Any      any                `json:"any,omitempty"`
	Blob     []byte             `json:"blob,omitempty"`
	Hidden   chan int           `json:"-"`
	private  int
}

func TestSchemaSaysWhatTheTypeAndItsTagsSay(t *testing.T) {
	schema, err := schemaOf(reflect.TypeOf(everything{}))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"$schema":"http://json-schema.org/draft-07/schema#",
"type":"object","additionalProperties":false,"properties":{
"name":{"type":"string","description":"Of the service.","pattern":"^[a-z]+$","minLength":1},
"port":{"type":"integer","minimum":0,"maximum":65535,"default":80},
"ratio":{"type":"number","minimum":0,"maximum":0.5},
"key":{"type":"string","writeOnly":true},
"mode":{"type":"string","enum":["fast","safe"],"default":"safe"},
"timeout":{"type":"string","default":"1m30s"},
"tags":{"type":"array","items":{"type":"string"},"maxItems":3,"default":["a"]},
"weights":{"type":"object","additionalProperties":{"type":"number"}},
"limits":{"type":"object","additionalProperties":false,"properties":{
"burst":{"type":"integer","minimum":0,"maximum":9}},"required":["burst"]},
"optional":{"type":"boolean"},
"any":{},
"blob":{"type":"string","format":"byte"}},
"required":["name","ratio","limits"]}`
	if got := string(schema); got != strings.ReplaceAll(want, "\n", "") {
		t.Errorf("got  %s\nwant %s", got, strings.ReplaceAll(want, "\n", ""))
	}
}

type recursive struct {
	Next *recursive `json:"next"`
}

func TestTypesWithoutASchemaAreRefused(t *testing.T) {
	for want, value := range map[string]any{
		"contains itself":  recursive{},
		"cannot be read":   struct{ F chan int }{},
		"keys are strings": struct{ F map[int]string }{},
		"not supported":    struct{ limits }{},
		"min is no number": struct {
			F int `min:"none"`
		}{},
		`"string" is not`: struct {
			F int `json:",string"`
		}{},
		"invalid character": struct {
			F int `default:"none"`
		}{},
	} {
		_, err := schemaOf(reflect.TypeOf(value))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%T: %v does not say %q", value, err, want)
		}
	}
}

func TestConfigurationHasItsDefaultsAndNamesWhatDoesNotFit(t *testing.T) {
	var held Configured[everything]
	if held.Config().Port != 80 {
		t.Errorf("before the first configuration: %+v", held.Config())
	}
	if _, err := held.loadConfig([]byte(`{"name":"x","tags":[]}`)); err != nil {
		t.Fatal(err)
	}
	config := held.Config()
	if config.Name != "x" || config.Mode != "safe" || len(config.Tags) != 0 || config.Timeout != Duration(90e9) {
		t.Errorf("%+v", config)
	}
	for text, want := range map[string]string{
		`{"port":"web"}`:   "port",
		`{"prot":80}`:      "prot",
		`{"port":65536}`:   "port",
		`{"timeout":"1x"}`: "1x",
	} {
		if _, err := held.loadConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if held.Config() != config {
		t.Error("a configuration that does not fit replaced the one before")
	}
}

type reconfigured struct {
	named
	Configured[limits]
	refuse func() error
}

func (r *reconfigured) Reconfigure(ctx) error { return r.refuse() }

func TestARefusedConfigurationIsPutBack(t *testing.T) {
	plugin := &reconfigured{}
	r, err := register(plugin)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.initialize([]byte(`{"burst":1}`)); err != nil {
		t.Fatal(err)
	}
	for name, refuse := range map[string]func() error{
		"an error": func() error { return ErrNotOffered },
		"a panic":  func() error { panic("no") },
	} {
		plugin.refuse = refuse
		_, err := guarded(func() (int, error) { return 0, r.reconfigure([]byte(`{"burst":2}`)) })
		if err == nil || plugin.Config().Burst != 1 {
			t.Errorf("after %s: %v, %+v", name, err, plugin.Config())
		}
	}
	plugin.refuse = func() error { return nil }
	if err := r.reconfigure([]byte(`{"burst":3}`)); err != nil || plugin.Config().Burst != 3 {
		t.Errorf("%v, %+v", err, plugin.Config())
	}
}

func TestManifestNamesWhatTheTypeImplements(t *testing.T) {
	r, err := register(&reconfigured{})
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Hooks  []string        `json:"hooks"`
		Schema json.RawMessage `json:"config_schema"`
	}
	if err := json.Unmarshal(r.manifest, &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Hooks == nil || len(manifest.Hooks) != 0 || len(manifest.Schema) == 0 {
		t.Errorf("%s", r.manifest)
	}
	if _, err := register(reconfigured{}); err == nil || !strings.Contains(err.Error(), "&plugin{}") {
		t.Errorf("a value that embeds Configured: %v", err)
	}
}
