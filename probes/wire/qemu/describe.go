package qemu

import (
	"encoding/json"
	"fmt"
	"virtscope/probes/wire/tcp"
)

// A description is the JSON that a stream ends with (migration/vmstate.c, vmstate_save_state_v; scripts/analyze-migration.py reads it).
type description struct {
	Devices []deviceDescription `json:"devices"`
}

type deviceDescription struct {
	Name     string `json:"name"`
	Instance uint32 `json:"instance_id"`
	stateDescription
}

type stateDescription struct {
	Name        string             `json:"vmsd_name"`
	Fields      []fieldDescription `json:"fields"`
	Subsections []stateDescription `json:"subsections"`
}

type fieldDescription struct {
	Type   string            `json:"type"`
	Size   int64             `json:"size"`
	Length int64             `json:"array_len"` // so many equal ones in a row
	Struct *stateDescription `json:"struct"`
}

// size is B of the fields and subsections.
func (s *stateDescription) size() int64 {
	n := int64(0)
	for i := range s.Fields {
		f := &s.Fields[i]
		n += f.Size * max(f.Length, 1)
	}
	for i := range s.Subsections {
		sub := &s.Subsections[i]
		n += int64(1+1+len(sub.Name)+4) + sub.size() // mark, length, name, version
	}
	return n
}

// check compares the devices' sizes with the stream's own description of them.
func (c *mainChannel) check(text []byte, at tcp.Stamp) {
	m := c.m
	var d description
	if err := json.Unmarshal(text, &d); err != nil {
		m.note("main", forward, c.from, at, "the description of the devices cannot be read: "+err.Error())
		return
	}
	type key struct {
		name     string
		instance uint32
	}
	told := map[key]int64{}
	for i := range d.Devices {
		dev := &d.Devices[i]
		told[key{dev.Name, dev.Instance}] = dev.size()
	}
	for i := range m.devices {
		dev := &m.devices[i]
		size, known := told[key{dev.Name, dev.Instance}]
		size += int64(1 + 4 + 1 + len(dev.Name) + 4 + 4 + 5) // head and footer
		dev.Checked = known && size == dev.Bytes
		if known && !dev.Checked {
			m.note("main", forward, c.from, at, fmt.Sprintf("device %s/%d takes %d B, but %d B as described", dev.Name, dev.Instance, dev.Bytes, size))
		}
	}
}
