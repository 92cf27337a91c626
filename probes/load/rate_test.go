package load

import (
	"net"
	"net/netip"
	"strconv"
	"testing"
	"virtscope/results"
)

func freePort(t testing.TB) string {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return netip.MustParseAddrPort(l.Addr().String()).String()
}

// BenchmarkClient asks for a rate until b.N requests were due, on loopback beside the server. It says how many came late
// by more than 1 ms, the client's own lateness at most, and what the client's thread used of a core.
func BenchmarkClient(b *testing.B) {
	for _, rate := range []int{1000, 10_000, 50_000, 100_000, 200_000} {
		b.Run(strconv.Itoa(rate), func(b *testing.B) {
			s := serve(b, false)
			rig := newRig(b, Config{Target: s.addr(), Kind: Request, Rate: float64(rate), Arrivals: Fixed, Connections: 4, RequestSize: 64, ResponseSize: 64})
			b.ResetTimer()
			rig.until(b.N)
			b.StopTimer()
			log := rig.end()
			asked := log.sum(results.LoadRequests)
			b.ReportMetric(log.sum(results.ProbeLate)/asked, "late/op")
			b.ReportMetric(lateness(log).Seconds()*1e3, "ms-late")
			b.ReportMetric(log.sum(results.ProbeCPU)/log.sum(results.ProbeWall), "cores")
			b.ReportMetric(asked/b.Elapsed().Seconds(), "asked/s")
		})
	}
}
