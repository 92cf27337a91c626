package capture

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
)

// A port is an interface where frames come in.
type port struct {
	name string
	// The attributes of its records, made once: records share them and nobody writes them.
	frame, rarp, garp map[string]string
}

func newPort(name string) *port {
	return &port{
		name:  name,
		frame: map[string]string{"port": name},
		rarp:  map[string]string{"port": name, "kind": "rarp"},
		garp:  map[string]string{"port": name, "kind": "garp"},
	}
}

// ports knows the ports by interface index.
type ports struct{ known map[int]*port }

// of is the port of an interface. One that did not exist when the capture began is named by its index.
func (p *ports) of(index int) *port {
	if known, ok := p.known[index]; ok {
		return known
	}
	added := newPort("interface " + strconv.Itoa(index))
	p.known[index] = added
	return added
}

// A layout is what the capture's namespace holds.
type layout struct {
	index    int   // to bind to; 0 is all
	excluded []int // interfaces that are not captured
	ports    *ports
}

// survey looks at the interfaces of the calling thread's namespace. An interface that c names must exist.
func survey(c Config) (layout, error) {
	all, err := net.Interfaces()
	if err != nil {
		return layout{}, fmt.Errorf("list interfaces: %w", err)
	}
	l := layout{ports: &ports{known: make(map[int]*port, len(all))}}
	exists := func(name string) bool {
		return slices.ContainsFunc(all, func(i net.Interface) bool { return i.Name == name })
	}
	var missing []error
	for _, name := range c.names() {
		if !exists(name) {
			missing = append(missing, fmt.Errorf("find interface %s: it does not exist on host %s", name, c.Host))
		}
	}
	if err := errors.Join(missing...); err != nil {
		return layout{}, err
	}
	for _, i := range all {
		if c.Interface != "" && i.Name != c.Interface {
			continue
		}
		if i.Name == c.Interface {
			l.index = i.Index
		}
		// A frame on a loopback is a host's talk with itself.
		loop := c.Interface == "" && i.Flags&net.FlagLoopback != 0
		if loop || slices.Contains(c.Exclude, i.Name) {
			l.excluded = append(l.excluded, i.Index)
			continue
		}
		name, ok := c.Ports[i.Name]
		if !ok {
			name = i.Name
		}
		l.ports.known[i.Index] = newPort(name)
	}
	return l, nil
}
