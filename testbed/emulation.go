package testbed

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
	"virtscope/results"
	"virtscope/testbed/host"
)

const (
	// delayFrames and lossFrames are how many frames each train has. Those of the first are far enough apart that each
	// finds the emulator asleep.
	delayFrames, lossFrames = 300, 10_000
	delayGap, lossGap       = time.Millisecond, 25 * time.Microsecond
	// longestCalibrated is the longest delay, jitter included, that is waited for.
	longestCalibrated = 500 * time.Millisecond
)

// Emulation measures, on links of its own that carry nothing else, what cfg's emulator makes of the delays, jitters and
// losses that are asked for: facts for the manifest, of the subjects LinkName and MigrationLinkName. It takes up to 1.3 s
// for each link that is emulated; two links that are alike are measured once. What could not be measured is "unknown: " and
// the reason; an error is one of the machine or of cfg. Without a link that is emulated there are no facts.
//
// Facts: emulator (netem or relay); emulator.frames (single or super: what is delayed and lost as one);
// emulator.delay.mean, .sd, .min and .max of the link as it is asked for; emulator.delay.error.mean, .sd, .median, .p99
// and .max: by how much the delay, without jitter, is longer than asked for, in s; emulator.loss with emulator.loss.lost,
// emulator.loss.sent and the 95 % interval emulator.loss.low to .high (Wilson 1927); emulator.reordered: the share of
// frames that came after a later one, of a train of frames 25 µs apart with loss, else 1 ms. emulator.urgent: whether the
// relay runs before ordinary threads (yes, or no and what follows). The rate is not part of it.
func Emulation(ctx context.Context, cfg Config) ([]results.Fact, error) {
	fail := func(err error) ([]results.Fact, error) {
		return nil, fmt.Errorf("measure the links' emulator: %w", err)
	}
	emulator, err := cfg.emulator()
	if err != nil {
		return fail(err)
	}
	if emulator == EmulatorRelay {
		if err := cfg.checkRelay(); err != nil {
			return fail(err)
		}
	}
	links := []end{{name: LinkName, link: cfg.Link}}
	if cfg.MigrationLink != nil {
		links = append(links, end{name: MigrationLinkName, link: *cfg.MigrationLink})
	}
	var facts []results.Fact
	known := map[Link][]results.Fact{}
	for _, e := range links {
		if !e.link.emulated() {
			continue
		}
		found, ok := known[e.link]
		if !ok {
			if found, err = measure(ctx, cfg, emulator, e.link); err != nil {
				return fail(err)
			}
			known[e.link] = found
		}
		for _, f := range found {
			f.Subject = e.name
			facts = append(facts, f)
		}
	}
	return facts, nil
}

// measure is the facts of one link, without a subject.
func measure(ctx context.Context, cfg Config, emulator string, l Link) (facts []results.Fact, err error) {
	add := func(name, value string) { facts = append(facts, results.Fact{Name: "emulator" + name, Value: value}) }
	add("", emulator)
	frames := "super"
	if emulator == EmulatorRelay && !l.superFrames() {
		frames = "single"
	}
	add(".frames", frames)
	if l.Delay+l.Jitter > longestCalibrated {
		add(".delay.error.mean", fmt.Sprintf("unknown: a delay of %s takes longer to measure than a run may wait", l.Delay+l.Jitter))
		return facts, nil
	}
	exact := l
	exact.Jitter, exact.Loss = 0, 0
	err = host.InScratchNamespace(func() error {
		scratch, err := makeScratch(ctx, cfg, emulator, []Link{l, exact})
		if err != nil {
			return err
		}
		var asked, plain, lossy train
		plain, err = send(ctx, scratchDevice(1), delayFrames, delayGap, l.Delay)
		if err == nil {
			asked, err = plain, nil
			if exact != l {
				asked, err = send(ctx, scratchDevice(0), delayFrames, delayGap, l.Delay+l.Jitter)
			}
		}
		lossy = asked
		if err == nil && l.Loss > 0 {
			lossy, err = send(ctx, scratchDevice(0), lossFrames, lossGap, l.Delay+l.Jitter)
		}
		if err == nil {
			asked.tell(add)
			plain.tellError(add, l.Delay)
			lossy.tellLoss(add)
		}
		if err == nil && emulator == EmulatorRelay {
			var urgent string
			urgent, err = scratch.urgent(ctx)
			add(".urgent", urgent)
		}
		return errors.Join(err, scratch.end())
	})
	return facts, err
}

// tell is what a link does to frames' delays.
func (t train) tell(add func(name, value string)) {
	d := t.delays()
	if len(d) == 0 {
		add(".delay.mean", "unknown: no frame came")
		return
	}
	mean, sd := meanAndSD(d)
	add(".delay.mean", seconds(mean))
	add(".delay.sd", seconds(sd))
	add(".delay.min", seconds(slices.Min(d)))
	add(".delay.max", seconds(slices.Max(d)))
}

// tellError is how far delays are from what was asked for.
func (t train) tellError(add func(name, value string), asked time.Duration) {
	d := t.delays()
	if len(d) == 0 {
		add(".delay.error.mean", "unknown: no frame came")
		return
	}
	for i := range d {
		d[i] -= asked.Seconds()
	}
	slices.Sort(d)
	mean, sd := meanAndSD(d)
	add(".delay.error.mean", seconds(mean))
	add(".delay.error.sd", seconds(sd))
	add(".delay.error.median", seconds(d[len(d)/2]))
	add(".delay.error.p99", seconds(d[(len(d)*99+99)/100-1]))
	add(".delay.error.max", seconds(d[len(d)-1]))
}

func (t train) tellLoss(add func(name, value string)) {
	sent, came := len(t.sent), len(t.delays())
	lost := sent - came
	low, high := wilson(lost, sent)
	add(".loss", number(float64(lost)/float64(sent)))
	add(".loss.lost", strconv.Itoa(lost))
	add(".loss.sent", strconv.Itoa(sent))
	add(".loss.low", number(low))
	add(".loss.high", number(high))
	if came == 0 {
		add(".reordered", "unknown: no frame came")
		return
	}
	add(".reordered", number(float64(t.reordered)/float64(came)))
}

// wilson is the 95 % score interval of a share (Wilson 1927, J. Am. Stat. Assoc. 22, 209).
func wilson(k, n int) (low, high float64) {
	const z = 1.959963984540054
	p, N := float64(k)/float64(n), float64(n)
	middle := (p + z*z/(2*N)) / (1 + z*z/N)
	half := z / (1 + z*z/N) * math.Sqrt(p*(1-p)/N+z*z/(4*N*N))
	return max(0, middle-half), min(1, middle+half)
}

// meanAndSD are of a sample of at least one; the standard deviation of one is 0.
func meanAndSD(list []float64) (mean, sd float64) {
	for _, x := range list {
		mean += x / float64(len(list))
	}
	for _, x := range list {
		sd += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(sd / float64(max(1, len(list)-1)))
}

func seconds(s float64) string { return strconv.FormatFloat(s, 'f', 7, 64) + " s" }
func number(x float64) string  { return strconv.FormatFloat(x, 'g', 4, 64) }
