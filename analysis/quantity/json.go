package quantity

import (
	"bytes"
	"encoding/json"
)

// JSON writes v, which may hold quantities anywhere, with an indent. One that is not known has no value, low or high, and a censored one no high: a
// reader who does not look at known finds nothing there, and not 0.
func JSON(v any, indent string) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if data, err = pruned(data); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", indent); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// A member is a key of an object with its value, in the order of the text.
type member struct {
	key   string
	value json.RawMessage
}

// pruned is a JSON value without the numbers that say nothing.
func pruned(data []byte) ([]byte, error) {
	if data[0] != '{' && data[0] != '[' {
		return data, nil
	}
	list, err := members(data)
	if err != nil {
		return nil, err
	}
	has := map[string]string{}
	if data[0] == '{' {
		for _, m := range list {
			has[m.key] = string(m.value)
		}
	}
	var b bytes.Buffer
	for _, m := range list {
		if has["known"] == "false" && (m.key == "value" || m.key == "low" || m.key == "high") || has["censored"] == "true" && m.key == "high" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		if data[0] == '{' {
			key, _ := json.Marshal(m.key) // a string always encodes
			b.Write(append(key, ':'))
		}
		value, err := pruned(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(value)
	}
	return append(append([]byte{data[0]}, b.Bytes()...), data[len(data)-1]), nil
}

// members are those of an object, or of an array, whose keys are "".
func members(data []byte) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var list []member
	for d.More() {
		var m member
		if data[0] == '{' {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			m.key, _ = key.(string)
		}
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}
