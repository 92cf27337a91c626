package testbed

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
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

// TestMain also plays the frame relay, and a run that is killed: it brings up a testbed, starts processes that survive
// their parent, says so, with the PID of its frame relay, and waits.
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
	err = errors.Join(stubbornRelay(tb, sleep), tb.Source().Do(sleep.Start))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready", tb.relay.PID())
	time.Sleep(time.Minute)
}

// stubbornRelay starts a frame relay on the source that nothing ends: neither the end of this process nor that of its
// input, which another holds open.
func stubbornRelay(tb *Testbed, holder *exec.Cmd) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	holder.ExtraFiles = []*os.File{w}
	command := relayCommand()
	stubborn := exec.Command(command[0], command[1:]...)
	stubborn.Stdin, stubborn.SysProcAttr = r, &syscall.SysProcAttr{Setsid: true}
	out, err := stubborn.StdoutPipe()
	if err == nil {
		err = tb.Source().Do(stubborn.Start)
	}
	if err != nil {
		return err
	}
	here := tb.relayPort(Source, "").Namespace
	if _, err := fmt.Fprintf(w, `{"links":[{"a":{"namespace":%q,"name":"x0"},"b":{"namespace":%q,"name":"x1"},"memoryAB":%d,"memoryBA":%d}]}`+"\n",
		here, here, relay.MinMemory, relay.MinMemory); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil && line != "{}\n" {
		err = fmt.Errorf("the relay said %q", line)
	}
	return err
}

// relayCommand is this program as the frame relay.
func relayCommand() []string { return []string{os.Args[0], relayArgument} }

// table is whether measurements for the documentation are made.
var table = flag.Bool("table", false, "measure and print the tables of docs/links.md")

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
