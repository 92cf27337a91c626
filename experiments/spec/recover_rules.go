package spec

import (
	"fmt"
	"time"
)

// agentBeat is the interval of the built-in guest's heartbeat (agent.Hello.BeatNS).
const agentBeat = Duration(20 * time.Millisecond)

func (c *checker) recovery(r Recover) {
	const at = "action.recover."
	c.saving("action.recover.save", r.Save)
	for _, k := range []struct {
		key  string
		d    Duration
		read bool
	}{{"period", r.Period, true}, {"timeout", r.Timeout, true}, {"every", r.Every, r.Failures > 0}, {"for", r.For, r.Failures == 0}} {
		if k.read && k.d <= 0 {
			c.want("want more than 0", at+k.key)
		}
	}
	if r.Failures == 0 {
		if r.For <= r.Period {
			c.want(fmt.Sprintf("want more than action.recover.period (%s): what a checkpoint costs is only seen if one is made", r.Period), at+"for", at+"period")
		}
		return
	}
	c.detection(r)
	c.failure(r)
}

// detection checks that a failure can be seen, and told from a guest that is well.
func (c *checker) detection(r Recover) {
	const at = "action.recover."
	if r.Failure == "cut-link" && r.Detect != "echo" {
		c.want("want echo with failure: cut-link: the hypervisor runs on, and the agent's channel does not pass the link", at+"detect", at+"failure")
	}
	if r.Detect == "process" {
		return
	}
	beat, path := agentBeat, at+"detect"
	if r.Detect == "echo" {
		beat, path = c.e.Probes.Echo.Interval, "probes.echo.interval"
	}
	switch {
	case r.DetectAfter < 2*beat:
		c.want(fmt.Sprintf("want at least %s: two intervals of the sign of life that is missed", 2*beat), at+"detect-after", path)
	case r.DetectAfter >= r.Timeout:
		c.want(fmt.Sprintf("want less than action.recover.timeout (%s)", r.Timeout), at+"detect-after", at+"timeout")
	}
}

// failure refuses a recovery from what the failure takes away.
func (c *checker) failure(r Recover) {
	const at = "action.recover."
	if r.Failure == "kill-guest" {
		return
	}
	if client := c.e.Testbed.Client; client != "third" {
		c.want("want third with failure: "+r.Failure+": the client would fail with its host", "testbed.client", at+"failure")
	}
	switch {
	case r.Restart == "other" && r.Save.To != "other":
		c.want("want other with failure: "+r.Failure+" and restart: other: what lies on a failed host cannot be read from elsewhere", at+"save.to", at+"restart", at+"failure")
	case r.Failure == "kill-host" && r.Save.To == "memory":
		c.want("want disk or other with failure: kill-host: a host's memory fails with it", at+"save.to", at+"failure")
	}
}

// recoveries are the conditions under which keys of action.recover are read.
func recoveries(key, want string, is func(Recover) bool) keyReader {
	return value("action.recover."+key, "action.recover.failures", want, func(e *Experiment) bool {
		return e.Action.Recover != nil && is(*e.Action.Recover)
	})
}

func fails(r Recover) bool { return r.Failures > 0 }

var recoverReaders = []keyReader{
	recoveries("failure", "1 or more", fails), recoveries("every", "1 or more", fails), recoveries("arrivals", "1 or more", fails),
	recoveries("detect", "1 or more", fails), recoveries("detect-after", "1 or more", fails), recoveries("restart", "1 or more", fails),
	recoveries("save.load", "1 or more", fails),
	recoveries("for", "0", func(r Recover) bool { return r.Failures == 0 }),
	value("action.recover.detect-after", "action.recover.detect", "heartbeat or echo", func(e *Experiment) bool {
		return e.Action.Recover != nil && e.Action.Recover.Detect != "process"
	}),
	savedDisk(ActionRecover),
}
