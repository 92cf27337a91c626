//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"virtscope/analysis/metric"
	"virtscope/analysis/start"
	"virtscope/analysis/timeline"
	"virtscope/results"
	"virtscope/testbed/image"
)

// A Debian whose disk is an overlay of the host's own template, is fetched on demand, and is fetched through another host's cache,
// with what a first boot touches fetched ahead.
const threeProvisions = `virtscope: 1
name: provisions
testbed: {hosts: 2, link: {rate: 1Gbit/s}}
guest: {image: debian, memory: 512MiB}
provision: {fanout: 1}
action: {boot: {hosts: 2, ready: ssh, timeout: 6m}}
factors:
  provision.method: [overlay, nbd, tree]
  provision.prefetch: [false, true]
  action.boot.guests: [1, 2]
exclude:
  - {provision.method: [overlay, nbd], provision.prefetch: true}
  - {provision.method: tree, provision.prefetch: false}
  - {provision.method: [overlay, nbd], action.boot.guests: 2}
  - {provision.method: tree, action.boot.guests: 1}
replicates: 1
warmup: 100ms
baseline: 200ms
quiesce: 500ms
retries: 3
timeout: 15m
`

// TestProvision boots Debian guests from disks that come in three ways, and holds what image servers say against the wire.
func TestProvision(t *testing.T) {
	r := runs(t, experiment(t, threeProvisions))
	for _, p := range r.Plan {
		t.Run(p.Treatment, func(t *testing.T) {
			tl := accounted(t, r, p)
			guests := float64(len(tl.Deployment.Starts))
			if level(p, "boot.guests") != strconv.FormatFloat(guests, 'g', -1, 64) {
				t.Errorf("%g starts", guests)
			}
			is(t, tl, metric.DeployGuests, guests)
			is(t, tl, metric.DeployFailed, 0)
			is(t, tl, metric.IdentityChecked, guests)
			is(t, tl, metric.IdentityConflict, 0)
			known(t, tl, metric.ImageFetched, metric.DeployProvision, metric.DeployBytes)
			for i := range tl.Deployment.Starts {
				s := &tl.Deployment.Starts[i]
				wholeStart(t, s, start.Cold)
				bySystemd(t, s)
			}
			onTheWire(t, level(p, "provision.method"), tl)
		})
	}
}

// bySystemd wants the stages and the units of a guest's start.
func bySystemd(t *testing.T, s *start.Start) {
	t.Helper()
	if len(s.Stages) == 0 || !slices.ContainsFunc(s.Stages, func(st start.Stage) bool { return st.Name == "userspace" && st.Time > 0 }) {
		t.Errorf("%s: the stages of its start are %+v", s.Guest, s.Stages)
	}
	for _, name := range []string{"basic.target", "multi-user.target"} {
		if !slices.ContainsFunc(s.Units, func(u start.Unit) bool { return u.Name == name && u.Active > 0 }) {
			t.Errorf("%s: nothing of %s among %d units", s.Guest, name, len(s.Units))
		}
	}
}

// onTheWire holds the bytes that image servers sent against the frames that the switch carried, and against what guests read.
func onTheWire(t *testing.T, method string, tl *timeline.Timeline) {
	t.Helper()
	if method == "overlay" {
		if m := tl.Metric(metric.ImageWire); m.Known {
			t.Errorf("the template lies on the host, and images took %+v of the wire", m)
		}
		return
	}
	known(t, tl, metric.ImageWire, metric.ImageServed)
	var served, read float64
	for _, s := range tl.Deployment.Served {
		served += s.Bytes
	}
	for _, f := range tl.Deployment.Fetched {
		read += f.Bytes
	}
	wire := tl.Metric(metric.ImageWire).Value
	store := tl.Metric(metric.ImageServed).Value
	if method == "nbd" {
		// All that is served passes the wire, with the headers of TCP and NBD; a read may still be under way at the action's end.
		if wire < 0.95*served || wire > 1.1*served {
			t.Errorf("the image server sent %.0f B, and the wire carried %.0f B", served, wire)
		}
		if served > 1.1*read || served < 0.85*read {
			t.Errorf("the image server sent %.0f B, and guests read %.0f B", served, read)
		}
		return
	}
	known(t, tl, metric.ImagePrefetched)
	if len(tl.Deployment.Served) < 2 {
		t.Errorf("one of the hosts should serve the other: %+v", tl.Deployment.Served)
	}
	// What a host serves itself does not pass the switch.
	if wire > 1.1*served {
		t.Errorf("image servers sent %.0f B (the store %.0f B), and the wire carried %.0f B", served, store, wire)
	}
}

