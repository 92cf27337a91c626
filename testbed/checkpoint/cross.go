package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// cross sends what in holds from one host to another, through their networks, and writes it to out. It returns how many B came.
func (v *Vault) cross(ctx context.Context, in io.Reader, from, to Place, out io.Writer) (int64, error) {
	socket, err := v.listen(from, to)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() { _ = socket.Close() }()
	sent := make(chan error, 1)
	go func() {
		err := send(ctx, from, socket, in)
		if err != nil {
			cancel() // nobody will connect
		}
		sent <- err
	}()
	r, err := socket.Receive(ctx, out)
	if err != nil {
		cancel()
	}
	if err := errors.Join(<-sent, err); err != nil {
		return r.Bytes, fmt.Errorf("cross from %s to %s: %w", from.Host.Name(), to.Host.Name(), err)
	}
	return r.Bytes, nil
}

// send connects from a host's network, and sends what in holds.
func send(ctx context.Context, from Place, to *Socket, in io.Reader) error {
	conn, err := from.Host.Dial(ctx, "tcp", strings.TrimPrefix(to.Stream(), "tcp:"))
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	_, err = io.CopyBuffer(struct{ io.Writer }{conn}, struct{ io.Reader }{in}, make([]byte, copyStep))
	return errors.Join(err, conn.Close())
}
