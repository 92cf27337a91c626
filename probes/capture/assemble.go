package capture

import (
	"fmt"
	"math"

	"golang.org/x/net/bpf"
)

// maxProgram is how many instructions Linux takes in a socket filter (BPF_MAXINSNS, linux/bpf_common.h).
const maxProgram = 4096

// A label is a place in an assembly. The zero label is the instruction that follows.
type label int

// onward is where a branch goes on when it does not jump.
const onward label = 0

// An assembly gathers instructions that jump to labels. Classic BPF's conditional jumps reach 255 instructions, and
// all jumps go forward; build puts a far unconditional jump beside those that have to reach further.
type assembly struct {
	lines  []line
	labels label
}

// A line is an instruction, a branch, or the place of a label.
type line struct {
	ins           bpf.Instruction // nil: only a label's place
	mark          label           // if ins is nil
	branch        bool            // ins is JumpIf or JumpIfX
	jump          bool            // ins is Jump; its label is yes
	yes, no       label
	farYes, farNo bool // beyond 255 instructions
	at            int
}

// size is how many instructions l becomes.
func (l *line) size() int {
	n := 0
	for _, one := range []bool{l.ins != nil, l.farYes, l.farNo} {
		if one {
			n++
		}
	}
	return n
}

// label makes a label, which must be placed once and behind all jumps to it.
func (a *assembly) label() label {
	a.labels++
	return a.labels
}

func (a *assembly) place(l label) { a.lines = append(a.lines, line{mark: l}) }

func (a *assembly) emit(code ...bpf.Instruction) {
	for _, i := range code {
		a.lines = append(a.lines, line{ins: i})
	}
}

// when compares A with a constant.
func (a *assembly) when(test bpf.JumpTest, value uint32, yes, no label) {
	a.lines = append(a.lines, line{ins: bpf.JumpIf{Cond: test, Val: value}, branch: true, yes: yes, no: no})
}

// whenX compares A with X.
func (a *assembly) whenX(test bpf.JumpTest, yes, no label) {
	a.lines = append(a.lines, line{ins: bpf.JumpIfX{Cond: test}, branch: true, yes: yes, no: no})
}

func (a *assembly) jump(to label) {
	a.lines = append(a.lines, line{ins: bpf.Jump{}, jump: true, yes: to})
}

// build gives the program.
func (a *assembly) build() ([]bpf.Instruction, error) {
	program := a.encode()
	if len(program) > maxProgram {
		return nil, fmt.Errorf("make socket filter: %d instructions, and Linux takes %d: name fewer addresses, ports or MACs", len(program), maxProgram)
	}
	return program, nil
}

// encode is build without its limit.
func (a *assembly) encode() []bpf.Instruction {
	places := a.layout()
	for a.stretch(places) { // each turn makes at least one branch longer, so it ends
		places = a.layout()
	}
	var program []bpf.Instruction
	for i := range a.lines {
		program = a.lines[i].encode(program, places)
	}
	return program
}

// layout gives each line its place.
func (a *assembly) layout() map[label]int {
	places, at := make(map[label]int, a.labels), 0
	for i := range a.lines {
		l := &a.lines[i]
		l.at = at
		if l.ins == nil {
			places[l.mark] = at
		}
		at += l.size()
	}
	return places
}

// stretch marks the branches that do not reach. It reports whether there were any that were not marked yet.
func (a *assembly) stretch(places map[label]int) bool {
	found := false
	for i := range a.lines {
		l := &a.lines[i]
		if !l.branch {
			continue
		}
		if !l.farYes && l.skip(l.yes, places) > math.MaxUint8 {
			l.farYes, found = true, true
		}
		if !l.farNo && l.skip(l.no, places) > math.MaxUint8 {
			l.farNo, found = true, true
		}
	}
	return found
}

// skip is how many instructions lie between l's first and its target.
func (l *line) skip(to label, places map[label]int) int {
	if to == onward {
		return l.size() - 1
	}
	return places[to] - l.at - 1
}

func (l *line) encode(program []bpf.Instruction, places map[label]int) []bpf.Instruction {
	switch {
	case l.ins == nil:
		return program
	case l.jump:
		return append(program, bpf.Jump{Skip: uint32(l.skip(l.yes, places))})
	case !l.branch:
		return append(program, l.ins)
	}
	yes, no := l.skip(l.yes, places), l.skip(l.no, places)
	var far []bpf.Instruction
	if l.farYes {
		far = append(far, bpf.Jump{Skip: uint32(yes - 1)})
		yes = 0
	}
	if l.farNo {
		far = append(far, bpf.Jump{Skip: uint32(no - 1 - len(far))})
		no = len(far) - 1
	}
	switch i := l.ins.(type) {
	case bpf.JumpIf:
		i.SkipTrue, i.SkipFalse = uint8(yes), uint8(no)
		program = append(program, i)
	case bpf.JumpIfX:
		i.SkipTrue, i.SkipFalse = uint8(yes), uint8(no)
		program = append(program, i)
	}
	return append(program, far...)
}
