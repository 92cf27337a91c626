package streamtest

import "virtscope/results"

const ms = int64(1e6)

func opening(stream string) *Tape {
	t := &Tape{Host: "switch", Stream: stream}
	t.Add(0, results.WireMigration, 0, results.Event, "format", "qemu", "start", "header", "version", "3", "machine", "pc-q35-10.0",
		"client", "10.9.0.1:44102", "server", "10.9.0.2:4444")
	t.Stage(0, results.StageSetup)
	t.Add(2*ms, results.WireBlock, 256<<20, results.Bytes, "block", "pc.ram")
	t.Add(2*ms, results.WireBlock, 128<<10, results.Bytes, "block", "pc.bios")
	t.Stage(14*ms, results.StagePreCopy)
	return t
}

func (t *Tape) devices(at int64) {
	for _, d := range []struct {
		name string
		size float64
	}{{"cpu", 13201}, {"0000:00:03.0/virtio-net", 1822}, {"apic", 212}, {"timer", 60}} {
		t.Add(at, results.WireDevice, d.size, results.Bytes, "device", d.name, "instance", "0")
	}
}

// PreCopy is a capture of a migration in three rounds and a stop of 80 ms, with its guest.
func PreCopy() []results.Record {
	t := opening("1")
	t.Round(14*ms, 900*ms, 1, "start", 12000, 53500, 65500, 0)
	t.Round(900*ms, 1200*ms, 2, "again", 4000, 12, 4012, 4000, Between(893*ms, 900*ms)...)
	t.Round(1200*ms, 1300*ms, 3, "again", 1300, 0, 1300, 1300, Between(1196*ms, 1200*ms)...)
	t.Stage(1300*ms, results.StageStopCopy, Between(1296*ms, 1300*ms)...)
	t.Round(1300*ms, 1340*ms, 4, "final", 400, 1, 401, 400, Between(1296*ms, 1300*ms)...)
	t.Stage(1340*ms, results.StageDeviceState)
	t.devices(1345 * ms)
	t.Stage(1350*ms, results.StageSwitchOver)
	t.Stage(1376*ms, results.StageRunning, append([]string{"from", "rarp"}, Between(1350*ms, 1376*ms)...)...)
	t.Stage(1380*ms, results.StageDone)
	t.Add(1380*ms, results.WireMigrationEnd, 0, results.Event, "how", "complete")
	const whole = 12000 + 4000 + 1300 + 400
	t.Add(1380*ms, results.WirePages, whole, results.One, "kind", results.PageNormal)
	t.Add(1380*ms, results.WirePages, 53513, results.One, "kind", results.PageZero)
	t.Add(1380*ms, results.WirePageBytes, whole*4105, results.Bytes, "kind", results.PageNormal)
	t.Add(1380*ms, results.WirePageBytes, 53513*10, results.Bytes, "kind", results.PageZero)
	t.Add(1380*ms, results.WireSyncs, 5, results.One, "atleast", "true")
	t.Channel(1380*ms, "main", whole*4105+53513*10+16000, 96)
	t.Flow(14*ms, 600*ms, 60<<20)
	t.Flow(600*ms, 900*ms, 52<<20)
	t.Flow(900*ms, 1350*ms, 56<<20)
	return append(t.Records, guest()...)
}

// guest is the frames of a guest that moved while it was silent for 105 ms.
func guest() []results.Record {
	t := &Tape{Host: "switch"}
	mac := []string{"mac", "52:54:00:9a:00:01"}
	add := func(at int64, name string, v float64, u results.Unit, attrs ...string) {
		t.Add(at, name, v, u, append(attrs, mac...)...)
	}
	add(1376*ms, results.WireGuest, 0, results.Event, "how", "announced")
	add(1299*ms, results.WireGuestLast, 0, results.Event, "port", "src")
	add(1404*ms, results.WireGuestFirst, 0, results.Event, "port", "dst")
	add(1376*ms, results.WireGuestAnnounce, 0, results.Event, "kind", "rarp", "port", "dst")
	add(1401*ms, results.WireGuestAnnounce, 0, results.Event, "kind", "garp", "port", "dst")
	add(1299*ms, results.WireGuestSilence, 0.105, results.Seconds, "port", "src", "next", "dst")
	add(400*ms, results.WireGuestSilence, 0.0045, results.Seconds, "port", "src", "next", "src")
	add(1700*ms, results.WireGuestSilence, 0.0031, results.Seconds, "port", "dst", "next", "dst")
	add(1390*ms, results.WireGuestStale, 0.014, results.Seconds, "port", "src", "frames", "7")
	return t.Records
}

