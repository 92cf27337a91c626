package testbed

import (
	"fmt"
	"testing"
	"time"
)

func TestScratchEmulation(t *testing.T) {
	for _, l := range []Link{
		{Rate: 12.5e6, Delay: 12500 * time.Microsecond, Jitter: time.Millisecond, Loss: 1e-4},
		{Rate: 12.5e6, Delay: 12500 * time.Microsecond},
		{Rate: 12.5e6, Loss: 0.1},
		{Rate: 125e6, Delay: 1 * time.Millisecond},
	} {
		begin := time.Now()
		facts, err := Emulation(t.Context(), relayedConfig(t, l))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v took %s", l, time.Since(begin))
		for _, f := range facts {
			fmt.Printf("%s %s: %s\n", f.Subject, f.Name, f.Value)
		}
	}
}
