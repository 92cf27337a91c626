package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startTestRedis starts the machine's own redis-server, without the network.
func startTestRedis(t *testing.T) *redis {
	t.Helper()
	if _, err := os.Stat(redisProgram); err != nil {
		t.Skip("needs redis-server:", err)
	}
	r, err := startRedis(redisPlace{root: "/", address: "127.0.0.1", socket: filepath.Join(t.TempDir(), "redis.sock")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.kill)
	if err := r.await(time.Minute); err != nil {
		t.Fatal(err)
	}
	return r
}

func redisPart(t *testing.T, r *redis) *part {
	t.Helper()
	p, err := r.part()
	if err != nil {
		t.Fatal(err)
	}
	p.meter.kind = kindRedis
	return p
}

// The agent's own questions are not among the commands that it counts.
func TestRedisCounts(t *testing.T) {
	r := startTestRedis(t)
	m := &meter{sampled: true, kind: kindRedis}
	s := &meters{parts: []*meter{m}}
	var rep report
	if err := r.count(m); err != nil {
		t.Fatal(err)
	}
	for want := range int64(4) {
		if err := r.count(m); err != nil {
			t.Fatal(err)
		}
		if n := m.ops.Load(); n != want {
			t.Errorf("%d commands were counted, want %d", n, want)
		}
		if s.read(mono(), &rep); rep.partCount != 1 || rep.parts[0].ops != want {
			t.Errorf("a fresh count is told as %+v", rep.parts[:rep.partCount])
		}
		if s.read(mono(), &rep); rep.partCount != 0 {
			t.Errorf("an old count is told as %+v", rep.parts[:rep.partCount])
		}
		if _, err := r.ask(fmt.Sprintf("SET key:%d v", want)); err != nil {
			t.Fatal(err)
		}
	}
	if p := s.progress(mono()); len(p.Parts) != 1 || p.Parts[0].Ops != 3 {
		t.Errorf("at the end the progress is %+v", p)
	}
}

// A redis that ends by itself is a fault of its workload, and one that is stopped is not.
func TestRedisEnds(t *testing.T) {
	r := startTestRedis(t)
	j := startJob([]*part{redisPart(t, r)})
	if p, err := j.stop(); err != nil || p.Parts[0].Error != "" {
		t.Errorf("stopped, its progress is %+v, %v", p, err)
	}
	r = startTestRedis(t)
	j = startJob([]*part{redisPart(t, r)})
	go r.ask("SHUTDOWN NOSAVE")
	<-j.ended[0]
	p, err := j.stop()
	if why := p.Parts[0].Error; err != nil || !strings.Contains(why, "redis-server ended") || !strings.Contains(why, "bye bye") {
		t.Errorf("ended by itself, its progress is %+v, %v", p, err)
	}
	r = &redis{socket: filepath.Join(t.TempDir(), "none"), ended: make(chan struct{}), err: errors.New("it is gone")}
	close(r.ended)
	if err := r.await(time.Minute); !errors.Is(err, r.err) {
		t.Errorf("await = %v", err)
	}
}

func TestReadAnswer(t *testing.T) {
	for text, want := range map[string]string{"+PONG\r\n": "+PONG", "$5\r\na\r\nbc\r\n": "a\r\nbc", "$0\r\n\r\n": ""} {
		if got, err := readAnswer(bufio.NewReader(strings.NewReader(text))); got != want || err != nil {
			t.Errorf("%q gives %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "+PON", "$-1\r\n", "$x\r\n", "$9\r\nabc"} {
		if got, err := readAnswer(bufio.NewReader(strings.NewReader(text))); err == nil {
			t.Errorf("%q gives %q", text, got)
		}
	}
	if n, ok := commandsProcessed("# Stats\r\ntotal_commands_processed:17\r\nx:1\r\n"); n != 17 || !ok {
		t.Errorf("commands are %d, %v", n, ok)
	}
	if _, ok := commandsProcessed("total_commands_processed:\r\n"); ok {
		t.Error("no number is taken for one")
	}
}

func TestLastLine(t *testing.T) {
	var l lastLine
	if l.text() != "none" {
		t.Errorf("nothing gives %q", l.text())
	}
	for _, tt := range []struct{ write, want string }{
		{"one\ntw", "tw"},
		{"o\n", "two"},
		{"\n \n", "two"},
		{strings.Repeat("x", 2*longestLine) + "\n", strings.Repeat("x", longestLine)},
		{"end\n", "end"},
	} {
		if n, err := l.Write([]byte(tt.write)); n != len(tt.write) || err != nil {
			t.Errorf("Write = %d, %v", n, err)
		}
		if got := l.text(); got != tt.want {
			t.Errorf("after %q the last line is %q, want %q", tt.write, got, tt.want)
		}
	}
}
