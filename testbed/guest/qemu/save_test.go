package qemu

import (
	"errors"
	"testing"
	"virtscope/testbed/guest"
)

func TestSaveIsRefusedByName(t *testing.T) {
	stream := guest.SaveOptions{Format: guest.FormatStream, Stream: "unix:/s"}
	for _, c := range []struct {
		name   string
		change func(*guest.SaveOptions)
		ok     bool
		never  bool // it is not supported, whoever asks
	}{
		{"stream", func(*guest.SaveOptions) {}, true, false},
		{"live", func(o *guest.SaveOptions) { o.Live = true }, true, false},
		{"over tcp", func(o *guest.SaveOptions) { o.Stream = "tcp:10.0.0.1:4000" }, true, false},
		{"by a program", func(o *guest.SaveOptions) { o.Stream = "exec:cat" }, false, false},
		{"no format", func(o *guest.SaveOptions) { o.Format = "" }, false, true},
		{"mapped without a file", func(o *guest.SaveOptions) { o.Format = guest.FormatMappedRAM }, false, false},
		{"memory file without a state", func(o *guest.SaveOptions) { o.Format, o.Memory = guest.FormatMemoryFile, "/m" }, false, false},
		{"live mapped", func(o *guest.SaveOptions) { o.Format, o.Memory, o.Live = guest.FormatMappedRAM, "/m", true }, false, true},
		{"live, and stopped", func(o *guest.SaveOptions) { o.Live, o.StayStopped = true, true }, false, false},
		{"a disk that is not there", func(o *guest.SaveOptions) { o.Disk = "/d" }, false, false},
		{"an increment of nothing", func(o *guest.SaveOptions) { o.Incremental = true }, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := stream
			c.change(&o)
			err := refuseSave(testSpec(), o)
			if (err == nil) != c.ok {
				t.Fatalf("error %v", err)
			}
			var missing *guest.NotSupportedError
			if errors.As(err, &missing) != c.never {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestSaveSettings(t *testing.T) {
	for _, c := range []struct {
		options guest.SaveOptions
		want    string
	}{
		{guest.SaveOptions{Format: guest.FormatStream}, ""},
		{guest.SaveOptions{Format: guest.FormatStream, Live: true}, "background-snapshot"},
		{guest.SaveOptions{Format: guest.FormatMappedRAM}, "mapped-ram"},
		{guest.SaveOptions{Format: guest.FormatMemoryFile}, "x-ignore-shared"},
	} {
		got := saveSettings(c.options)
		for name, on := range got.capabilities {
			if on != (name == c.want || name == "events") {
				t.Errorf("%+v: %s is %v", c.options, name, on)
			}
		}
		if c.want != "" && !got.capabilities[c.want] {
			t.Errorf("%+v: %s is not set", c.options, c.want)
		}
		if got.parameters["max-bandwidth"] != int64(0) {
			t.Errorf("%+v: the bandwidth is limited: %v", c.options, got.parameters)
		}
	}
}

func TestRestoreIsRefusedByName(t *testing.T) {
	for _, c := range []struct {
		name    string
		options guest.RestoreOptions
		ok      bool
	}{
		{"stream", guest.RestoreOptions{Format: guest.FormatStream, Stream: "unix:/s"}, true},
		{"stream over tcp", guest.RestoreOptions{Format: guest.FormatStream, Stream: "tcp:1.2.3.4:5"}, false},
		{"mapped", guest.RestoreOptions{Format: guest.FormatMappedRAM, Memory: "/m"}, true},
		{"mapped without a file", guest.RestoreOptions{Format: guest.FormatMappedRAM}, false},
		{"mapped on demand", guest.RestoreOptions{Format: guest.FormatMappedRAM, Memory: "/m", OnDemand: true}, false},
		{"memory file on demand", guest.RestoreOptions{Format: guest.FormatMemoryFile, Memory: "/m", State: "/s", OnDemand: true}, true},
		{"memory file without a state", guest.RestoreOptions{Format: guest.FormatMemoryFile, Memory: "/m"}, false},
		{"no format", guest.RestoreOptions{}, false},
	} {
		if err := refuseRestore(c.options); (err == nil) != c.ok {
			t.Errorf("%s: error %v", c.name, err)
		}
	}
}