// PostCopy is a capture of a migration that goes into post-copy after a round.
func PostCopy() []results.Record {
	t := opening("1")
	t.Add(14*ms, results.WireMigration, 0, results.Event, "postcopy", "true")
	t.Round(14*ms, 500*ms, 1, "start", 8000, 30000, 38000, 0)
	t.Stage(500*ms, results.StageStopCopy, Between(498*ms, 500*ms)...)
	t.Round(500*ms, 1800*ms, 2, "postcopy", 9000, 20000, 29000, 1200)
	t.Stage(501*ms, results.StageDeviceState)
	t.devices(503 * ms)
	t.Stage(505*ms, results.StagePostCopy)
	t.Stage(530*ms, results.StageRunning, append([]string{"from", "page request"}, Between(505*ms, 530*ms)...)...)
	t.Stage(1800*ms, results.StageDone)
	t.Add(1800*ms, results.WireMigrationEnd, 0, results.Event, "how", "complete")
	t.Add(1800*ms, results.WirePages, 17000, results.One, "kind", results.PageNormal)
	t.Add(1800*ms, results.WirePages, 50000, results.One, "kind", results.PageZero)
	t.Add(1800*ms, results.WirePageRequests, 420, results.One)
	t.Add(1800*ms, results.WirePageRequests, 400, results.One, "answer", "sent")
	t.Add(1800*ms, results.WirePageRequests, 20, results.One, "answer", "crossed")
	t.Add(1800*ms, results.WirePageFault, 400, results.One, "stat", "count")
	for stat, v := range map[string]float64{"min": 0.0002, "p50": 0.0011, "p90": 0.004, "p99": 0.021, "max": 0.0432, "mean": 0.0018} {
		t.Add(1800*ms, results.WirePageFault, v, results.Seconds, "stat", stat)
	}
	t.Channel(1800*ms, "main", 70e6, 9000)
	t.Channel(1800*ms, "preempt", 1.7e6, 0)
	t.Flow(14*ms, 500*ms, 70<<20)
	t.Flow(505*ms, 1800*ms, 28<<20)
	return t.Records
}

// Damaged is a capture that began late, lost packets, and ended early; with a storage mirror.
func Damaged() []results.Record {
	t := &Tape{Host: "switch", Stream: "1"}
	t.Add(0, results.WireMigration, 0, results.Event, "format", "qemu", "start", "middle", "client", "10.9.0.1:44102", "server", "10.9.0.2:4444")
	t.Stage(0, results.StagePreCopy)
	t.Add(0, results.WireRound, 1, results.Event, "how", "start")
	t.Add(600*ms, results.WireRound, 2, results.Event, append([]string{"how", "again"}, Between(580*ms, 600*ms)...)...)
	at := []string{"atleast", "true", "round", "1"}
	t.Add(600*ms, results.WireRoundBytes, 30e6, results.Bytes, at...)
	t.Add(600*ms, results.WireRoundPages, 7000, results.One, append(at, "kind", results.PageNormal)...)
	t.Add(600*ms, results.WireRoundPages, 90, results.One, append(at, "kind", results.PageUnknown)...)
	t.Add(600*ms, results.WireRoundSpan, 7000, results.One, at...)
	t.Add(600*ms, results.WireRoundResent, 0, results.One, at...)
	t.Add(300*ms, results.WireDamage, 0, results.Event, "channel", "main", "dir", "forward", "offset", "15000000", "packet", "4211", "detail", "393216 B are missing")
	t.Add(301*ms, results.WireResync, 0, results.Event, "channel", "main", "dir", "forward", "offset", "15395000", "packet", "4212", "skipped", "1784")
	t.Add(900*ms, results.WirePages, 11000, results.One, "kind", results.PageNormal, "atleast", "true")
	t.Add(900*ms, results.WirePages, 90, results.One, "kind", results.PageUnknown, "atleast", "true")
	t.Add(900*ms, results.WirePageBytes, 11000*4104, results.Bytes, "kind", results.PageNormal, "atleast", "true")
	t.Add(900*ms, results.WireChannelBytes, 46e6, results.Bytes, "channel", "main", "dir", "forward")
	t.Add(900*ms, results.WireChannelMissing, 393216, results.Bytes, "channel", "main", "dir", "forward")
	t.Add(900*ms, results.WireMigrationEnd, 0, results.Event, "how", "cut")
	return append(t.Records, mirror()...)
}

