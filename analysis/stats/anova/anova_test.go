package anova_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"virtscope/analysis/stats/anova"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-8*max(1e-6, math.Abs(want))) {
		t.Errorf("%s = %.12g, want %.12g", what, got, want)
	}
}

func find(t *testing.T, list []anova.Effect, name string) anova.Effect {
	t.Helper()
	for _, e := range list {
		if e.Name == name {
			return e
		}
	}
	t.Fatalf("no effect %s in %+v", name, list)
	return anova.Effect{}
}

type reference struct {
	Name                  string
	Block, A, B, C        []string
	Y                     []float64
	Names                 []string
	SS, DF, F, P, Aligned []float64
	RSS, RDF, BF, BFP, AD float64
}

func references(t *testing.T) []reference {
	t.Helper()
	text, err := os.ReadFile("testdata/anova.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []reference }
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), `"bf_p"`, `"bfp"`)), &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

func (r reference) observations() (list []anova.Observation, factors []string) {
	for i, y := range r.Y {
		o := anova.Observation{Trial: fmt.Sprint(i), Block: r.Block[i], Value: y, Known: true, Levels: map[string]string{"A": r.A[i], "B": r.B[i]}}
		if len(r.C) > 0 {
			o.Levels["C"] = r.C[i]
		}
		list = append(list, o)
	}
	factors = []string{"A", "B"}
	if len(r.C) > 0 {
		factors = append(factors, "C")
	}
	return list, factors
}

func TestReference(t *testing.T) {
	for _, r := range references(t) {
		t.Run(r.Name, func(t *testing.T) {
			obs, factors := r.observations()
			table, err := anova.Analyse(obs, factors, 0.95)
			if err != nil || !table.Known {
				t.Fatal(err, table.Why)
			}
			near(t, "residual SS", table.ResidualSS, r.RSS)
			near(t, "residual DF", float64(table.ResidualDF), r.RDF)
			near(t, "Brown–Forsythe", table.Spread.Statistic, r.BF)
			near(t, "its p", table.Spread.P, r.BFP)
			near(t, "Anderson–Darling", table.Normality.Statistic, r.AD)
			for i, name := range r.Names {
				name = strings.ReplaceAll(strings.ReplaceAll(name, "blk", "block"), ":", " × ")
				e := find(t, table.Effects, name)
				near(t, name+" SS", e.SS, r.SS[i])
				near(t, name+" DF", float64(e.DF), r.DF[i])
				near(t, name+" F", e.F, r.F[i])
				near(t, name+" p", e.P, r.P[i])
				near(t, name+" partial η²", e.PartialEta2, r.SS[i]/(r.SS[i]+r.RSS))
				near(t, name+" aligned F", find(t, table.Aligned, name).F, r.Aligned[i])
			}
			if !slices.IsSortedFunc(table.Effects, func(a, b anova.Effect) int {
				if a.PartialEta2 < b.PartialEta2 {
					return 1
				}
				return -1
			}) {
				t.Errorf("effects are not ranked: %+v", table.Effects)
			}
			// The order of trials and of factors' levels changes nothing.
			slices.Reverse(obs)
			again, err := anova.Analyse(obs, factors, 0.95)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range table.Effects {
				near(t, "reversed "+e.Name, find(t, again.Effects, e.Name).F, e.F)
			}
		})
	}
}

func obs(trial int, value float64, levels ...string) anova.Observation {
	o := anova.Observation{Trial: fmt.Sprint(trial), Value: value, Known: true, Levels: map[string]string{}}
	for i, l := range levels {
		o.Levels[string(rune('A'+i))] = l
	}
	return o
}

