package provision

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"virtscope/testbed/host"
)

// fakeHosts are hosts of this machine by name; nothing is started on them.
func fakeHosts(t *testing.T, names ...string) []HostConfig {
	t.Helper()
	var list []HostConfig
	for i, name := range names {
		h, err := host.NewLocal(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { h.Close() })
		list = append(list, HostConfig{Host: h, Addr: "10.0.0." + string(rune('1'+i)), Dir: "/hosts/" + name})
	}
	return list
}

func goodConfig(t *testing.T, method string) Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.raw")
	if err := os.WriteFile(path, make([]byte, 512), 0o644); err != nil {
		t.Fatal(err)
	}
	hosts := fakeHosts(t, "store", "a", "b")
	return Config{
		Method: method, Template: Template{Path: path, Format: raw, Size: 512},
		Store: Store{Host: hosts[0].Host, Addr: hosts[0].Addr}, Hosts: hosts[1:],
	}
}

func TestConfigIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		method string
		spoil  func(*Config)
		want   string
	}{
		"method":          {"teleport", func(*Config) {}, "no such method"},
		"from":            {Copy, func(c *Config) { c.From = "moon" }, `from "moon"`},
		"fanout":          {Tree, func(c *Config) { c.Fanout = -1 }, "fanout -1"},
		"prefetch":        {Overlay, func(c *Config) { c.Prefetch = true }, "only nbd and tree"},
		"port":            {NBD, func(c *Config) { c.Port = 70000 }, "port 70000"},
		"format":          {Copy, func(c *Config) { c.Template.Format = "vmdk" }, "vmdk"},
		"size":            {Copy, func(c *Config) { c.Template.Size = 513 }, "multiple of 512"},
		"relative":        {Copy, func(c *Config) { c.Template.Path = "t.raw" }, "whole"},
		"no template":     {Copy, func(c *Config) { c.Template.Path += "x" }, "no such file"},
		"folder":          {Copy, func(c *Config) { c.Template.Path = filepath.Dir(c.Template.Path) }, "no file"},
		"no hosts":        {Copy, func(c *Config) { c.Hosts = nil }, "no hosts"},
		"twice":           {Copy, func(c *Config) { c.Hosts[1].Host = c.Hosts[0].Host }, "given twice"},
		"shared folder":   {Copy, func(c *Config) { c.Hosts[1].Dir = c.Hosts[0].Dir + "/" }, "another host's"},
		"host's address":  {Tree, func(c *Config) { c.Hosts[1].Addr = "b" }, "address of host b"},
		"no store":        {NBD, func(c *Config) { c.Store.Host = nil }, "no store"},
		"store's address": {Copy, func(c *Config) { c.Store.Addr = "" }, "address of store"},
	} {
		t.Run(name, func(t *testing.T) {
			c := goodConfig(t, test.method)
			test.spoil(&c)
			if _, err := New(t.Context(), c); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("it is said %v, want %s", err, test.want)
			}
		})
	}
}

