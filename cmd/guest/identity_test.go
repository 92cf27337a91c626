package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"virtscope/testbed/guest/agent"
)

func TestCheckIdentity(t *testing.T) {
	good := agent.Identity{Name: "g1", Address: "10.77.0.10/24", MAC: "52:54:00:12:34:56", MachineID: strings.Repeat("0a", 16)}
	for _, id := range []agent.Identity{good, {}, {Name: strings.Repeat("x", 64)}} {
		if err := checkIdentity(&id); err != nil {
			t.Errorf("checkIdentity(%+v) = %v", id, err)
		}
	}
	for want, change := range map[string]func(*agent.Identity){
		"name":       func(id *agent.Identity) { id.Name = strings.Repeat("x", 65) },
		"address":    func(id *agent.Identity) { id.Address = "fe80::1/64" },
		"address ":   func(id *agent.Identity) { id.Address = "10.0.0.1" },
		"MAC":        func(id *agent.Identity) { id.MAC = "01:00:5e:00:00:01" },
		"MAC ":       func(id *agent.Identity) { id.MAC = "02:00:5e:10:00:00:00:01" },
		"machine ID": func(id *agent.Identity) { id.MachineID = strings.Repeat("A", 32) },
	} {
		id := good
		change(&id)
		if err := checkIdentity(&id); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("checkIdentity(%+v) = %v, want a complaint about the %s", id, err, want)
		}
	}
}

func TestMachineID(t *testing.T) {
	file := filepath.Join(t.TempDir(), "machine-id")
	if id, err := readMachineID(file); id != "" || err != nil {
		t.Errorf("without a file the ID is %q, %v", id, err)
	}
	if err := setMachineID(file, "x"); err != nil {
		t.Errorf("set without a file = %v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file was made where there was none")
	}
	if err := os.WriteFile(file, []byte("uninitialized\n"), 0o444); err != nil {
		t.Fatal(err)
	}
	if id, err := readMachineID(file); id != "" || err != nil {
		t.Errorf("an uninitialized ID is %q, %v", id, err)
	}
	want := strings.Repeat("0f", 16)
	if err := setMachineID(file, want); err != nil {
		t.Fatal(err)
	}
	if id, err := readMachineID(file); id != want || err != nil {
		t.Errorf("ID is %q, %v, want %q", id, err, want)
	}
	if err := forgetMachineID(file); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(file); len(data) != 0 || err != nil {
		t.Errorf("forgotten, the file holds %q, %v", data, err)
	}
}

func TestAnnouncement(t *testing.T) {
	got := announcement(net.HardwareAddr{0x52, 0x54, 0, 1, 2, 3}, [4]byte{10, 77, 0, 9})
	want := "\xff\xff\xff\xff\xff\xff\x52\x54\x00\x01\x02\x03\x08\x06" + // Ethernet
		"\x00\x01\x08\x00\x06\x04\x00\x01" + // a request for IPv4 over Ethernet
		"\x52\x54\x00\x01\x02\x03\x0a\x4d\x00\x09" + "\x00\x00\x00\x00\x00\x00\x0a\x4d\x00\x09"
	if string(got) != want {
		t.Errorf("announcement is % x", got)
	}
}
