package export

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"
	"virtscope/analysis/dataset"
	"virtscope/analysis/metric"
	"virtscope/analysis/quantity"
	"virtscope/analysis/stats"
	"virtscope/analysis/text"
	"virtscope/results"
)

// A tableRow is a treatment's summary of a metric.
type tableRow struct {
	treatment dataset.Treatment
	summary   stats.Summary
}

func tableOf(set dataset.Set, name string, confidence float64) ([]tableRow, string, error) {
	var rows []tableRow
	unit := ""
	for _, t := range set.Treatments() {
		s, u, err := t.Sample(name)
		if err != nil {
			return nil, "", err
		}
		if u != "" {
			unit = string(u)
		}
		rows = append(rows, tableRow{t, stats.Summarise(s, confidence)})
	}
	return rows, unit, nil
}

// PGFPlots writes one table a metric for \pgfplotstableread: the factors' levels, n, the median with its interval, mean and standard
// deviation, in base units. What is not known, and a bound that nobody saw, is nan, which pgfplots leaves out. Tables are set apart by a comment with
// the metric's name; with one metric the file is a table by itself.
func PGFPlots(w io.Writer, set dataset.Set, metrics []string, confidence float64) error {
	b := bufio.NewWriter(w)
	factors := factorsOf(set)
	for i, name := range metrics {
		rows, unit, err := tableOf(set, name, confidence)
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprintln(b)
		}
		fmt.Fprintf(b, "# %s in %s; interval of the median: %g %%\n", name, unit, 100*confidence)
		fmt.Fprint(b, "x")
		for _, f := range factors {
			fmt.Fprintf(b, " {%s}", f)
		}
		fmt.Fprint(b, " n median low high mean sd censored\n")
		for x, r := range rows {
			fmt.Fprintf(b, "%d", x+1)
			for _, f := range factors {
				fmt.Fprintf(b, " {%s}", level(r.treatment.Levels, f))
			}
			s := r.summary
			low, high := math.NaN(), math.NaN()
			if s.MedianInterval.Known {
				low = s.MedianInterval.Low.Value
				if !s.MedianInterval.High.AtLeast {
					high = s.MedianInterval.High.Value
				}
			}
			median := s.Median.Value
			if s.Median.AtLeast {
				median = math.NaN()
			}
			fmt.Fprintf(b, " %d %s %s %s %s %s %d\n", s.Known, pgf(median), pgf(low), pgf(high), pgf(s.Mean), pgf(s.SD), s.Censored)
		}
	}
	return b.Flush()
}

func pgf(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "nan"
	}
	return number(v)
}

// LaTeX writes a table with the rules of booktabs: treatments down, metrics across, medians with their interval beneath. A censored median is
// marked ≥; one that is not known is a dash. Beside a median of fewer trials than the row's n stands how many.
func LaTeX(w io.Writer, set dataset.Set, metrics []string, confidence float64) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%% %s: medians, and intervals of %g %% of the median\n", set.Name, 100*confidence)
	fmt.Fprintf(b, "\\begin{tabular}{l%s}\n\\toprule\ntreatment", strings.Repeat("r", len(metrics)+1))
	fmt.Fprint(b, " & $n$")
	columns := make([][]tableRow, len(metrics))
	factors, names := make([]float64, len(metrics)), make([]string, len(metrics))
	for i, name := range metrics {
		rows, unit, err := tableOf(set, name, confidence)
		if err != nil {
			return err
		}
		columns[i] = rows
		largest := 0.0
		for _, r := range rows {
			if v := r.summary.Max.Value; !math.IsNaN(v) {
				largest = max(largest, math.Abs(v))
			}
		}
		factors[i], names[i] = quantity.ScaleOf(largest, results.Unit(unit))
		fmt.Fprintf(b, " & %s", latex(metric.About(name).Title))
		if names[i] != "" {
			fmt.Fprintf(b, " (%s)", latex(names[i]))
		}
	}
	fmt.Fprint(b, " \\\\\n\\midrule\n")
	for row, t := range set.Treatments() {
		medians, spreads := []string{latex(text.Treatment(t.Name)), ""}, []string{"", ""}
		n := 0
		for i := range metrics {
			s := columns[i][row].summary
			n = max(n, s.N)
			medians = append(medians, latexMedian(s, factors[i])+latexFewer(s))
			spreads = append(spreads, latexInterval(s, factors[i]))
		}
		medians[1] = fmt.Sprint(n)
		fmt.Fprintf(b, "%s \\\\\n", strings.Join(medians, " & "))
		if strings.Join(spreads, "") != "" {
			fmt.Fprintf(b, "%s \\\\\n", strings.Join(spreads, " & "))
		}
	}
	fmt.Fprint(b, "\\bottomrule\n\\end{tabular}\n")
	return b.Flush()
}

func latexMedian(s stats.Summary, factor float64) string {
	switch {
	case s.Known == 0:
		return "---"
	case s.Median.AtLeast:
		return "$\\ge$ " + figures(s.Median.Value, factor, quantity.Down)
	}
	return figures(s.Median.Value, factor, quantity.Nearest)
}

// latexFewer says of how many trials a median is, if some have none.
func latexFewer(s stats.Summary) string {
	if s.Known == 0 || s.Known == s.N {
		return ""
	}
	return fmt.Sprintf(" {\\footnotesize ($n=%d$)}", s.Known)
}

func latexInterval(s stats.Summary, factor float64) string {
	i := s.MedianInterval
	if !i.Known {
		return ""
	}
	high := figures(i.High.Value, factor, quantity.Up)
	if i.High.AtLeast {
		high = "\\infty"
	}
	return fmt.Sprintf("{\\footnotesize $[%s, %s]$}", figures(i.Low.Value, factor, quantity.Down), high)
}

// figures is v over factor with four significant digits, and all before the point.
func figures(v, factor float64, side quantity.Side) string {
	if v == 0 {
		return "0"
	}
	digits := max(0, 3-int(math.Floor(math.Log10(math.Abs(v/factor)))))
	return quantity.Fixed(v, factor, digits, side)
}

var latexEscaper = strings.NewReplacer(
	`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`, "{", `\{`, "}", `\}`, "~", `\textasciitilde{}`, "^", `\textasciicircum{}`,
	"µ", `\textmu{}`, "²", "$^2$",
)

func latex(s string) string { return latexEscaper.Replace(s) }
