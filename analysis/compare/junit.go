package compare

import (
	"fmt"
	"io"
	"virtscope/analysis/text"

	"github.com/jstemmer/go-junit-report/v2/junit"
)

// WriteJUnit writes the comparison as a suite of tests: one a metric and treatment. What is worse fails; what cannot be told, or is
// undecided, is skipped with its reason.
func WriteJUnit(w io.Writer, r Result) error {
	suites := junit.Testsuites{Name: "virtscope compare"}
	for _, treatment := range r.treatments() {
		suite := junit.Testsuite{Name: text.Treatment(treatment)}
		suite.AddProperty("base", r.Base)
		suite.AddProperty("head", r.Head)
		for _, row := range r.Rows {
			if row.Treatment == treatment {
				suite.AddTestcase(row.testcase())
			}
		}
		suites.AddSuite(suite)
	}
	return suites.WriteXML(w)
}

func (row Row) testcase() junit.Testcase {
	c := row.cells()
	said := fmt.Sprintf("base %s, head %s, difference %s, p %s", c[2], c[3], c[4], c[6])
	if row.Why != "" {
		said += ": " + row.Why
	}
	t := junit.Testcase{Name: row.Metric, Classname: text.Treatment(row.Treatment)}
	switch row.Verdict {
	case Worse:
		t.Failure = &junit.Result{Message: "worse: " + said, Type: "regression", Data: said}
	case Unknown, Undecided:
		t.Skipped = &junit.Result{Message: string(row.Verdict) + ": " + said}
	default:
		t.SystemOut = &junit.Output{Data: string(row.Verdict) + ": " + said}
	}
	return t
}
