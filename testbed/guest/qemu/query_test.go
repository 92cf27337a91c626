package qemu

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"virtscope/results"

	"github.com/digitalocean/go-qemu/qmp"
)

// QMP transcripts of real migrations, kept by virtscope itself; those that are no pre-copy without most of their polls.
const (
	recordings    = "testdata/*-src.log"
	plainPreCopy  = "testdata/precopy-*-src.log"
	notInPreCopy  = "xbzrle-cache compression cpu-throttle-percentage"
	onlyInFailure = "error-desc"
)

// messages reads what QEMU said, by the command that it answers ("" for events).
func messages(t *testing.T, path string) map[string][]json.RawMessage {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	asked := map[string]string{}
	said := map[string][]json.RawMessage{}
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		fields := strings.SplitN(s.Text(), " ", 3)
		var m struct {
			ID, Execute, Event string
			Return             json.RawMessage
		}
		if err := json.Unmarshal([]byte(fields[2]), &m); err != nil {
			t.Fatal(err)
		}
		switch {
		case fields[1] == "->":
			asked[m.ID] = m.Execute
		case m.Event != "":
			said[""] = append(said[""], json.RawMessage(fields[2]))
		case m.ID != "":
			said[asked[m.ID]] = append(said[asked[m.ID]], m.Return)
		}
	}
	return said
}

func recorded(t *testing.T, pattern string) map[string]map[string][]json.RawMessage {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) < 2 {
		t.Fatalf("recordings %v, %v: want QEMU 7.2 and 10", paths, err)
	}
	all := map[string]map[string][]json.RawMessage{}
	for _, p := range paths {
		all[filepath.Base(p)] = messages(t, p)
	}
	return all
}

// keys collects the JSON keys of v and of what is in it, with a dotted path.
func keys(prefix string, v any, into map[string]bool) {
	object, ok := v.(map[string]any)
	if !ok {
		return
	}
	for k, child := range object {
		into[prefix+k] = true
		keys(prefix+k+".", child, into)
	}
}

// tags collects the JSON keys that a type maps.
func tags(prefix string, typ reflect.Type, into map[string]bool) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		into[prefix+name] = true
		if elem := f.Type.Elem(); elem.Kind() == reflect.Struct {
			tags(prefix+name+".", elem, into)
		}
	}
}

// A mapped key that no QEMU ever says would read as unknown for ever. Each must occur in every recording, or, where QEMU says it
// of some migrations alone, in one.
func TestEveryMappedKeyOccurs(t *testing.T) {
	mapped := map[string]bool{}
	tags("", reflect.TypeFor[MigrationInfo](), mapped)
	delete(mapped, onlyInFailure)
	anywhere := map[string]bool{}
	for name, said := range recorded(t, recordings) {
		if strings.HasPrefix(name, "disk-") { // they hold what concerns the disk alone
			continue
		}
		occurs := map[string]bool{}
		for _, raw := range said["query-migrate"] {
			var v any
			if err := json.Unmarshal(raw, &v); err != nil {
				t.Fatal(err)
			}
			keys("", v, occurs)
		}
		maps.Copy(anywhere, occurs)
		for key := range mapped {
			group, _, _ := strings.Cut(key, ".")
			if !occurs[key] && !strings.Contains(notInPreCopy, group) {
				t.Errorf("%s: %q occurs in no reply", name, key)
			}
		}
	}
	for key := range mapped {
		if !anywhere[key] {
			t.Errorf("%q occurs in no recording", key)
		}
	}
}

