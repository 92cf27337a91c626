package report

import (
	"encoding/base64"
	"fmt"
)

// A counter counts what is written.
type counter int

// Write implements io.Writer.
func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// addSeries puts the trials' series into a page that is otherwise done, within its budget.
func (p *page) addSeries(all []Series) error {
	t, err := pageTemplate()
	if err != nil {
		return err
	}
	var rest counter
	if err := t.Execute(&rest, p); err != nil {
		return fmt.Errorf("write html report: %w", err)
	}
	if p.Thinned, err = fitSeries(all, pageBudget-int(rest)); err != nil {
		return fmt.Errorf("write html report: %w", err)
	}
	for i, s := range all {
		p.Trials[i].Data = base64.URLEncoding.EncodeToString(s)
		all[i] = nil
	}
	return nil
}