// A Debian that its own loader boots: virtscope's, with its agent; and one of a user's, without it, which finds its seed.
const byFirmware = `virtscope: 1
name: firmware
guest: {memory: 512MiB, boot: firmware}
provision: {method: overlay}
action: {boot: {guests: 1, ready: ssh, timeout: 8m}}
replicates: 1
warmup: 100ms
baseline: 200ms
quiesce: 500ms
retries: 1
timeout: 12m
`

// TestFirmware boots a Debian by the BIOS and, with VIRTSCOPE_SLOW=1, by UEFI.
func TestFirmware(t *testing.T) {
	ways := "bios"
	if os.Getenv("VIRTSCOPE_SLOW") != "" {
		ways += ", uefi"
	}
	dir := experiment(t, strings.Replace(byFirmware, "boot: firmware", "boot: firmware, image: debian", 1)+"factors: {guest.firmware: ["+ways+"]}\n")
	r := runs(t, dir)
	for _, p := range r.Plan {
		t.Run(p.Treatment, func(t *testing.T) {
			tl := accounted(t, r, p)
			s := tl.Deployment.Starts[0]
			if s.Ready == nil || s.By != "ssh" {
				t.Fatalf("not ready by ssh: %+v", s)
			}
			if m := tl.Metric(metric.BootTotal); !m.Known || m.Censored {
				t.Errorf("from spawn to ready: %+v", m)
			}
			// Nobody tells a kernel that a loader starts to speak early: its first line may be none that is known as the kernel's.
			if e := seen(&s, "kernel"); e != nil && e.Source != results.SourceConsole {
				t.Errorf("the kernel's first byte is %+v", e)
			}
			is(t, tl, metric.IdentityChecked, 1)
			bySystemd(t, &s)
		})
	}
}

// TestOwnImage boots an image of a user's, which cloud-init tells who it is, and times it until ssh answers. It is asked for by
// VIRTSCOPE_SLOW=1, as make soak does: without hardware virtualization cloud-init takes minutes.
func TestOwnImage(t *testing.T) {
	if os.Getenv("VIRTSCOPE_SLOW") == "" {
		t.Skip("cloud-init takes minutes without hardware virtualization: make soak runs this, or VIRTSCOPE_SLOW=1")
	}
	cache := filepath.Join(homeCache, "virtscope", "roots")
	d, err := image.BuildDebian(t.Context(), image.DebianOptions{CloudInit: true, Loader: true, Format: image.QCOW2, CacheDir: cache})
	if err != nil {
		t.Fatal(err)
	}
	dir := experiment(t, strings.Replace(byFirmware, "boot: firmware", "boot: firmware, firmware: bios, image: '"+d.Disk+"'", 1))
	r := runs(t, dir)
	tl := accounted(t, r, r.Plan[0])
	s := tl.Deployment.Starts[0]
	if s.Ready == nil || s.By != "ssh" {
		t.Fatalf("not ready by ssh: %+v", s)
	}
	known(t, tl, metric.BootTotal, metric.DeployProvision)
	// Nobody in it told anything: what only an agent knows is not known, with the reason.
	for _, m := range s.Missing {
		if m.Why == "" {
			t.Errorf("%s is missing without a reason", m.Name)
		}
	}
	if m := tl.Metric(metric.IdentityChecked); m.Known {
		t.Errorf("there is no agent that could have been asked, and %s is %+v", metric.IdentityChecked, m)
	}
}
