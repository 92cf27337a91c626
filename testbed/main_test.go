package testbed

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
	"virtscope/testbed/guest"
	"virtscope/testbed/relay"
)

const (
	modeVar       = "VIRTSCOPE_TESTBED_TEST_RUN"
	relayArgument = "frame-relay"
)

// TestMain also plays the frame relay, and a run that is killed: it brings up a testbed, starts a process that survives its
// parent, says so and waits.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == relayArgument {
		if err := relay.Serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	id := os.Getenv(modeVar)
	if id == "" {
		os.Exit(m.Run())
	}
	tb, err := Up(context.Background(), Config{
		RunID: id, Link: Link{Delay: time.Millisecond}, Emulator: EmulatorRelay, RelayCommand: relayCommand(),
	})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	// In a session of its own and without Pdeathsig, as what a hypervisor's helper leaves may be.
	sleep := exec.Command("sleep", "60")
	sleep.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := tb.Source().Do(sleep.Start); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	time.Sleep(time.Minute)
}

// relayCommand is this program as the frame relay.
func relayCommand() []string { return []string{os.Args[0], relayArgument} }

func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: makes network namespaces")
	}
}

func newRunID(t testing.TB) string {
	t.Helper()
	b := make([]byte, 4)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b)
}

const guestMAC = "52:54:00:12:34:56"

func fullConfig(t testing.TB) Config {
	return Config{
		RunID:         newRunID(t),
		Link:          Link{Rate: 125e6},
		MigrationLink: &Link{Rate: 125e5},
		GuestNIC:      guest.NIC{Tap: TapName, MAC: guestMAC, Address: GuestAddress},
	}
}

// bringUp brings up a testbed that is taken down with the test.
func bringUp(t testing.TB, cfg Config) *Testbed {
	t.Helper()
	needRoot(t)
	tb, err := Up(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tb.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return tb
}

// nothingLeft fails the test if a run left a name behind.
func nothingLeft(t testing.TB, runID string) {
	t.Helper()
	left, err := namespacesOf(runID)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("namespaces left: %v", left)
	}
	if _, err := os.Lstat(runtimeRoot + "/" + runID); err == nil {
		t.Errorf("runtime folder of %s left", runID)
	}
}
