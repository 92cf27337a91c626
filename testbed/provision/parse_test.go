package provision

import (
	"encoding/binary"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// qemu-img 10.0.2 map --output=json of a cache.
const realMap = `[{ "start": 0, "length": 1048576, "depth": 0, "present": true, "zero": false, "data": true, "compressed": false, "offset": 393216},
{ "start": 1048576, "length": 1048576, "depth": 0, "present": false, "zero": true, "data": false, "compressed": false},
{ "start": 2097152, "length": 65536, "depth": 0, "present": true, "zero": false, "data": true, "compressed": false, "offset": 327680},
{ "start": 2162688, "length": 64946176, "depth": 0, "present": false, "zero": true, "data": false, "compressed": false}]`

func TestParseMap(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []Extent
		bad  bool
	}{
		"real":         {text: realMap, want: []Extent{{0, 1048576}, {2097152, 65536}}},
		"neighbours":   {text: `[{"start":0,"length":512,"data":true},{"start":512,"length":512,"data":true}]`, want: []Extent{{0, 1024}}},
		"empty":        {text: `[]`},
		"no data":      {text: `[{"start":0,"length":512,"data":false}]`},
		"lacks length": {text: `[{"start":0,"data":true}]`, bad: true},
		"out of order": {text: `[{"start":512,"length":512,"data":true},{"start":0,"length":512,"data":true}]`, bad: true},
		"overflow":     {text: `[{"start":9223372036854775807,"length":512,"data":true}]`, bad: true},
		"no JSON":      {text: `x`, bad: true},
	} {
		got, err := parseMap([]byte(test.text))
		if !reflect.DeepEqual(got, test.want) || (err != nil) != test.bad {
			t.Errorf("%s: %v, %v, want %v", name, got, err, test.want)
		}
	}
}

func FuzzParseMap(f *testing.F) {
	f.Add([]byte(realMap))
	f.Fuzz(func(t *testing.T, text []byte) {
		extents, err := parseMap(text)
		if err != nil {
			return
		}
		end := int64(-1) // neighbours are joined: between two is a gap
		for _, e := range extents {
			if e.Length <= 0 || e.Offset <= end {
				t.Fatalf("extents are %v", extents)
			}
			end = e.Offset + e.Length
		}
	})
}

func TestReadScript(t *testing.T) {
	got := readScript([]Extent{{0, 1<<20 + 512}, {4 << 20, 65536}})
	want := "aio_read -q 0 1048576\naio_read -q 1048576 512\naio_read -q 4194304 65536\naio_flush\n"
	if got != want {
		t.Errorf("the script is\n%s", got)
	}
	if got := readScript([]Extent{{0, 40 << 20}}); strings.Count(got, "aio_flush") != 3 {
		t.Errorf("40 reads wait %d times", strings.Count(got, "aio_flush"))
	}
}

func TestSetPrefetch(t *testing.T) {
	c := goodConfig(t, NBD)
	c.Prefetch = true
	c.Template.Size = 4096
	p, err := New(t.Context(), c)
	if err != nil {
		t.Skip("needs QEMU's tools:", err)
	}
	for _, bad := range []Extent{{-512, 512}, {0, 0}, {4096, 512}, {0, 8192}, {100, 512}, {0, 100}, {1 << 62, 1 << 62}} {
		if err := p.SetPrefetch([]Extent{bad}); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
	if err := p.SetPrefetch([]Extent{{0, 4096}}); err != nil {
		t.Error(err)
	}
}

// diagMessageOf is what the kernel sends of a connection.
func diagMessageOf(port uint16, cookie, sent, again uint64) []byte {
	b := make([]byte, diagMessage)
	b[0] = unix.AF_INET
	binary.BigEndian.PutUint16(b[4:], port)
	binary.NativeEndian.PutUint32(b[44:], uint32(cookie))
	binary.NativeEndian.PutUint32(b[48:], uint32(cookie>>32))
	const info = 240 // B of struct tcp_info
	attr := make([]byte, 4+info)
	binary.NativeEndian.PutUint16(attr, uint16(len(attr)))
	binary.NativeEndian.PutUint16(attr[2:], diagInfo)
	binary.NativeEndian.PutUint64(attr[4+200:], sent)  // tcpi_bytes_sent
	binary.NativeEndian.PutUint64(attr[4+208:], again) // tcpi_bytes_retrans
	return append(b, attr...)
}

func TestParseConnection(t *testing.T) {
	got, known, err := parseConnection(diagMessageOf(10810, 7<<32|9, 5000, 1000))
	if err != nil || !known || got != (connection{10810, 7<<32 | 9, 4000}) {
		t.Errorf("connection is %+v, %v, %v", got, known, err)
	}
	if _, known, err := parseConnection(diagMessageOf(1, 1, 1, 2)); err == nil || known {
		t.Error("more was sent again than was sent, and that was taken")
	}
	if _, known, err := parseConnection(diagMessageOf(1, 1, 1, 0)[:diagMessage]); err != nil || known {
		t.Errorf("without counters: %v, %v", known, err)
	}
	if _, _, err := parseConnection(make([]byte, 10)); err == nil {
		t.Error("10 B are taken")
	}
}

func FuzzParseEnd(f *testing.F) {
	m := diagMessageOf(10810, 1, 5000, 0)
	f.Add(append(binary.NativeEndian.AppendUint32(nil, uint32(len(m)+16)), append(make([]byte, 12), m...)...))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, known, err := parseEnd(b); err != nil && known {
			t.Fatalf("an error and %+v", c)
		}
	})
}

// A connection counts with the most that was said of it, however often, and others' do not.
func TestMeter(t *testing.T) {
	m := &meter{s: server{port: 10810}, sent: map[uint64]uint64{}}
	for _, c := range []connection{{10810, 1, 100}, {10810, 2, 50}, {10810, 1, 300}, {10810, 1, 200}, {10811, 3, 999}} {
		m.take(c)
	}
	if m.sum() != 350 {
		t.Errorf("the sum is %d B, want 350", m.sum())
	}
}
