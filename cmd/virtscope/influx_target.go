package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/results/influx"

	"github.com/spf13/cobra"
)

// influxOptions are what flags say of InfluxDB.
type influxOptions struct {
	url, org, bucket, database, retention string
	token, tokenFile, user, password      string
	ca, gzip                              string
	timeout                               time.Duration
	asSaid                                bool // by the run's experiment

	prefix string // of the flags
	mayAsk bool   // there is --as-said
}

// addAsSaid adds the flag by which a run's experiment may say where to.
func (o *influxOptions) addAsSaid(c *cobra.Command) {
	o.mayAsk = true
	c.Flags().BoolVar(&o.asSaid, "as-said", false, "take from the run's experiment what neither flags nor the environment say: server, bucket, token's file; read it first")
}

// add adds the flags, each with a prefix.
func (o *influxOptions) add(c *cobra.Command, prefix string) {
	o.prefix = prefix
	f := c.Flags()
	if prefix == "" { // run has --influx itself
		f.StringVar(&o.url, "url", "", "of the server, such as http://localhost:8086")
	}
	f.StringVar(&o.org, prefix+"org", "", "organization of InfluxDB 2")
	f.StringVar(&o.bucket, prefix+"bucket", "", "bucket of InfluxDB 2 or 3, or database/retention of 1.8")
	f.StringVar(&o.database, prefix+"database", "", "database of InfluxDB 1.8, in the bucket's place")
	f.StringVar(&o.retention, prefix+"retention", "", "retention policy of the database; by default its own")
	f.StringVar(&o.token, prefix+"token", "", "token; others can see it: rather set INFLUX_TOKEN")
	f.StringVar(&o.tokenFile, prefix+"token-file", "", "file that holds the token, which only its owner may read")
	f.StringVar(&o.user, prefix+"user", "", "user of InfluxDB 1.8")
	f.StringVar(&o.password, prefix+"password", "", "password of the user; others can see it: rather set INFLUX_PASSWORD")
	f.StringVar(&o.ca, prefix+"ca", "", "certificates in PEM that are trusted beside the system's")
	f.StringVar(&o.gzip, prefix+"gzip", "auto", "compress what is sent: on, off, or auto (unless the server is this machine)")
	f.DurationVar(&o.timeout, prefix+"timeout", 20*time.Second, "of one request")
}

// ofRun is the target, with what the run's experiment says where nothing else does, if it was asked for: the file may be somebody else's, and must not
// choose where records and a token go, or which file holds the token. The run may be nil.
func (o *influxOptions) ofRun(r *results.Run) (influx.Target, error) {
	var said *spec.Influx
	if r != nil {
		e, err := spec.Load(r.ExperimentPath())
		switch {
		case err == nil:
			said = e.Influx
		case o.asSaid: // without it, a run that this version cannot read may be shipped all the same
			return influx.Target{}, fmt.Errorf("read where the run's experiment ships to: %w", err)
		}
	}
	if o.asSaid {
		return o.target(os.Getenv, said)
	}
	t, err := o.target(os.Getenv, nil)
	if err != nil && said != nil && said.URL != "" {
		return t, fmt.Errorf("%w (the run's experiment names %s: --as-said takes what it says)", err, said.URL)
	}
	return t, err
}

// target takes each value from the flags, else the environment, else the experiment. Values that belong together are taken from one of them.
func (o *influxOptions) target(env func(string) string, said *spec.Influx) (influx.Target, error) {
	flags := *o
	experiment := influxOptions{gzip: "auto"}
	if said != nil {
		experiment = influxOptions{
			url: said.URL, org: said.Org, bucket: said.Bucket, database: said.Database, retention: said.Retention, user: said.User,
			tokenFile: said.TokenFile, ca: said.CA, gzip: said.Gzip,
		}
	}
	environment := influxOptions{
		url: env("INFLUX_URL"), org: env("INFLUX_ORG"), bucket: env("INFLUX_BUCKET"), token: env("INFLUX_TOKEN"), user: env("INFLUX_USER"),
		password: env("INFLUX_PASSWORD"),
	}
	if environment.token != "" {
		environment.user = "" // what names both means the token
	}
	t := influx.Target{Timeout: flags.timeout}
	placed, known := false, false
	for _, layer := range []influxOptions{flags, environment, experiment} {
		t.URL = firstOf(t.URL, layer.url)
		t.Org = firstOf(t.Org, layer.org)
		t.CAFile = firstOf(t.CAFile, layer.ca)
		if !placed {
			var err error
			if t.Bucket, err = layer.place(); err != nil {
				return t, err
			}
			placed = t.Bucket != ""
		}
		if !known {
			if layer.user != "" && layer.password == "" {
				layer.password = environment.password
			}
			var err error
			if t.Token, err = layer.secret(); err != nil {
				return t, err
			}
			known = t.Token != ""
		}
	}
	if flags.gzip == "auto" || flags.gzip == "" {
		flags.gzip = experiment.gzip
	}
	if flags.gzip != "auto" {
		t.Gzip = influx.Gzip(flags.gzip)
	}
	return t, o.howToName(t.Check())
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// place is the bucket, or the database as one.
func (o *influxOptions) place() (string, error) {
	switch {
	case o.bucket != "" && o.database != "":
		return "", errors.New("name a bucket (InfluxDB 2, 3) or a database (1.8), not both")
	case o.database == "" && o.retention != "":
		return "", errors.New("a retention policy is of a database: name that, too")
	case o.database != "" && o.retention != "":
		return o.database + "/" + o.retention, nil
	}
	return o.bucket + o.database, nil
}

// secret is the token, or user and password as one.
func (o *influxOptions) secret() (influx.Secret, error) {
	named := 0
	for _, s := range []string{o.token, o.tokenFile, o.user} {
		if s != "" {
			named++
		}
	}
	switch {
	case named > 1:
		return "", errors.New("name one of a token, a token's file, or a user")
	case o.tokenFile != "":
		return readToken(o.tokenFile)
	case o.user != "" && o.password == "":
		return "", fmt.Errorf("user %s of InfluxDB has no password: set INFLUX_PASSWORD", o.user)
	case o.user != "":
		return influx.Secret(o.user + ":" + o.password), nil
	}
	return influx.Secret(o.token), nil
}

// maxToken bounds a token's file, in bytes.
const maxToken = 64 << 10

// readToken reads a file that nobody but its owner may.
func readToken(path string) (influx.Secret, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("read InfluxDB's token: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxToken {
		return "", fmt.Errorf("read InfluxDB's token: %s is no file of a token", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("read InfluxDB's token: others may read %s (%s): chmod 600 it", path, info.Mode().Perm())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read InfluxDB's token: %w", err)
	}
	token := strings.TrimSpace(string(data))
	if token == "" {
		return "", fmt.Errorf("read InfluxDB's token: %s is empty", path)
	}
	return influx.Secret(token), nil
}
