// Package spec is the language of experiments: its types, a strict reader that reports every problem with its
// place, inheritance, defaults, validation and the JSON schema.
//
// A file goes through these steps, one file of this package each:
//
//  1. yaml.go reads YAML into a tree whose nodes know their place (node.go).
//  2. decode.go fills the types of experiment.go from a tree, over the defaults of defaults.go.
//  3. load.go follows extends; merge.go lays the child's tree over its parent's.
//  4. treatments.go crosses the factors and sets their levels, which are read by the same parser as the values
//     of a file (scalar.go).
//  5. validate.go checks what no single value shows, for every treatment.
//  6. resolve.go writes the whole experiment as one text, defaults included, from which a run can be repeated.
//
// Zero means zero: an explicit 0 is never replaced by a default.
package spec
