package relay

import (
	"os"
	"testing"
	"time"
)

// A direction that has always more to read than it can carry answers, and ends when it is told to.
func TestSaturatedDirectionAnswers(t *testing.T) {
	in, err := os.Open("/dev/zero") // a device that never runs dry
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	l := Link{Name: "link", Delay: time.Hour} // what it holds is never due
	d, err := newDirection(l, Port{Name: "a"}, Port{Name: "b"}, int(in.Fd()), int(out.Fd()), MinMemory, 0)
	if err != nil {
		t.Fatal(err)
	}
	go d.run()
	answers := make(chan Stats)
	go func() {
		for range 2 {
			answers <- d.snapshot()
		}
		d.end()
		close(answers)
	}()
	for range 3 {
		select {
		case s, more := <-answers:
			if more && s.Frames == 0 {
				t.Errorf("it did not carry: %+v", s)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("it does not answer")
		}
	}
}
