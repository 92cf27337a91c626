package influx

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkShip is all that shipping costs here: a server that reads and takes everything.
func BenchmarkShip(b *testing.B) {
	r := makeRun(b, 4, 50_000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	}))
	b.Cleanup(s.Close)
	for b.Loop() {
		ship(b, &Shipper{Run: r, Target: target(s.URL, "x"), Again: true})
	}
	b.ReportMetric(200_000*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
