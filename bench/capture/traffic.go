package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"
	"virtscope/bench/migration"
)

// memory is how much is sent again and again: more than the caches hold, as a guest's memory is.
const memory = 64 << 20

// push sends a migration's stream of at least n bytes over one TCP connection and prints how many seconds it took until the sink had them all.
func push(ctx context.Context, to netip.AddrPort, n int64) error {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", to.String())
	if err != nil {
		return fmt.Errorf("connect to the sink: %w", err)
	}
	defer closed(c)
	stream := migration.New(memory)
	began := time.Now()
	if _, err := stream.Write(c, n); err != nil {
		return fmt.Errorf("push: %w", err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		return fmt.Errorf("push: %w", err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil { // ends when the sink closes
		return fmt.Errorf("wait for the sink to have all: %w", err)
	}
	fmt.Println(time.Since(began).Seconds())
	return nil
}

// sink takes one connection and reads it to its end.
func sink(ctx context.Context, at netip.AddrPort) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", at.String())
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer closed(l)
	fmt.Println(ready, at)
	c, err := l.Accept()
	if err != nil {
		return fmt.Errorf("accept: %w", err)
	}
	defer closed(c)
	for buf := make([]byte, 1<<20); err == nil; {
		_, err = c.Read(buf)
	}
	if !errors.Is(err, io.EOF) {
		return fmt.Errorf("read: %w", err)
	}
	return nil
}

// closed closes what only this process had: the error changes nothing.
func closed(c io.Closer) { _ = c.Close() }