// Whoever asks is served by whom; the store is number 0.
func TestPlanServers(t *testing.T) {
	type planned struct {
		host          string
		level, parent int
	}
	names := []string{"a", "b", "c", "d", "e", "f", "g"}
	for name, test := range map[string]struct {
		c     Config
		hosts int
		want  []planned
		ask   []int
	}{
		"overlay":           {Config{Method: Overlay}, 2, nil, nil},
		"copy":              {Config{Method: Copy, From: FromStore}, 2, []planned{{"store", 0, -1}}, []int{0, 0}},
		"copy on the host":  {Config{Method: Copy, From: FromHost}, 2, nil, nil},
		"nbd":               {Config{Method: NBD}, 2, []planned{{"store", 0, -1}}, []int{0, 0}},
		"nbd, prefetch":     {Config{Method: NBD, Prefetch: true}, 2, []planned{{"store", 0, -1}, {"a", 1, 0}, {"b", 1, 0}}, []int{1, 2}},
		"a tree of one":     {Config{Method: Tree, Fanout: 4}, 1, []planned{{"store", 0, -1}, {"a", 1, 0}}, []int{1}},
		"one level":         {Config{Method: Tree, Fanout: 4}, 5, []planned{{"store", 0, -1}, {"a", 1, 0}, {"e", 1, 0}}, []int{1, 1, 1, 1, 2}},
		"a chain":           {Config{Method: Tree, Fanout: 1}, 3, []planned{{"store", 0, -1}, {"a", 1, 0}, {"b", 1, 1}, {"c", 1, 2}}, []int{1, 2, 3}},
		"exactly two of it": {Config{Method: Tree, Fanout: 2}, 4, []planned{{"store", 0, -1}, {"a", 1, 0}, {"c", 1, 0}}, []int{1, 1, 2, 2}},
		"two levels": {
			Config{Method: Tree, Fanout: 2},
			7,
			[]planned{{"store", 0, -1}, {"a", 2, 0}, {"e", 2, 0}, {"a", 1, 1}, {"c", 1, 1}, {"e", 1, 2}, {"g", 1, 2}},
			[]int{3, 3, 4, 4, 5, 5, 6},
		},
	} {
		t.Run(name, func(t *testing.T) {
			hosts := fakeHosts(t, append([]string{"store"}, names[:test.hosts]...)...)
			test.c.Port = 100
			test.c.Store, test.c.Hosts = Store{Host: hosts[0].Host, Addr: hosts[0].Addr}, hosts[1:]
			plan, ask := planServers(test.c)
			var got []planned
			for i, s := range plan {
				got = append(got, planned{s.host.Name(), s.level, s.parent})
				if s.parent >= i || s.port != 100+s.level {
					t.Errorf("server %d asks %d, at port %d", i, s.parent, s.port)
				}
			}
			if !reflect.DeepEqual(got, test.want) || !reflect.DeepEqual(ask, test.ask) {
				t.Errorf("the plan is %v, %v, want %v, %v", got, ask, test.want, test.ask)
			}
		})
	}
}

// However many hosts and whatever the fanout: no server has more askers than that, the store included.
func TestPlanKeepsToFanout(t *testing.T) {
	store := fakeHosts(t, "store")[0]
	for fanout := 1; fanout <= 5; fanout++ {
		for n := 1; n <= 40; n++ {
			c := Config{Method: Tree, Fanout: fanout, Store: Store{Host: store.Host}, Hosts: make([]HostConfig, n)}
			plan, ask := planServers(c)
			askers := make([]int, len(plan))
			for _, s := range plan[1:] {
				askers[s.parent]++
			}
			for i, k := range askers {
				if k > fanout {
					t.Errorf("%d hosts, fanout %d: %d servers ask server %d", n, fanout, k, i)
				}
			}
			hosts := make([]int, len(plan))
			for _, s := range ask {
				hosts[s]++
			}
			if hosts[0] > 0 {
				t.Errorf("%d hosts, fanout %d: %d hosts ask the store itself", n, fanout, hosts[0])
			}
			for i, k := range hosts {
				if k > fanout {
					t.Errorf("%d hosts, fanout %d: %d hosts ask server %d", n, fanout, k, i)
				}
			}
		}
	}
}

func TestArguments(t *testing.T) {
	up := server{addr: "10.0.0.1", port: 10810}
	s := server{addr: "10.0.0.2", port: 10811, dir: "/a,b", level: 1}
	if got, want := strings.Join(storeArguments(up, "/t,1.raw", raw), "\n"), `--blockdev
driver=file,node-name=file,read-only=on,filename=/t,,1.raw
--blockdev
driver=raw,node-name=image,read-only=on,file=file
--nbd-server
addr.type=inet,addr.host=10.0.0.1,addr.port=10810,max-connections=0
--export
type=nbd,id=export,node-name=image,writable=off,name=template`; got != want {
		t.Errorf("the store's arguments are\n%s\nwant\n%s", got, want)
	}
	if got, want := strings.Join(cacheArguments(s, up), "\n"), `--blockdev
driver=file,node-name=file,filename=/a,,b/cache-1.qcow2
--blockdev
driver=nbd,node-name=above,read-only=on,export=template,server.type=inet,server.host=10.0.0.1,server.port=10810
--blockdev
driver=qcow2,node-name=cache,file=file,backing=above
--blockdev
driver=copy-on-read,node-name=image,file=cache
--nbd-server
addr.type=inet,addr.host=10.0.0.2,addr.port=10811,max-connections=0
--export
type=nbd,id=export,node-name=image,writable=off,name=template`; got != want {
		t.Errorf("a cache's arguments are\n%s\nwant\n%s", got, want)
	}
	if got := (server{addr: "fd00::1", port: 7}).url(); got != "nbd://[fd00::1]:7/template" {
		t.Errorf("the address is %s", got)
	}
}
