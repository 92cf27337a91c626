package provision

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"virtscope/results"
	"virtscope/testbed/host"
)

// records keeps what is recorded.
type records struct {
	mu   sync.Mutex
	list []results.Record
}

func (r *records) Record(x results.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, x)
}

// named returns the records of a name.
func (r *records) named(name string) (list []results.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.list {
		if x.Name == name {
			list = append(list, x)
		}
	}
	return list
}

// served is the last ImageServed of a server.
func (r *records) served(server, from string) float64 {
	last := -1.0
	for _, x := range r.named(results.ImageServed) {
		if x.Attrs["server"] == server && x.Attrs["from"] == from {
			last = x.Value
		}
	}
	return last
}

// newHosts makes a store and n hosts in namespaces that a bridge joins.
func newHosts(t *testing.T, n int) (Store, []HostConfig) {
	t.Helper()
	if testing.Short() {
		t.Skip("makes namespaces and servers: left out by -short")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root: makes network namespaces")
	}
	for _, tool := range []string{"ip", imgTool, ioTool, serverTool} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs a tool:", err)
		}
	}
	prefix := fmt.Sprintf("vsprov%d", os.Getpid())
	ip := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	space := func(name string) string {
		if err := host.CreateNamespace(prefix + name); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := host.DeleteNamespace(context.Background(), prefix+name); err != nil {
				t.Error(err)
			}
		})
		ip("-n", prefix+name, "link", "set", "lo", "up")
		return prefix + name
	}
	bridge := space("br")
	ip("-n", bridge, "link", "add", "br0", "type", "bridge")
	ip("-n", bridge, "link", "set", "br0", "up")
	join := func(i int, name string) (*host.Netns, string) {
		ns, addr := space(name), fmt.Sprintf("10.99.0.%d", i+1)
		ip("-n", bridge, "link", "add", "p"+name, "type", "veth", "peer", "name", "eth0", "netns", ns)
		ip("-n", bridge, "link", "set", "p"+name, "master", "br0", "up")
		ip("-n", ns, "address", "add", addr+"/24", "dev", "eth0")
		ip("-n", ns, "link", "set", "eth0", "up")
		h, err := host.NewNetns(name, ns)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		})
		return h, addr
	}
	h, addr := join(0, "store")
	store := Store{Host: h, Addr: addr}
	var hosts []HostConfig
	for i := range n {
		h, addr := join(i+1, fmt.Sprintf("h%d", i))
		hosts = append(hosts, HostConfig{Host: h, Addr: addr, Dir: t.TempDir()})
	}
	return store, hosts
}
