package main

import "sync/atomic"

// batch is how many pages are written between two looks at the clock.
const batch = 64

// dirty rewrites the region's pages at the meter's pace until stop.
func dirty(r *region, choose func() int, m *meter, stop *atomic.Bool) {
	p := pacer{meter: m}
	for !stop.Load() {
		pages := int64(batch)
		if m.pace != nil {
			pages = min(batch, p.due(mono()))
		}
		for range pages {
			r.rewrite(choose())
		}
		m.written.Add(pages * pageSize)
		if pages == 0 {
			p.wait()
		}
	}
}
