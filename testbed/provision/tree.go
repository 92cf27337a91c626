package provision

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"virtscope/testbed/host"
)

// An export is the name under which a server has the template.
const export = "template"

// A server is an image server as it is planned.
type server struct {
	host   host.Host
	addr   string
	port   int
	dir    string // of its cache; of the store it may be empty
	level  int    // 0 is the store
	parent int    // in the plan; -1 is nobody
}

func (s server) address() string { return net.JoinHostPort(s.addr, strconv.Itoa(s.port)) }
func (s server) url() string     { return "nbd://" + s.address() + "/" + export }
func (s server) cache() string   { return filepath.Join(s.dir, fmt.Sprintf("cache-%d.qcow2", s.level)) }

// planServers lists the servers that a method needs, each after the one that it asks, and by host the one that its guests ask.
func planServers(c Config) (plan []server, ask []int) {
	if !c.servers() {
		return nil, nil
	}
	plan = []server{{host: c.Store.Host, addr: c.Store.Addr, port: c.Port, dir: c.Store.Dir, parent: -1}}
	ask = make([]int, len(c.Hosts))
	cache := func(h, level, parent int) int {
		at := c.Hosts[h]
		plan = append(plan, server{host: at.Host, addr: at.Addr, port: c.Port + level, dir: at.Dir, level: level, parent: parent})
		return len(plan) - 1
	}
	switch {
	case c.Method == NBD && c.Prefetch:
		for h := range c.Hosts {
			ask[h] = cache(h, 1, 0)
		}
	case c.Method == Tree && c.Fanout == 1: // one asks one: a chain
		for h := range c.Hosts {
			ask[h] = cache(h, 1, h) // the store is number 0, and the cache of the host before is number h
		}
	case c.Method == Tree:
		plantTree(len(c.Hosts), c.Fanout, ask, cache)
	}
	return plan, ask
}

// plantTree puts a cache on the first of every fanout hosts, over those one on the first of every fanout of them, and so on
// until fanout of them are left: these ask the store.
func plantTree(hosts, fanout int, ask []int, cache func(host, level, parent int) int) {
	span := fanout // hosts below a server of the topmost level
	levels := 1
	for (hosts+span-1)/span > fanout {
		span *= fanout
		levels++
	}
	above := make([]int, hosts) // the server above each host so far; at first the store
	for level := levels; level >= 1; level-- {
		for first := 0; first < hosts; first += span {
			at := cache(first, level, above[first])
			for h := first; h < min(first+span, hosts); h++ {
				above[h] = at
			}
		}
		span /= fanout
	}
	copy(ask, above)
}

// A Server is an image server, for whoever counts what passes its port.
type Server struct {
	Host  string // whose network it listens in
	Addr  string // IP address
	Port  int
	From  string // the host that it asks itself, or "store" for the first
	Level int    // 0 is the store; 1 is a cache that guests ask, and so on up
}

// Servers lists the image servers, the store first. Guests, caches and copies on the hosts connect to these alone.
func (p *Provisioner) Servers() []Server {
	list := make([]Server, len(p.plan))
	for i, s := range p.plan {
		list[i] = Server{Host: s.host.Name(), Addr: s.addr, Port: s.port, From: p.from(i), Level: s.level}
	}
	return list
}

// from is whom a server asks.
func (p *Provisioner) from(i int) string {
	parent := p.plan[i].parent
	if parent <= 0 {
		return FromStore
	}
	return p.plan[parent].host.Name()
}
