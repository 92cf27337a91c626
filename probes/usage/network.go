package usage

import (
	"fmt"
	"os"
	"time"
	"virtscope/results"

	"github.com/shirou/gopsutil/v3/net"
)

// A network samples the interfaces of one network namespace from outside.
type network struct {
	host  string
	dev   *os.File // that namespace's /proc/net/dev, wherever it is read
	path  string
	attrs map[string]map[string]string
}

func openNetwork(n Network) (*network, error) {
	opened := &network{host: n.Host, attrs: map[string]map[string]string{}}
	err := n.In.Do(func() (err error) {
		// /proc/net is that of the process's first thread; this one is the calling thread's.
		opened.dev, err = os.Open("/proc/thread-self/net/dev")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open interface counters of %s: %w", n.Host, err)
	}
	opened.path = fmt.Sprintf("/proc/self/fd/%d", opened.dev.Fd())
	return opened, nil
}

// sample records all interfaces but the loopback.
func (n *network) sample(emit emitter) error {
	at := time.Now().UnixNano()
	counters, err := net.IOCountersByFile(true, n.path)
	if err != nil {
		return fmt.Errorf("read interface counters of %s: %w", n.host, err)
	}
	for _, c := range counters {
		if c.Name == "lo" {
			continue
		}
		attrs, ok := n.attrs[c.Name]
		if !ok {
			attrs = map[string]string{"interface": c.Name}
			n.attrs[c.Name] = attrs
		}
		emit(at, results.HostNetRx, float64(c.BytesRecv), results.Bytes, attrs)
		emit(at, results.HostNetTx, float64(c.BytesSent), results.Bytes, attrs)
	}
	return nil
}

func (n *network) close() { _ = n.dev.Close() }