func TestRefused(t *testing.T) {
	good := []anova.Observation{obs(1, 1, "x"), obs(2, 2, "y")}
	for _, c := range []struct {
		name    string
		obs     []anova.Observation
		factors []string
		conf    float64
		want    string
	}{
		{"two of a trial", append(good, obs(1, 3, "x")), []string{"A"}, 0.95, "has two observations"},
		{"no trial", []anova.Observation{{Value: 1, Known: true}}, []string{"A"}, 0.95, "names no trial"},
		{"no level", good, []string{"B"}, 0.95, "has no level of B"},
		{"not finite", []anova.Observation{obs(1, math.Inf(1), "x")}, []string{"A"}, 0.95, "not finite"},
		{"no factors", good, nil, 0.95, "name 1 to 6"},
		{"twice", good, []string{"A", "A"}, 0.95, "named twice"},
		{"confidence", good, []string{"A"}, 95, "not between"},
	} {
		if _, err := anova.Analyse(c.obs, c.factors, c.conf); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestNotKnown(t *testing.T) {
	censored := obs(5, 9, "y")
	censored.Censored = true
	for _, c := range []struct {
		name, want string
		obs        []anova.Observation
	}{
		{"censored", "trial 5 is censored", []anova.Observation{obs(1, 1, "x"), obs(2, 2, "x"), obs(3, 3, "y"), censored}},
		{"one level", "no factor has two levels", []anova.Observation{obs(1, 1, "x"), obs(2, 2, "x"), obs(3, 3, "x")}},
		{"none", "no factor has two levels", nil},
		{"constant", "no value varies", []anova.Observation{obs(1, 1, "x"), obs(2, 1, "x"), obs(3, 1, "y")}},
		{"one each", "leaves nothing to tell error by", []anova.Observation{obs(1, 1, "x"), obs(2, 2, "y"), obs(3, 3, "z")}},
	} {
		table, err := anova.Analyse(c.obs, []string{"A"}, 0.95)
		if err != nil || table.Known || !strings.Contains(table.Why, c.want) {
			t.Errorf("%s: %v %+v", c.name, err, table)
		}
	}
}

func TestEmptyCell(t *testing.T) {
	var list []anova.Observation
	for i := range 12 {
		a, b := fmt.Sprint(i%2), fmt.Sprint(i/2%2)
		if a == "1" && b == "1" {
			continue
		}
		list = append(list, obs(i, float64(i%2*10)+float64(i*i%7), a, b))
	}
	table, err := anova.Analyse(list, []string{"A", "B"}, 0.95)
	if err != nil || !table.Known {
		t.Fatal(err, table)
	}
	e := find(t, table.Effects, "A × B")
	if e.Known || e.Why != "not estimable: no known value at A = 1, B = 1" || !find(t, table.Effects, "A").Known ||
		!slices.Contains(table.Notes, "interactions that are not known are assumed to be none") {
		t.Errorf("%+v", table.Effects)
	}
}

// Without replicates the interaction of most factors is the error, and says so.
func TestOneReplicate(t *testing.T) {
	var list []anova.Observation
	for i := range 9 {
		list = append(list, obs(i, float64(i%3*10)+float64(i*i%7), fmt.Sprint(i%3), fmt.Sprint(i/3)))
	}
	table, err := anova.Analyse(list, []string{"A", "B"}, 0.95)
	if err != nil || !table.Known || table.ResidualDF != 4 {
		t.Fatal(err, table)
	}
	if e := find(t, table.Effects, "A × B"); e.Known || !strings.Contains(e.Why, "counts as error") {
		t.Errorf("%+v", e)
	}
}

func TestConfounded(t *testing.T) {
	var list []anova.Observation
	for i := range 12 {
		o := obs(i, float64(i*i%7), fmt.Sprint(i%3))
		o.Block = "block " + fmt.Sprint(i%3)
		list = append(list, o)
	}
	table, err := anova.Analyse(list, []string{"A"}, 0.95)
	if err != nil || table.Known || !strings.Contains(table.Why, "confounds") {
		t.Errorf("%v %+v", err, table)
	}
}

// With no effect at all, neither values nor aligned ranks call one at 5 % more than 5 % of the time.
func TestFalsePositives(t *testing.T) {
	const runs = 500
	random := rand.New(rand.NewPCG(3, 4))
	red := map[string]int{}
	for range runs {
		var list []anova.Observation
		for i := range 24 {
			o := obs(i, math.Exp(random.NormFloat64()/2), fmt.Sprint(i%3), fmt.Sprint(i/3%2))
			o.Block = fmt.Sprint(i / 6)
			list = append(list, o)
		}
		table, err := anova.Analyse(list, []string{"A", "B"}, 0.95)
		if err != nil || !table.Known {
			t.Fatal(err, table.Why)
		}
		for kind, effects := range map[string][]anova.Effect{"values": table.Effects, "ranks": table.Aligned} {
			if slices.ContainsFunc(effects, func(e anova.Effect) bool { return !e.Block && e.Adjusted <= 0.05 }) {
				red[kind]++
			}
		}
	}
	t.Log(red)
	for kind, n := range red {
		if share := float64(n) / runs; share > 0.05+3*math.Sqrt(0.05*0.95/runs) {
			t.Errorf("%s: %.3f of the families have a false effect", kind, share)
		}
	}
}
