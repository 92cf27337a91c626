package main

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Where one cannot be mounted, none stays: a half of them would be taken for all the next time.
func TestMountEach(t *testing.T) {
	list := []mounting{{what: "disk", where: "/r"}, {what: "proc", where: "/r/proc"}, {what: "tmpfs", where: "/r/tmp"}}
	for _, tt := range []struct{ refused, stuck, want, mounted string }{
		{"", "", "", "/r /r/proc /r/tmp"},
		{"/r", "", "mount disk on /r:", ""},
		{"/r/tmp", "", "mount tmpfs on /r/tmp:", ""},
		{"/r/tmp", "/r/proc", "unmount /r/proc:", "/r/proc"},
	} {
		var mounted []string
		mount := func(_, where, _ string, _ uintptr, _ string) error {
			if where == tt.refused {
				return syscall.ENOMEM
			}
			mounted = append(mounted, where)
			return nil
		}
		unmount := func(where string, _ int) error {
			if where == tt.stuck {
				return syscall.EBUSY
			}
			mounted = slices.DeleteFunc(mounted, func(m string) bool { return m == where })
			return nil
		}
		err := mountEach(list, mount, unmount)
		if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || !errors.Is(err, syscall.ENOMEM)) {
			t.Errorf("mountEach = %v, want %q", err, tt.want)
		}
		if got := strings.Join(mounted, " "); got != tt.mounted {
			t.Errorf("with %q refused there stay %q, want %q", tt.refused, got, tt.mounted)
		}
	}
}
