package qemu

import (
	"slices"
	"testing"
)

const smallSchema = `[
 {"name": "migrate", "meta-type": "command", "arg-type": "1", "ret-type": "0"},
 {"name": "1", "meta-type": "object", "members": [{"name": "uri", "type": "str"}, {"name": "channels", "type": "[2]", "default": null}]},
 {"name": "[2]", "meta-type": "array", "element-type": "2"},
 {"name": "2", "meta-type": "object", "members": [{"name": "addr", "type": "3"}]},
 {"name": "3", "meta-type": "object", "tag": "transport", "members": [{"name": "transport", "type": "4"}]},
 {"name": "4", "meta-type": "enum", "values": ["socket", "file"]},
 {"name": "migrate-set-parameters", "meta-type": "command", "arg-type": "5"},
 {"name": "5", "meta-type": "object", "members": [{"name": "self", "type": "5"}, {"name": "lost", "type": "6"}]}
]`

func TestSchema(t *testing.T) {
	s, err := parseSchema([]byte(smallSchema))
	if err != nil {
		t.Fatal(err)
	}
	d := &dialect{schema: s, parameters: map[string]any{"shown": 1.0}}
	if got := d.transports(); !slices.Equal(got, []string{"socket", "file"}) {
		t.Errorf("transports %q", got)
	}
	for name, want := range map[string]bool{"self": true, "lost": false, "other": false, "shown": true} {
		if _, ok := d.parameter(name); ok != want {
			t.Errorf("parameter %s: %t", name, ok)
		}
	}
	if got := (&dialect{}).transports(); len(got) != 0 {
		t.Errorf("no schema has transports %q", got)
	}
}

func FuzzSchema(f *testing.F) {
	f.Add([]byte(smallSchema))
	f.Add([]byte(`[{"name": "migrate", "arg-type": "migrate", "members": [{"name": "channels", "type": "migrate"}]}]`))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		s, err := parseSchema(raw)
		if err != nil {
			return
		}
		d := &dialect{schema: s}
		d.transports()
		d.parameter("self")
	})
}
