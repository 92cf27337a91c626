package live

import (
	"bytes"
	"encoding/json"
)

// JSON writes a view as one object, its keys in order of the alphabet. What is not known has no value in it, but a why.
func (v View) JSON() ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var tree map[string]any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	prune(tree)
	return json.Marshal(tree)
}

// prune takes the numbers off quantities that are not known.
func prune(node any) {
	switch n := node.(type) {
	case []any:
		for _, x := range n {
			prune(x)
		}
	case map[string]any:
		if n["known"] == false {
			delete(n, "value")
			delete(n, "low")
			delete(n, "high")
		}
		if n["censored"] == true {
			delete(n, "high")
		}
		for _, x := range n {
			prune(x)
		}
	}
}
