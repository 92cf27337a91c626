package runner

import (
	"sync"
	"virtscope/testbed/guest"
)

// A population is the guests of a trial that are up, for the probes that watch their processes. It is safe for concurrent use;
// its zero value is empty.
type population struct {
	mu   sync.Mutex
	list []guest.Instance
}

func (p *population) add(g guest.Instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, g)
}

func (p *population) remove(g guest.Instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, other := range p.list {
		if other == g {
			p.list = append(p.list[:i:i], p.list[i+1:]...)
			return
		}
	}
}

// processes lists those of all guests.
func (p *population) processes() []guest.Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []guest.Process
	for _, g := range p.list {
		all = append(all, g.Processes()...)
	}
	return all
}
