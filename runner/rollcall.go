package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/guest/agent"
)

const (
	// callers is how many guests are asked at once: each answer costs CPU that the others' need.
	callers = 8
	// answerLimit is how long one may take to say who it is.
	answerLimit = 30 * time.Second
)

// A rollCall asks guests who they are, and holds the answers against each other and against what they were given. It belongs
// to one goroutine.
type rollCall struct {
	e    *execution
	list []*called
}

// A called guest and its answer.
type called struct {
	n        int
	name     string
	instance guest.Instance
	said     agent.Identity
	err      error
}

func (r *rollCall) add(n int, name string, instance guest.Instance) {
	r.list = append(r.list, &called{n: n, name: name, instance: instance})
}

// call asks all and records IdentityConflict and IdentityChecked. A conflict, one on the wire too, a guest that is not who it
// should be, or does not answer, is the subject's outcome. Guests without an agent cannot be asked, and are not counted.
func (r *rollCall) call(ctx context.Context) error {
	if len(r.list) == 0 || r.mute() {
		return r.outcome(r.e.rec.identityConflicts())
	}
	r.ask(ctx)
	if err := ctx.Err(); err != nil { // it was not the guests' fault that they did not answer
		return fmt.Errorf("ask guests who they are: %w", context.Cause(ctx))
	}
	var wrong []string
	answered := 0
	for _, c := range r.list {
		if c.err != nil {
			wrong = append(wrong, fmt.Sprintf("%s did not say who it is: %v", c.name, c.err))
			continue
		}
		answered++
		for _, d := range differences(r.e.site.Fleet().Identity(c.n), c.said) {
			wrong = append(wrong, c.name+" has "+d)
		}
	}
	conflicts := r.conflicts()
	r.e.rec.Record(results.Record{
		Time: time.Now().UnixNano(), Host: Controller, Source: results.SourceRunner, Name: results.IdentityChecked,
		Value: float64(answered), Unit: results.One, Attrs: map[string]string{"conflicts": strconv.Itoa(len(conflicts))},
	})
	return r.outcome(slices.Concat(conflicts, r.e.rec.identityConflicts(), wrong))
}

// mute is whether the guests' image is a user's, without an agent.
func (r *rollCall) mute() bool {
	switch r.e.trial.Spec.Guest.Image {
	case "", "builtin", "debian":
		return false
	default:
		return true
	}
}

func (r *rollCall) outcome(wrong []string) error {
	if len(wrong) == 0 {
		return nil
	}
	if more := len(wrong) - namedFailures; more > 0 {
		wrong = append(wrong[:namedFailures:namedFailures], fmt.Sprintf("and %d more", more))
	}
	return &guest.OutcomeError{Reason: "identities: " + strings.Join(wrong, "; ")}
}

// ask asks all of the list.
func (r *rollCall) ask(ctx context.Context) {
	slots := make(chan struct{}, callers)
	var all sync.WaitGroup
	for _, c := range r.list {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			c.said, c.err = askIdentity(ctx, c.instance)
		})
	}
	all.Wait()
}

func askIdentity(ctx context.Context, g guest.Instance) (agent.Identity, error) {
	client, err := agentOf(g)
	if err != nil {
		return agent.Identity{}, err
	}
	bounded, cancel := context.WithTimeoutCause(ctx, answerLimit, fmt.Errorf("no answer within %s", answerLimit))
	defer cancel()
	bounded, release := untilEnded(bounded, g)
	defer release()
	if _, err := client.Hello(bounded); err != nil {
		return agent.Identity{}, err
	}
	m, err := client.Do(bounded, agent.Request{Op: agent.OpIdentity})
	if err == nil && m.Identity == nil {
		err = errors.New("the reply is empty: rebuild the guest's init with `make build`")
	}
	if err != nil {
		return agent.Identity{}, err
	}
	return *m.Identity, nil
}

// differences are how a guest's identity is not the one that it was given. What it was not given is not compared.
func differences(given, said agent.Identity) []string {
	var list []string
	for _, f := range fields(given) {
		if got := fields(said)[f.kind]; f.value != "" && f.value != got.value {
			list = append(list, fmt.Sprintf("the %s %q instead of %q", f.kind, got.value, f.value))
		}
	}
	slices.Sort(list)
	return list
}

type field struct{ kind, value string }

// fields are what tells guests apart, by kind, in one way of writing. The boot id is not: clones have it in common.
func fields(i agent.Identity) map[string]field {
	all := make(map[string]field)
	for kind, value := range map[string]string{
		"mac": strings.ToLower(i.MAC), "address": i.Address, "name": i.Name, "machine-id": strings.ToLower(i.MachineID),
	} {
		if kind == "address" {
			value, _, _ = strings.Cut(value, "/")
		}
		all[kind] = field{kind, value}
	}
	return all
}

// conflicts records what several guests answer to, and says so in words.
func (r *rollCall) conflicts() []string {
	holders := make(map[field][]string)
	for _, c := range r.list {
		if c.err != nil {
			continue
		}
		for _, f := range fields(c.said) {
			if f.value != "" {
				holders[f] = append(holders[f], c.name)
			}
		}
	}
	maps.DeleteFunc(holders, func(_ field, names []string) bool { return len(names) < 2 })
	var list []string
	for f, names := range holders {
		guests := strings.Join(names, ",")
		r.e.record(time.Now(), results.IdentityConflict, map[string]string{"kind": f.kind, "value": f.value, "guests": guests})
		list = append(list, fmt.Sprintf("%s share the %s %s", guests, f.kind, f.value))
	}
	slices.Sort(list)
	return list
}
