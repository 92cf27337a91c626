package influx

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// A Reader asks a server by InfluxQL, which 1.x and 3.x answer, and 2.x where a database is mapped to the bucket (it maps each bucket to a database of its
// name by itself).
type Reader struct {
	URL    string // of the server
	Bucket string // or database, or database/retention-policy
	Token  Secret // or user:password of 1.x; "" for a server that asks for none
	Client *http.Client
}

// rowsOfPiece is how many rows a server puts into one piece of an answer.
const rowsOfPiece = 5000

// A row is one point of an answer.
type row struct {
	series *answerSeries
	time   int64
	fields Point
}

type answerSeries struct {
	Name    string            `json:"name"`
	Tags    map[string]string `json:"tags"`
	Columns []string          `json:"columns"`
	Values  [][]any           `json:"values"`
}

type answer struct {
	Results []struct {
		Series []*answerSeries `json:"series"`
		Error  string          `json:"error"`
	} `json:"results"`
	Error string `json:"error"`
}

// ask gives each piece of the answer to each, in order. No error holds the token, whatever the server says.
func (r *Reader) ask(ctx context.Context, query string, each func(*answerSeries) error) error {
	err := r.query(ctx, query, each)
	if err == nil || r.target().hide(err.Error()) == err.Error() {
		return err
	}
	return errors.New(r.target().hide(err.Error()))
}

func (r *Reader) query(ctx context.Context, query string, each func(*answerSeries) error) error {
	database, policy, _ := strings.Cut(r.Bucket, "/")
	form := url.Values{"q": {query}, "db": {database}, "epoch": {"ns"}, "chunked": {"true"}, "chunk_size": {strconv.Itoa(rowsOfPiece)}}
	if policy != "" {
		form.Set("rp", policy)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(r.URL, "/")+"/query", strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("ask InfluxDB: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if r.Token != "" {
		req.Header.Set("Authorization", "Token "+string(r.Token))
	}
	client := r.Client
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return r.unanswered(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer)) // what of it can be read
		return r.answered(res.StatusCode, wordsOf(res.Header, text))
	}
	err = readAnswer(res.Body, each)
	var said saidError
	if errors.As(err, &said) {
		return r.answered(res.StatusCode, string(said))
	}
	return err
}

// target is the server as one to write to.
func (r *Reader) target() Target { return Target{URL: r.URL, Bucket: r.Bucket, Token: r.Token} }

func (r *Reader) unanswered(err error) error {
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("ask InfluxDB: %w", err)
	case errors.As(err, &certificate):
		return fmt.Errorf("ask InfluxDB: %w: %s", err, certificateRemedy)
	}
	return fmt.Errorf("ask InfluxDB: %w: is InfluxDB running there?", err)
}

// answered is a server's error with what to do about it.
func (r *Reader) answered(code int, words string) error {
	t := r.target()
	text := t.quote(words)
	if code != http.StatusOK {
		text = t.saying(code, words)
	}
	if remedy := t.readRemedy(code, words); remedy != "" {
		text += ": " + remedy
	}
	return fmt.Errorf("InfluxDB at %s answers %s", r.URL, text)
}

// A saidError is what a server says of an error within an answer.
type saidError string

func (e saidError) Error() string { return "InfluxDB answers " + string(e) }

func readAnswer(in io.Reader, each func(*answerSeries) error) error {
	d := json.NewDecoder(in)
	d.UseNumber()
	for {
		var a answer
		switch err := d.Decode(&a); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read InfluxDB's answer: %w", err)
		case a.Error != "":
			return saidError(a.Error)
		}
		for _, result := range a.Results {
			if result.Error != "" {
				return saidError(result.Error)
			}
			for _, s := range result.Series {
				if err := each(s); err != nil {
					return err
				}
			}
		}
	}
}

// row takes one row of a series apart.
func (s *answerSeries) row(values []any) (row, error) {
	r := row{series: s, fields: Point{}}
	if len(values) != len(s.Columns) {
		return r, fmt.Errorf("read InfluxDB's answer: %s has a row of %d values for %d columns", s.Name, len(values), len(s.Columns))
	}
	for i, name := range s.Columns {
		if values[i] == nil {
			continue
		}
		v, err := typed(name, values[i])
		if err != nil {
			return r, fmt.Errorf("read InfluxDB's answer: %s: %s: %w", s.Name, name, err)
		}
		if name == "time" {
			at, ok := v.(int64)
			if !ok {
				return r, fmt.Errorf("read InfluxDB's answer: %s: its time is %v", s.Name, v)
			}
			r.time = at
			continue
		}
		r.fields[name] = v
	}
	return r, nil
}

// typed is a value of the type that the field has by its name: JSON tells no whole number from others.
func typed(name string, v any) (any, error) {
	n, ok := v.(json.Number)
	if !ok {
		return v, nil
	}
	_, isValue := unitOf[name]
	if isValue || attributes[numberFields[name]].form == asFloat || strings.HasPrefix(name, metricPrefix) {
		return n.Float64()
	}
	if i, err := n.Int64(); err == nil {
		return i, nil
	}
	return n.Float64()
}

// quoteText quotes a text for InfluxQL.
func quoteText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(s) + "'"
}

// quoteName quotes a name for InfluxQL.
func quoteName(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
