package main

import (
	"bytes"
	"fmt"
	"virtscope/analysis/dataset"
	"virtscope/analysis/export"
	"virtscope/analysis/report"
	"virtscope/analysis/stats/anova"
	"virtscope/analysis/text"

	"github.com/spf13/cobra"
)

func newEffectsCommand() *cobra.Command {
	var metrics []string
	c := &cobra.Command{
		Use:     "effects RUN",
		Short:   "rank factors and their interactions by how much of a metric they explain (analysis of variance)",
		Example: "  virtscope effects latest --metrics total,downtime",
		Args:    oneArg("name one run folder, latest, or a trials.csv"),
		RunE: func(c *cobra.Command, args []string) error {
			set, err := loadSet(c, args[0])
			if err != nil {
				return err
			}
			set, names, err := export.Choose(set, metrics)
			if err != nil {
				return specError(err)
			}
			var b bytes.Buffer
			for _, name := range names {
				if err := writeEffects(&b, set, name); err != nil {
					return err
				}
			}
			for _, s := range shortcomings(set) {
				text.Wrapped(&b, "! ", s)
			}
			_, err = c.OutOrStdout().Write(b.Bytes())
			return err
		},
	}
	c.Flags().StringSliceVar(&metrics, "metrics", nil, "of these metrics; without it, of the headlines")
	return c
}

// observations are one a trial that counts.
func observations(set dataset.Set, name string) (list []anova.Observation, factors []string) {
	for _, f := range set.Manifest.Factors {
		if len(f.Levels) > 1 {
			factors = append(factors, f.Path)
		}
	}
	for _, t := range set.Trials {
		if !t.Counted() {
			continue
		}
		levels := map[string]string{}
		for _, l := range t.Levels {
			levels[l.Factor] = l.Value
		}
		m, ok := t.Metric(name)
		list = append(list, anova.Observation{Trial: t.ID, Block: t.Block, Levels: levels, Value: m.Value, Known: ok && m.Known, Censored: m.Censored})
	}
	return list, factors
}

func writeEffects(b *bytes.Buffer, set dataset.Set, name string) error {
	list, factors := observations(set, name)
	if len(factors) == 0 {
		return specError(fmt.Errorf("effects of %s: no factor has two levels: there is nothing to explain", set.Name))
	}
	fmt.Fprintf(b, "%s\n", name)
	table, err := anova.Analyse(list, factors, report.Confidence)
	if err != nil {
		return specError(err)
	}
	writeVariance(b, table)
	return nil
}

func writeVariance(b *bytes.Buffer, table anova.Table) {
	if !table.Known {
		text.Wrapped(b, "  ", "cannot be told: "+table.Why)
		b.WriteString("\n")
		return
	}
	how := "of values (type III)"
	if table.Ranks {
		how = "of aligned ranks (type III), as the residuals of the values are not normal"
	}
	text.Wrapped(b, "  ", fmt.Sprintf("analysis of variance %s; %d trials; p corrected by Holm's method over the effects", how, table.N))
	rows := [][]string{{"effect", "partial η²", "partial ω²", "F", "df", "p"}}
	var why []string
	for _, e := range table.Decides() {
		if !e.Known {
			rows = append(rows, []string{e.Name, "unknown", "", "", "", ""})
			why = append(why, e.Name+": "+e.Why)
			continue
		}
		name := e.Name
		if e.Block {
			name += " (block)"
		}
		rows = append(rows, []string{
			name, fmt.Sprintf("%.3f", e.PartialEta2), fmt.Sprintf("%.3f", e.PartialOmega2), fmt.Sprintf("%.3g", e.F),
			fmt.Sprintf("%d, %d", e.DF, table.ResidualDF), smallP(e.Adjusted),
		})
	}
	text.Aligned(b, rows)
	for _, n := range append(why, table.Notes...) {
		text.Wrapped(b, "  ", n)
	}
	b.WriteString("\n")
}

func smallP(p float64) string {
	if p < 0.001 {
		return "<0.001"
	}
	return fmt.Sprintf("%.3f", p)
}
