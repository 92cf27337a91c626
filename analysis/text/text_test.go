package text_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
	"virtscope/analysis/text"
)

func TestAligned(t *testing.T) {
	var b bytes.Buffer
	text.Aligned(&b, [][]string{{"a", "µs", ""}, {"bb", "1", "x"}})
	if got, want := b.String(), "a   µs\nbb   1  x\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	text.Aligned(&b, nil)
}

func TestWrapped(t *testing.T) {
	var b bytes.Buffer
	text.Wrapped(&b, "  - ", strings.Repeat("µs word ", 40))
	for i, line := range strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n") {
		if n := utf8.RuneCountInString(line); n > text.Width || i > 0 && !strings.HasPrefix(line, "    ") {
			t.Errorf("line %d is %d columns: %q", i, n, line)
		}
	}
}

func TestBar(t *testing.T) {
	for _, c := range []struct {
		begin, end, from, to int64
		want                 string
	}{
		{0, 32, 0, 32, strings.Repeat("█", 32)},
		{0, 32, 8, 16, strings.Repeat("·", 8) + strings.Repeat("█", 8) + strings.Repeat("·", 16)},
		{0, 3200, 3200, 3200, strings.Repeat("·", 31) + "█"},
		{5, 5, 5, 5, ""},
	} {
		if got := text.Bar(c.begin, c.end, c.from, c.to); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
