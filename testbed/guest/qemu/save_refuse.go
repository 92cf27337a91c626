package qemu

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"virtscope/testbed/guest"
)

// saveSettings are what is set on a QEMU that saves its guest.
func saveSettings(o guest.SaveOptions) side {
	algorithm := guest.StopAndCopy
	switch {
	case o.Live:
		algorithm = guest.BackgroundSnapshot
	case o.Format == guest.FormatMappedRAM:
		algorithm = guest.MappedRAM
	}
	to := settingsFor(guest.MigrateOptions{Algorithm: algorithm}, false).source
	if o.Format == guest.FormatMemoryFile {
		to.capabilities[ignoreShared] = true
	}
	return to
}

// ignoreShared is the capability that leaves out of a stream the memory that is a shared file.
const ignoreShared = "x-ignore-shared"

// refuseSave says what no QEMU can do or what was not said; nil if there is nothing.
func refuseSave(s guest.Spec, o guest.SaveOptions) error {
	no := func(feature, remedy string) error {
		return &guest.NotSupportedError{Feature: feature, Where: "driver " + Name, Remedy: remedy}
	}
	switch o.Format {
	case guest.FormatStream:
		if !strings.HasPrefix(o.Stream, "unix:") && !strings.HasPrefix(o.Stream, "tcp:") {
			return fmt.Errorf("stream %q: want unix:PATH or tcp:ADDRESS:PORT", o.Stream)
		}
	case guest.FormatMappedRAM, guest.FormatMemoryFile:
		if o.Memory == "" {
			return errors.New("no file is named for the memory")
		}
	default:
		return no("a checkpoint of format "+strconv.Quote(o.Format), "use stream, mapped-ram or memory-file")
	}
	switch {
	case o.Format == guest.FormatMemoryFile && o.State == "":
		return errors.New("no file is named for the devices' state")
	case o.Live && o.Format != guest.FormatStream:
		return no("a live checkpoint of format "+o.Format, "use format stream, or mode stop")
	case o.Live && o.StayStopped:
		return errors.New("a live save lets the guest run on: it cannot stay stopped")
	case o.Disk != "" && s.Disk == nil:
		return errors.New("the guest has no disk that can be saved")
	case o.Incremental && o.Disk == "":
		return errors.New("an increment of a disk needs a file for the disk")
	}
	return nil
}

// refuse asks the QEMU in which the guest runs, too.
func (s *saving) refuse(ctx context.Context) error {
	if err := errors.Join(refuseSave(s.guest.spec, s.options), s.vm.unlikeSpec("a checkpoint")); err != nil {
		return err
	}
	if s.options.Format == guest.FormatMemoryFile && (s.vm.private || s.vm.files.memory == "") {
		return errors.New("the guest's memory is no file that it shares: boot or restore it with Start.MemoryFile, or use format stream")
	}
	info, err := queryMigrate(ctx, s.vm.mon)
	if err != nil {
		return err
	}
	if info.Status != nil && !ended(*info.Status) {
		return errors.New("it is being migrated: save it when it has arrived")
	}
	if s.schema, err = s.vm.askSchema(ctx); err != nil {
		return err
	}
	d := &dialect{version: s.vm.mon.Version(), schema: s.schema}
	var has []capability
	if err := s.vm.mon.Execute(ctx, "query-migrate-capabilities", nil, &has); err != nil {
		return err
	}
	for _, c := range has {
		d.capabilities = append(d.capabilities, c.Name)
	}
	e := end{host: s.vm.host, side: side{capabilities: saveSettings(s.options).capabilities}, what: "a checkpoint of format " + s.options.Format, file: s.options.Format == guest.FormatMappedRAM}
	return errors.Join(lacks(d, e)...)
}

// askSchema asks a QEMU once.
func (vm *machine) askSchema(ctx context.Context) (schema, error) {
	if vm.saves.schema != nil {
		return vm.saves.schema, nil
	}
	var raw json.RawMessage
	if err := vm.mon.Execute(ctx, "query-qmp-schema", nil, &raw); err != nil {
		return nil, err
	}
	s, err := parseSchema(raw)
	vm.saves.schema = s
	return s, err
}

// has reports whether there is a command of that name.
func (s schema) has(command string) bool {
	_, ok := s[command]
	return ok
}
