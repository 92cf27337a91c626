package load

import (
	"context"
	"testing"
	"time"
)

// A rig is a running client.
type rig struct {
	b     *testing.B
	rate  float64
	log   recorder
	stop  context.CancelFunc
	ended chan error
}

func newRig(b *testing.B, c Config) *rig {
	c.Host, c.In = "client", here{}
	ctx, cancel := context.WithCancel(b.Context())
	r := &rig{b: b, rate: c.Rate, stop: cancel, ended: make(chan error, 1)}
	armed := make(chan struct{})
	go func() { r.ended <- New(c).Run(ctx, &r.log, func() { close(armed) }) }()
	<-armed
	return r
}

// until sleeps until n requests are due.
func (r *rig) until(n int) { time.Sleep(time.Duration(float64(n) / r.rate * 1e9)) }

func (r *rig) end() *recorder {
	r.stop()
	if err := <-r.ended; err != nil {
		r.b.Fatal(err)
	}
	return &r.log
}
