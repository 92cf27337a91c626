package spec

import "fmt"

func (c *checker) probes() {
	p := c.e.Probes
	if p.Echo.Interval < minEcho {
		c.want(fmt.Sprintf("want at least %s", minEcho), "probes.echo.interval")
	}
	if p.Usage.Interval < minSample {
		c.want(fmt.Sprintf("want at least %s", minSample), "probes.usage.interval")
	}
	if p.Energy.Interval > 0 && p.Energy.Interval < minSample {
		c.want(fmt.Sprintf("want at least %s, or 0 to turn the probe off", minSample), "probes.energy.interval")
	}
	if bin := p.Load.Bin; c.e.Workload.Serves() != "" && (bin < minSample || bin > c.e.Baseline/baselineBins) {
		c.want(fmt.Sprintf("want at least %s, and a baseline (now %s) of at least %d bins (now %s): it is what service is compared with",
			minSample, c.e.Baseline, baselineBins, bin), "probes.load.bin", "baseline")
	}
	if c.e.Baseline/baselineProbes < p.Echo.Interval {
		c.want(fmt.Sprintf("want a baseline (now %s) of at least %d × probes.echo.interval (%s): it is the noise floor",
			c.e.Baseline, baselineProbes, p.Echo.Interval), "baseline", "probes.echo.interval")
	}
}
