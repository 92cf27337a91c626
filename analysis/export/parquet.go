package export

import (
	"fmt"
	"io"
	"strings"
	"virtscope/analysis/dataset"
	"virtscope/results"

	"github.com/parquet-go/parquet-go"
)

// parquetMetric is a row of a run's figures: one trial and metric. What is not known is null.
type parquetMetric struct {
	Run       string            `parquet:"run,dict"`
	Trial     string            `parquet:"trial,dict"`
	Treatment string            `parquet:"treatment,dict"`
	Levels    map[string]string `parquet:"levels"`
	Block     string            `parquet:"block,dict"`
	Replicate int32             `parquet:"replicate"`
	Order     int32             `parquet:"order"`
	Attempt   int32             `parquet:"attempt"`
	Verdict   string            `parquet:"verdict,dict"`
	Metric    string            `parquet:"metric,dict"`
	Value     *float64          `parquet:"value,optional"`
	Unit      string            `parquet:"unit,dict"`
	Low       *float64          `parquet:"low,optional"`
	High      *float64          `parquet:"high,optional"`
	Censored  bool              `parquet:"censored"`
	Why       string            `parquet:"why,dict"`
}

// Parquet writes a run's figures, one row a trial and metric, compressed by zstd.
func Parquet(w io.Writer, set dataset.Set) error {
	out := parquet.NewGenericWriter[parquetMetric](w, parquet.Compression(&parquet.Zstd))
	for _, t := range set.Trials {
		levels := map[string]string{}
		for _, l := range t.Levels {
			levels[l.Factor] = l.Value
		}
		var rows []parquetMetric
		for _, m := range t.Metrics {
			row := parquetMetric{
				Run: set.Manifest.Run, Trial: t.ID, Treatment: t.Treatment, Levels: levels, Block: t.Block, Replicate: int32(t.Replicate), Order: int32(t.Order),
				Attempt: int32(t.Attempt), Verdict: string(t.Verdict), Metric: m.Name, Unit: string(m.Unit), Censored: m.Known && m.Censored, Why: m.Why,
			}
			if m.Known {
				row.Value, row.Low = &m.Value, &m.Low
				if !m.Censored {
					row.High = &m.High
				}
			}
			rows = append(rows, row)
		}
		if _, err := out.Write(rows); err != nil {
			return fmt.Errorf("write parquet: %w", err)
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("write parquet: %w", err)
	}
	return nil
}

// parquetRecord is a raw record. The time is UTC, exact to the nanosecond, in the form that DuckDB was seen to keep exactly:
// nanosecond, not marked as adjusted to UTC. The value of an event is null where it is 0: a record does not tell 0 from none there.
type parquetRecord struct {
	Trial  string            `parquet:"trial,dict"`
	Time   int64             `parquet:"time,timestamp(nanosecond:local),delta"`
	Host   string            `parquet:"host,dict"`
	Source string            `parquet:"source,dict"`
	Name   string            `parquet:"name,dict"`
	Value  *float64          `parquet:"value,optional"`
	Unit   string            `parquet:"unit,dict"`
	Attrs  map[string]string `parquet:"attrs"`
}

// recordsAtOnce bounds the memory of a writer of records: rows of a group.
const recordsAtOnce = 256 << 10

// A RecordWriter writes the raw records of many trials as one Parquet file, one after another, with bounded memory.
type RecordWriter struct {
	out  *parquet.GenericWriter[parquetRecord]
	rows []parquetRecord
	held int
}

// NewRecordWriter writes to w; the caller closes the writer, and w after it.
func NewRecordWriter(w io.Writer) *RecordWriter {
	return &RecordWriter{out: parquet.NewGenericWriter[parquetRecord](w, parquet.Compression(&parquet.Zstd))}
}

// Write adds records of a trial.
func (w *RecordWriter) Write(trial string, records []results.Record) error {
	for len(records) > 0 {
		n := min(len(records), 4096)
		w.rows = w.rows[:0]
		for i := range records[:n] {
			r := &records[i]
			var value *float64
			if hasValue(*r) {
				value = &r.Value
			}
			w.rows = append(w.rows, parquetRecord{trial, r.Time, r.Host, r.Source, r.Name, value, string(r.Unit), r.Attrs})
		}
		records = records[n:]
		if _, err := w.out.Write(w.rows); err != nil {
			return fmt.Errorf("write parquet of %s: %w", trial, err)
		}
		if w.held += n; w.held >= recordsAtOnce {
			w.held = 0
			if err := w.out.Flush(); err != nil {
				return fmt.Errorf("write parquet of %s: %w", trial, err)
			}
		}
	}
	return nil
}

// Close completes the file. Without it there is none.
func (w *RecordWriter) Close() error { return w.out.Close() }

// slug is a name of letters, digits and separators alone.
func slug(s string, separator rune) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return separator
	}, s)
}
