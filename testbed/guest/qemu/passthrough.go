package qemu

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// typed gives a text the JSON type of the value that QEMU shows under the same name; nil, where it shows none, is a guess: true
// and false, then numbers, then strings.
func typed(v text, shown any) (any, error) {
	switch shown.(type) {
	case bool:
		b, err := strconv.ParseBool(string(v))
		if err != nil {
			return nil, fmt.Errorf("%q is not true or false", string(v))
		}
		return b, nil
	case float64, json.Number:
		n, ok := number(v)
		if !ok {
			return nil, fmt.Errorf("%q is not a number", string(v))
		}
		return n, nil
	case string:
		return string(v), nil
	}
	if v == "true" || v == "false" {
		return v == "true", nil
	}
	if n, ok := number(v); ok {
		return n, nil
	}
	return string(v), nil
}

// number keeps the digits as they stand.
func number(v text) (json.Number, bool) {
	var n json.Number
	if err := json.Unmarshal([]byte(v), &n); err != nil || n == "" || v[0] == '"' {
		return "", false
	}
	return n, true
}

// typedParameters resolves every text among wanted; shown is what query-migrate-parameters returned.
func typedParameters(wanted, shown map[string]any) (map[string]any, error) {
	all := make(map[string]any, len(wanted))
	for name, v := range wanted {
		t, ok := v.(text)
		if !ok {
			all[name] = v
			continue
		}
		value, err := typed(t, shown[name])
		if err != nil {
			return nil, fmt.Errorf("set parameter %s: %w", name, err)
		}
		all[name] = value
	}
	return all, nil
}