// mirror is a storage mirror that ended after the capture's last page.
func mirror() []results.Record {
	t := &Tape{Host: "switch", Stream: "2"}
	add := func(name string, v float64, u results.Unit, attrs ...string) {
		t.Add(900*ms, name, v, u, append([]string{"export", "drive0"}, attrs...)...)
	}
	t.Add(-50*ms, results.WireMirror, 0, results.Event, "export", "drive0", "start", "header", "client", "10.9.0.1:38112", "server", "10.9.0.2:10809", "how", "disconnect")
	t.Add(-50*ms, results.WireMirrorSize, 1<<30, results.Bytes, "export", "drive0", "minimum", "1", "preferred", "4096", "maximum", "33554432")
	t.Add(-40*ms, results.WireMirrorFirst, 0, results.Event, "export", "drive0")
	t.Add(870*ms, results.WireMirrorLast, 0, results.Event, "export", "drive0")
	add(results.WireMirrorWrites, 812, results.One, "command", "write")
	add(results.WireMirrorBytes, 812*65536, results.Bytes, "command", "write")
	add(results.WireMirrorWrites, 14, results.One, "command", "write-zeroes")
	add(results.WireMirrorBytes, 14<<20, results.Bytes, "command", "write-zeroes")
	add(results.WireMirrorDistinct, 48<<20, results.Bytes)
	add(results.WireMirrorAgain, 17<<20, results.Bytes)
	add(results.WireMirrorAgain, 3<<20, results.Bytes, "after", "write")
	add(results.WireMirrorOther, 3, results.One, "command", "flush")
	add(results.WireMirrorErrors, 1, results.One, "command", "write", "error", "ENOSPC")
	add(results.WireMirrorLatency, 811, results.One, "command", "write", "stat", "count")
	add(results.WireMirrorLatency, 0.0013, results.Seconds, "command", "write", "stat", "p50")
	t.Channel(900*ms, "nbd", 54e6, 14000)
	return t.Records
}

// Encrypted is a capture of a migration over TLS: everything is inferred.
func Encrypted() []results.Record {
	t := &Tape{Host: "switch", Stream: "1"}
	t.Add(0, results.WireMigration, 0, results.Event, "format", "tls", "start", "header", "client", "10.9.0.1:44102", "server", "10.9.0.2:4444", "inferred", "true")
	guess := func(at, earliest, latest int64, stage string) {
		t.Stage(at, stage, append(Between(earliest, latest), "inferred", "true")...)
	}
	guess(20*ms, 0, 40*ms, results.StagePreCopy)
	guess(1300*ms, 1180*ms, 1340*ms, results.StageStopCopy)
	guess(1376*ms, 1340*ms, 1376*ms, results.StageRunning)
	t.Stage(1380*ms, results.StageDone)
	t.Add(1380*ms, results.WireMigrationEnd, 0, results.Event, "how", "fin")
	t.Channel(1380*ms, "main", 74e6, 3000)
	t.Flow(14*ms, 1340*ms, 53<<20)
	return t.Records
}