// What a kind of migration alone does is recorded of it, from real replies.
func TestRecordedCounters(t *testing.T) {
	for _, c := range []struct {
		file, name string
		least      float64
	}{
		{"xbzrle-10.0.2", results.MigrationXBZRLEMisses, 1},
		{"xbzrle-10.0.2", results.MigrationXBZRLEOverflow, 1},
		{"auto-converge-10.0.2", results.MigrationThrottle, 0.5},
		{"multifd-10.0.2", results.MigrationMultifdBytes, 50e6},
		{"postcopy-10.0.2", results.MigrationPostcopyBytes, 10e6},
		{"postcopy-7.2.22", results.MigrationPostcopyBytes, 10e6},
		{"compress-7.2.22", results.MigrationCompressRate, 1.1},
		{"precopy-10.0.2", results.MigrationPrecopyBytes, 50e6},
		{"precopy-10.0.2", results.MigrationDowntimeBytes, 1},
	} {
		most := -1.0
		rec := results.RecorderFunc(func(r results.Record) {
			if r.Name == c.name {
				most = max(most, r.Value)
			}
		})
		for _, raw := range messages(t, "testdata/"+c.file+"-src.log")["query-migrate"] {
			var info MigrationInfo
			if err := json.Unmarshal(raw, &info); err != nil {
				t.Fatal(err)
			}
			recordInfo(rec, "src", info, time.Unix(1, 0), triggerPoll, 0)
		}
		if most < c.least || (c.name == results.MigrationThrottle && most > 1) {
			t.Errorf("%s: %s is %g", c.file, c.name, most)
		}
	}
}

func TestFailedReplySaysWhy(t *testing.T) {
	raw, err := os.ReadFile("testdata/query-migrate-failed.json")
	if err != nil {
		t.Fatal(err)
	}
	var info MigrationInfo
	if err := json.Unmarshal(raw, &info); err != nil || info.ErrorDesc == nil || *info.Status != "failed" {
		t.Errorf("got %+v, %v", info, err)
	}
	if info.Downtime != nil {
		t.Error("a failed migration has a downtime")
	}
}

func TestRecordedMigrationGivesRecords(t *testing.T) {
	for name, said := range recorded(t, plainPreCopy) {
		var got []results.Record
		rec := results.RecorderFunc(func(r results.Record) { got = append(got, r) })
		for _, raw := range said[""] {
			var e qmp.Event
			if err := json.Unmarshal(raw, &e); err != nil {
				t.Fatal(err)
			}
			if r, ok := eventRecord("src", e); ok {
				rec.Record(r)
			}
		}
		for _, raw := range said["query-migrate"] {
			var info MigrationInfo
			if err := json.Unmarshal(raw, &info); err != nil {
				t.Fatal(err)
			}
			trigger := triggerPoll
			if *info.Status == "completed" {
				trigger = triggerFinal
			}
			recordInfo(rec, "src", info, time.Unix(1, 0), trigger, 0)
		}
		count := map[string]int{}
		last := map[string]float64{}
		for _, r := range got {
			count[r.Name]++
			last[r.Name] = r.Value
		}
		if count[results.VMStop] != 1 || count[results.PreCopyRound] < 3 {
			t.Errorf("%s: %d stops, %d rounds", name, count[results.VMStop], count[results.PreCopyRound])
		}
		if last[results.MigrationRemaining] != 0 || last[results.MigrationTransferred] < 100e6 {
			t.Errorf("%s: remaining %g, transferred %g", name, last[results.MigrationRemaining], last[results.MigrationTransferred])
		}
		if d := last[results.ReportedDowntime]; d < 0.001 || d > 1 {
			t.Errorf("%s: downtime %g s", name, d)
		}
	}
}

// What QEMU does not say is not recorded: absent is not zero.
func TestAbsentIsNotZero(t *testing.T) {
	var info MigrationInfo
	if err := json.Unmarshal([]byte(`{"status": "setup", "ram": {"transferred": 0}}`), &info); err != nil {
		t.Fatal(err)
	}
	var names []string
	rec := results.RecorderFunc(func(r results.Record) { names = append(names, r.Name) })
	recordInfo(rec, "src", info, time.Unix(1, 0), triggerFinal, 0)
	if len(names) != 1 || names[0] != results.MigrationTransferred {
		t.Errorf("recorded %v", names)
	}
}
