package testbed

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"virtscope/testbed/host"
)

// killedRun brings up a testbed in another process and kills that.
func killedRun(t *testing.T, kill bool) (id string, relayPID int, cmd *exec.Cmd) {
	t.Helper()
	needRoot(t)
	id = newRunID(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(self)
	cmd.Env = append(os.Environ(), modeVar+"="+id)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if _, scanErr := fmt.Sscanf(line, "ready %d\n", &relayPID); scanErr != nil {
		t.Fatalf("run said %q: %v", line, err)
	}
	if kill {
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed
	}
	return id, relayPID, cmd
}

func ofRun(found []Leftover, id string) (kinds []string) {
	for _, l := range found {
		if l.RunID == id {
			kinds = append(kinds, l.Kind)
		}
	}
	return kinds
}

func TestSweepAfterKill(t *testing.T) {
	id, relayPID, _ := killedRun(t, true)
	alive, _, living := killedRun(t, false)
	ours := func(wanted string) bool { return wanted == id || wanted == alive } // not another's on this machine
	defer func() {
		_ = living.Process.Kill()
		_ = living.Wait()
		if _, err := sweep(context.Background(), false, ours); err != nil {
			t.Error(err)
		}
		nothingLeft(t, alive)
	}()
	if _, err := Up(t.Context(), Config{RunID: id}); err == nil || !strings.Contains(err.Error(), "virtscope clean") {
		t.Errorf("up over what a killed run left: %v", err)
	}

	// The run's own relay ends with the run, and its devices with it.
	sw, err := host.NewNetns("switch", namespaceName(id, switchName))
	if err != nil {
		t.Fatal(err)
	}
	defer sw.Close()
	gone := func() bool {
		noDevice := sw.Do(func() error { _, err := net.InterfaceByName(lanPort(Source)); return err })
		return command(relayPID) == "unknown command" && noDevice != nil
	}
	for deadline := time.Now().Add(30 * time.Second); !gone(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the relay of the killed run, or a device of it, is there: %s", command(relayPID))
		}
	}

	want := []string{"process", "process", "namespace", "namespace", "namespace", "namespace", "folder"}
	found, err := sweep(t.Context(), true, ours)
	if err != nil {
		t.Fatal(err)
	}
	if got := ofRun(found, id); !slices.Equal(got, want) {
		t.Errorf("dry run found %v, want %v", got, want)
	}
	if left, err := namespacesOf(id); err != nil || len(left) != 4 {
		t.Errorf("the dry run removed something: %v, %v", left, err)
	}
	found, err = sweep(t.Context(), false, ours)
	if err != nil {
		t.Fatal(err)
	}
	if got := ofRun(found, id); !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	for _, l := range found {
		t.Log(l)
		if !l.Removed {
			t.Errorf("not removed: %v", l)
		}
		if l.Kind == "process" && !strings.Contains(l.Name, "sleep") && !strings.Contains(l.Name, relayArgument) {
			t.Errorf("process %q", l.Name)
		}
	}
	if kinds := ofRun(found, alive); len(kinds) > 0 {
		t.Errorf("touched a run whose owner lives: %v", kinds)
	}
	if left, err := namespacesOf(alive); err != nil || len(left) != 4 {
		t.Errorf("the living run has %v, %v", left, err)
	}
	nothingLeft(t, id)
	if found, err = sweep(t.Context(), false, ours); err != nil || len(ofRun(found, id)) > 0 {
		t.Errorf("second sweep: %v, %v", found, err)
	}
}

func TestSweepLeavesOthersAlone(t *testing.T) {
	needRoot(t)
	names := []string{"vs-notours", "vs-" + newRunID(t) + "9-src", "xvs-" + newRunID(t) + "-src"}
	for _, name := range names {
		if err := host.CreateNamespace(name); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := host.DeleteNamespace(context.Background(), name); err != nil {
				t.Error(err)
			}
		}()
	}
	if _, err := Sweep(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	found, err := sweep(t.Context(), false, func(id string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, id) })
	})
	if err != nil || len(found) > 0 {
		t.Errorf("found %v, %v", found, err)
	}
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(host.NamespaceDir, name)); err != nil {
			t.Errorf("sweep removed a namespace that is not ours: %v", err)
		}
	}
}

func TestRuntimeFolder(t *testing.T) {
	root, id := t.TempDir(), newRunID(t)
	dir, release, err := runtimeIn(root, id)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info, err)
	}
	again, noop, err := runtimeIn(root, id)
	if err != nil || again != dir {
		t.Fatalf("second claim by the same process: %s, %v", again, err)
	}
	if err := noop(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("the second release removed the folder: %v", err)
	}
	for text, want := range map[string]string{
		"1 1\n":   "left behind by process 1", // PID 1, but another start time
		"garbage": "the owner is unknown",
	} {
		if err := os.WriteFile(filepath.Join(dir, ownerFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := runtimeIn(root, id); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("owner %q: %v", text, err)
		}
	}
	if err := release(t.Context()); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(root)
	if err != nil || len(entries) != 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
	if _, _, err := runtimeIn(root, "../evil"); err == nil {
		t.Error("a run id with a path is taken")
	}
}
