package spec

import (
	"fmt"
	"math"
)

// testbed checks the links and what shares them.
func (c *checker) testbed() {
	t := c.e.Testbed
	c.link("testbed.link", t.Link)
	if t.MigrationLink != nil {
		c.link("testbed.migration-link", *t.MigrationLink)
	}
	if t.CrossTraffic != nil {
		c.crossTraffic(*t.CrossTraffic)
	}
}

const (
	// What the flows in one direction are asked to send (testbed/traffic): a datagram a minute each, at most maxTraffic.
	flowDatagram      = 1400 // B
	minute            = 60   // s
	maxTraffic   Rate = 1e12
)

func (c *checker) crossTraffic(x CrossTraffic) {
	const at = "testbed.cross-traffic."
	ways := 1
	if x.Direction == "both" { // they share the rate evenly
		ways = 2
	}
	least := max(minLinkRate, Rate(math.Ceil(float64(x.Flows*flowDatagram*ways)/minute)))
	switch {
	case x.Kind == "udp" && x.Rate == 0:
		c.want("want a rate: udp sends as much as it says, such as 20Mbit/s", at+"rate", at+"kind", "testbed.cross-traffic")
	case x.Rate > 0 && x.Rate < minLinkRate:
		c.want(fmt.Sprintf("want at least %s", minLinkRate), at+"rate")
	case x.Rate > 0 && x.Rate < least:
		c.want(fmt.Sprintf("want at least %s: a datagram of %d B a minute for each of %d flows, in each direction", least, flowDatagram, x.Flows),
			at+"rate", at+"flows", at+"direction")
	case x.Rate > maxTraffic:
		c.want(fmt.Sprintf("want at most %s", maxTraffic), at+"rate")
	}
}

func (c *checker) link(at string, l Link) {
	c.profile(at, l)
	e := l.Effective()
	if e.Rate > 0 && e.Rate < minLinkRate {
		c.want(fmt.Sprintf("want at least %s, or 0 for no limit", minLinkRate), at+".rate", at+".profile")
	}
	if e.Upload > 0 && e.Upload < minLinkRate {
		c.want(fmt.Sprintf("want at least %s, or no such key for the rate", minLinkRate), at+".upload")
	}
	if (e.Rate > 0 || e.Upload > 0) && e.Queue <= 0 {
		c.want("want more than 0: a rate limit without a queue drops everything", at+".queue", at+".rate", at+".profile", at+".upload")
	}
	if e.Jitter > e.Delay {
		c.want(fmt.Sprintf("want a jitter of at most the delay (%s)", e.Delay), at+".jitter", at+".delay")
	}
	c.down(at, l)
}

// profile refuses a 0 where the profile has another value: a 0 means 0 everywhere in the language.
func (c *checker) profile(at string, l Link) {
	p, want := profiles[l.Profile], "want no 0 where profile "+l.Profile+" has %s; without a profile, write the values that you want"
	if p.Rate > 0 && l.Rate == 0 && c.set(at+".rate") {
		c.want(fmt.Sprintf(want, p.Rate), at+".rate", at+".profile")
	}
	if p.Delay > 0 && l.Delay == 0 && c.set(at+".delay") {
		c.want(fmt.Sprintf(want, p.Delay), at+".delay", at+".profile")
	}
	if p.Jitter > 0 && l.Jitter == 0 && c.set(at+".jitter") {
		c.want(fmt.Sprintf(want, p.Jitter), at+".jitter", at+".profile")
	}
	if p.Loss > 0 && l.Loss == 0 && c.set(at+".loss") {
		c.want(fmt.Sprintf(want, trim(p.Loss)), at+".loss", at+".profile")
	}
}

// down checks the cut of a link.
func (c *checker) down(at string, l Link) {
	m, kind := c.e.Action.Migrate, c.e.Action.Kind()
	if l.DownFor == 0 || kind == "" {
		return
	}
	if l.DownWhen == "postcopy" && (m == nil || !m.IsPostcopy()) {
		what, path := "action: "+kind, "action."+kind
		if m != nil {
			what, path = m.Algorithm, "action.migrate.algorithm"
		}
		c.want("want action.migrate.algorithm: postcopy or hybrid with it, or down-when: action; "+what+" has no post-copy", at+".down-when", path)
	}
	if took := c.e.Action.longest(); l.DownAfter.Seconds() >= took.seconds {
		c.want(fmt.Sprintf("want less than %s: the cut would come after the action", took.text), append([]string{at + ".down-after"}, took.paths...)...)
	}
}
