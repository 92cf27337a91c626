package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"virtscope/testbed/guest/agent"
)

const (
	rootDir      = "/root-image"
	redisProgram = "/usr/bin/redis-server" // in the image
	redisStart   = 2 * time.Minute         // an emulated guest is slow
	redisAsk     = 10 * time.Second
)

// redisShare is how much of the memory that is available redis may fill; the rest is for its connections and for what
// its allocator wastes.
const redisShare = 0.7

// A redisPlace is where a redis-server runs.
type redisPlace struct {
	root    string // its root directory
	address string // that it serves; none is all
	port    int
	socket  string // that it serves too, as it sees it: what the agent asks is no traffic of the network
}

// A redis is the real redis-server, a child in the root image.
type redis struct {
	cmd    *exec.Cmd
	log    lastLine
	socket string
	ended  chan struct{}
	err    error // why, once it ended

	counting sync.Mutex
	asked    int64 // how often it was asked what it did
	before   int64 // commands that it had done when it was asked first
}

// prepareRedis starts redis-server and waits until it answers.
func (s *server) prepareRedis() (*part, error) {
	if err := mountRoot(patience); err != nil {
		return nil, err
	}
	r, err := startRedis(redisPlace{rootDir, s.address, agent.KVPort, "/tmp/redis.sock"})
	if err != nil {
		return nil, err
	}
	if err := r.await(redisStart); err != nil {
		r.kill()
		return nil, err
	}
	p, err := r.part()
	if err != nil {
		r.kill()
	}
	return p, err
}

// part is the running server as a part of a workload: it ends with it. What it did so far does not count.
func (r *redis) part() (*part, error) {
	m := &meter{sampled: true}
	if err := r.count(m); err != nil {
		return nil, err
	}
	run := func(stop *atomic.Bool) {
		r.watch(m)
		if !stop.Load() {
			m.fail(r.err)
		}
	}
	interrupt := func() {
		_ = r.count(m) // it may have ended
		r.kill()
	}
	return &part{meter: m, busy: 1, run: run, interrupt: interrupt}, nil
}

// mountRoot mounts the root image, read-only, and what its programs need. It mounts nothing twice.
func mountRoot(wait time.Duration) error {
	if _, err := os.Stat(rootDir + redisProgram); err == nil {
		return nil
	}
	device, err := awaitDisk(rootSerial, wait)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(rootDir, 0o755); err != nil {
		return fmt.Errorf("make mount point: %w", err)
	}
	return mountEach([]mounting{
		{device, rootDir, "ext4", "", syscall.MS_RDONLY | syscall.MS_NOATIME},
		{"proc", rootDir + "/proc", "proc", "", 0},
		{"devtmpfs", rootDir + "/dev", "devtmpfs", "", 0},
		{"tmpfs", rootDir + "/tmp", "tmpfs", "size=16m", 0},
	}, syscall.Mount, syscall.Unmount)
}

// startRedis starts the server.
func startRedis(p redisPlace) (*redis, error) {
	available, err := memory("MemAvailable")
	if err != nil {
		return nil, err
	}
	most := int64(float64(available-reserveForSystem) * redisShare)
	if most <= 0 {
		return nil, fmt.Errorf("start redis-server: %d B of memory are available: give the guest more", available)
	}
	if p.address == "" {
		p.address = "0.0.0.0"
	}
	r := &redis{socket: filepath.Join(p.root, p.socket), ended: make(chan struct{})}
	r.cmd = exec.CommandContext(context.Background(), redisProgram, "--bind", p.address, "--port", strconv.Itoa(p.port), "--unixsocket", p.socket,
		"--save", "", "--appendonly", "no", "--protected-mode", "no", "--dir", "/tmp", "--daemonize", "no",
		"--maxmemory", strconv.FormatInt(most, 10), "--maxmemory-policy", "noeviction")
	r.cmd.Dir, r.cmd.Env = "/", []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
	r.cmd.Stdout, r.cmd.Stderr = &r.log, &r.log
	if p.root != "/" {
		r.cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: p.root}
	}
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start redis-server in %s: %w: is package redis-server in the root image?", p.root, err)
	}
	go func() {
		defer close(r.ended)
		err := r.cmd.Wait()
		if err == nil {
			err = errors.New("exit status 0")
		}
		r.err = fmt.Errorf("redis-server ended: %w: its last words: %s", err, r.log.text())
	}()
	return r, nil
}

// await waits until redis answers.
func (r *redis) await(wait time.Duration) error {
	limit := time.Now().Add(wait)
	for {
		answer, err := r.ask("PING")
		if err == nil && answer == "+PONG" {
			return nil
		}
		select {
		case <-r.ended:
			return r.err
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(limit) {
			return fmt.Errorf("wait for redis-server: no answer to PING within %v: %w: its last words: %s", wait, err, r.log.text())
		}
	}
}

// ask sends a command and returns its answer: a line, or the text of a bulk string.
func (r *redis) ask(command string) (string, error) {
	dialer := net.Dialer{Timeout: redisAsk}
	conn, err := dialer.DialContext(context.Background(), "unix", r.socket)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(redisAsk)); err != nil {
		return "", err
	}
	if _, err := conn.Write([]byte(command + "\r\n")); err != nil {
		return "", err
	}
	return readAnswer(bufio.NewReader(conn))
}

// longestAnswer is more than INFO has, in B.
const longestAnswer = 64 << 10

// readAnswer reads a line, or the text of a bulk string.
func readAnswer(in *bufio.Reader) (string, error) {
	text, err := in.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	line, _ := cutLine(text)
	if len(line) == 0 || line[0] != '$' {
		return string(line), nil
	}
	n, ok := parseSize(line[1:], longestAnswer)
	if !ok || n < 0 {
		return "", fmt.Errorf("read answer: %q is no length", line)
	}
	bulk := make([]byte, n)
	_, err = io.ReadFull(in, bulk)
	return string(bulk), err
}

// redisCount is how often redis is asked what it did. More often would cost the guest what it is measured for.
const redisCount = time.Second

// watch counts until redis ends.
func (r *redis) watch(m *meter) {
	for {
		select {
		case <-r.ended:
			return
		case <-time.After(redisCount):
		}
		_ = r.count(m) // what it did is told when it answers again
	}
}

// count asks redis how many commands it did. What the agent itself asks does not count.
func (r *redis) count(m *meter) error {
	r.counting.Lock()
	defer r.counting.Unlock()
	info, err := r.ask("INFO stats")
	n, ok := commandsProcessed(info)
	if err == nil && !ok {
		err = fmt.Errorf("find total_commands_processed in %.80q: no such line", info)
	}
	if err != nil {
		return fmt.Errorf("ask redis-server what it did: %w", err)
	}
	if r.asked == 0 {
		r.before = n
	}
	m.ops.Store(n - r.before - r.asked)
	m.fresh.Store(true)
	r.asked++
	return nil
}

// commandsProcessed finds total_commands_processed in what INFO says (redis.io/commands/info).
func commandsProcessed(info string) (int64, bool) {
	for line := range strings.Lines(info) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), "total_commands_processed:"); found {
			n, err := strconv.ParseInt(value, 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// kill ends redis and waits until it has ended.
func (r *redis) kill() {
	_ = r.cmd.Process.Kill() // it may have ended
	<-r.ended
}
