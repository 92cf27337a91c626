package qemu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
)

// An intake writes what QEMU sends to a unix socket into a file: a QEMU before 8.2 cannot write files itself.
type intake struct {
	uri      string
	listener net.Listener
	file     *os.File
	mu       sync.Mutex
	conn     net.Conn
	closed   bool
	done     chan struct{} // closed when it has ended
	n        int64         // B, once done
	err      error         // once done
}

// takeIn waits for one connection. It is ended by wait or close.
func takeIn(socket, path string) (*intake, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, errors.Join(err, file.Close())
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", socket)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	t := &intake{uri: "unix:" + socket, listener: l, file: file, done: make(chan struct{})}
	go t.run()
	return t, nil
}

func (t *intake) run() {
	defer close(t.done)
	conn, err := t.listener.Accept()
	_ = t.listener.Close()
	if err == nil {
		t.mu.Lock()
		t.conn = conn
		if t.closed {
			_ = conn.Close()
		}
		t.mu.Unlock()
		t.n, err = io.Copy(t.file, conn)
		_ = conn.Close()
	}
	t.err = errors.Join(err, t.file.Close())
}

// wait returns how much was written, in B, when QEMU has closed its end.
func (t *intake) wait(ctx context.Context) (int64, error) {
	select {
	case <-t.done:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if t.err != nil {
		return 0, fmt.Errorf("write the devices' state: %w", t.err)
	}
	return t.n, nil
}

// close ends it, whatever has come.
func (t *intake) close() {
	_ = t.listener.Close()
	t.mu.Lock()
	t.closed = true
	if t.conn != nil {
		_ = t.conn.Close()
	}
	t.mu.Unlock()
	<-t.done
}
