package influxtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A Daemon is an influxd on loopback that can be killed and started again with the same data and address.
type Daemon struct {
	URL string

	path, dir string
	cmd       *exec.Cmd
	done      chan struct{}
	log       bytes.Buffer
}

const daemonConfig = `reporting-disabled = true
bind-address = "%[1]s"
[meta]
  dir = "%[3]s/meta"
[data]
  dir = "%[3]s/data"
  wal-dir = "%[3]s/wal"
  series-id-set-cache-size = 100
[http]
  bind-address = "%[2]s"
  flux-enabled = %[4]t
  log-enabled = false
  auth-enabled = %[5]t
[monitor]
  store-enabled = false
`

// StartDaemon starts the influxd at path with its data below dir. With auth it wants to know who asks: make the first user by
// CREATE USER x WITH PASSWORD 'y' WITH ALL PRIVILEGES. The caller calls Kill.
func StartDaemon(path, dir string, auth bool) (*Daemon, error) { return start(path, dir, false, auth) }

// start starts one; with Flux it takes some 10 s.
func start(path, dir string, flux, auth bool) (*Daemon, error) {
	api, err := freePort()
	if err != nil {
		return nil, err
	}
	rpc, err := freePort()
	if err != nil {
		return nil, err
	}
	d := &Daemon{URL: "http://" + api, path: path, dir: dir}
	if err := os.WriteFile(d.config(), fmt.Appendf(nil, daemonConfig, rpc, api, dir, flux, auth), 0o600); err != nil {
		return nil, err
	}
	return d, d.Start()
}

func (d *Daemon) config() string { return filepath.Join(d.dir, "influxd.conf") }

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is closed at once
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// Start starts it again after Kill, and returns once it answers.
func (d *Daemon) Start() error {
	d.log.Reset()
	d.cmd = exec.CommandContext(context.Background(), d.path, "run", "-config", d.config())
	d.cmd.Stdout, d.cmd.Stderr = &d.log, &d.log
	if err := d.cmd.Start(); err != nil {
		return fmt.Errorf("start influxd: %w", err)
	}
	d.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait()
		close(done)
	}(d.cmd, d.done)
	for begin := time.Now(); time.Since(begin) < 2*time.Minute; time.Sleep(50 * time.Millisecond) {
		select {
		case <-d.done:
			return fmt.Errorf("influxd ended: %s", d.log.String())
		default:
		}
		res, err := http.Get(d.URL + "/ping") //nolint:noctx // it is ours, on loopback
		if err == nil {
			_ = res.Body.Close()
			return nil
		}
	}
	d.Kill()
	return errors.New("influxd does not answer")
}

// Kill kills it, as a crash would, and waits until it is gone.
func (d *Daemon) Kill() {
	_ = d.cmd.Process.Kill()
	<-d.done
}

// Query asks in InfluxQL and returns the answer, times in ns. User and password may be "".
func (d *Daemon) Query(ctx context.Context, db, query, user, password string) ([]byte, error) {
	form := url.Values{"db": {db}, "q": {query}, "epoch": {"ns"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL+"/query?"+form.Encode(), nil)
	if err != nil {
		return nil, err
	}
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK || bytes.Contains(answer, []byte(`"error"`)) {
		return nil, fmt.Errorf("%s: %s: %s", query, res.Status, answer)
	}
	return answer, nil
}

// Count counts the points of a database by a field that all of them have.
func (d *Daemon) Count(ctx context.Context, db, field string) (int64, error) {
	return d.CountOf(ctx, db, "/.*/", field)
}

// CountOf counts the points of measurements, such as "/.*/" or "trial", by a field that all of them have.
func (d *Daemon) CountOf(ctx context.Context, db, measurements, field string) (int64, error) {
	answer, err := d.Query(ctx, db, fmt.Sprintf(`SELECT count(%q) FROM %s`, field, measurements), "", "")
	if err != nil {
		return 0, err
	}
	var a struct {
		Results []struct {
			Series []struct{ Values [][]json.Number }
		}
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return 0, err
	}
	total := int64(0)
	for _, r := range a.Results {
		for _, s := range r.Series {
			for _, row := range s.Values {
				n, err := row[len(row)-1].Int64()
				if err != nil {
					return 0, err
				}
				total += n
			}
		}
	}
	return total, nil
}

// FindDaemon returns path, or an error if it is none, or without it the influxd that the repository's tools hold, looked for from the working folder up.
func FindDaemon(path string) (string, error) {
	switch path {
	case "":
	case "none":
		return "", errors.New("VIRTSCOPE_INFLUXD is none: tests of a real InfluxDB run elsewhere")
	default:
		return path, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		path := filepath.Join(dir, ".cache", "tools", "influxd-"+Version)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("there is no InfluxDB: set VIRTSCOPE_INFLUXD to influxd %s, or let make test install it", Version)
		}
		dir = parent
	}
}
