package timeline

import (
	"slices"
	"strings"
	"virtscope/analysis/quantity"
)

// whys gathers why figures are not known, or are lower bounds: each reason once, with the figures that it holds for.
type whys []why

type why struct {
	reason string
	names  []string
}

func (w *whys) add(name string, q quantity.Quantity) {
	if q.Known && !q.Censored {
		return
	}
	i := slices.IndexFunc(*w, func(x why) bool { return x.reason == q.Why })
	if i < 0 {
		i = len(*w)
		*w = append(*w, why{reason: q.Why})
	}
	(*w)[i].names = append((*w)[i].names, name)
}

// of is how many figures have the reason of q.
func (w whys) of(q quantity.Quantity) int {
	for _, x := range w {
		if x.reason == q.Why {
			return len(x.names)
		}
	}
	return 0
}

func (w why) String() string { return strings.Join(shortened(w.names), ", ") + ": " + w.reason }

func (w whys) texts() []string {
	var list []string
	for _, x := range w {
		list = append(list, x.String())
	}
	return list
}

// shortened leaves out of a name what it has in common with the last one that is written in full: "load.lost, .lost.floor".
func shortened(names []string) []string {
	var list []string
	base := ""
	for _, name := range names {
		if base != "" && strings.HasPrefix(name, base+".") {
			list = append(list, name[len(base):])
			continue
		}
		base = name[:max(0, strings.LastIndex(name, "."))]
		list = append(list, name)
	}
	return list
}
