package spec

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// accepts reports whether a scalar with this YAML tag may hold a value of f's type: "1" is text, 1 is a number.
func (f *field) accepts(tag string) bool {
	switch t := f.scalar(); {
	case f.loose:
		return tag == "!!str" || tag == "!!int" || tag == "!!float" || tag == "!!bool" || tag == "!!timestamp"
	case isQuantity(t):
		return tag == "!!str" || tag == "!!int" || tag == "!!float" // a bare number is refused for its unit
	case t.Kind() == reflect.String:
		return tag == "!!str" || tag == "!!timestamp" // 2026-01-01 is a good name
	case t.Kind() == reflect.Bool:
		return tag == "!!bool"
	case t.Kind() == reflect.Float64:
		return tag == "!!float" || tag == "!!int"
	default:
		return tag == "!!int"
	}
}

// isQuantity reports whether t is written with a unit.
func isQuantity(t reflect.Type) bool {
	return t == reflect.TypeFor[Bytes]() || t == reflect.TypeFor[Rate]() || t == reflect.TypeFor[Duration]()
}

// parse reads the text of a scalar as f's type. Its error says what would be accepted.
func (f *field) parse(text string) (reflect.Value, error) {
	t := f.scalar()
	v := reflect.New(t).Elem()
	switch t {
	case reflect.TypeFor[Bytes]():
		b, err := ParseBytes(text)
		v.SetInt(int64(b))
		return v, err
	case reflect.TypeFor[Rate]():
		r, err := ParseRate(text)
		v.SetFloat(float64(r))
		return v, err
	case reflect.TypeFor[Duration]():
		d, err := ParseDuration(text)
		v.SetInt(int64(d))
		return v, err
	}
	ok := f.basic(v, text)
	if !ok {
		return v, errors.New(f.want(text))
	}
	return v, nil
}

// basic reads text into v, whose type is one of Go's own, and checks the constraints of f's tag.
func (f *field) basic(v reflect.Value, text string) bool {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return text != "" && (f.enum == nil || slices.Contains(f.enum, text))
	case reflect.Bool:
		v.SetBool(text == "true")
		return text == "true" || text == "false"
	case reflect.Int:
		n, err := strconv.ParseInt(text, 10, strconv.IntSize)
		v.SetInt(n)
		return err == nil && f.inRange(float64(n))
	case reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, 64)
		v.SetUint(n)
		return err == nil && f.inRange(float64(n))
	case reflect.Float64:
		x, err := strconv.ParseFloat(text, 64)
		v.SetFloat(x)
		return err == nil && !math.IsNaN(x) && !math.IsInf(x, 0) && f.inRange(x)
	}
	return false
}

func (f *field) inRange(x float64) bool {
	return (f.minimum == nil || x >= *f.minimum) && (f.maximum == nil || x <= *f.maximum) && (f.above == nil || x > *f.above)
}

// want says what f accepts in place of text.
func (f *field) want(text string) string {
	switch t := f.scalar(); {
	case t == reflect.TypeFor[Bytes]():
		return "want " + byteUnits.want()
	case t == reflect.TypeFor[Rate]():
		return "want " + rateUnits.want()
	case t == reflect.TypeFor[Duration]():
		return "want " + durationWant
	case f.enum != nil:
		if len(f.enum) == 1 {
			return "want " + f.enum[0] + " (the only one so far)"
		}
		return "want " + oneOf(f.enum) + didYouMean(text, f.enum)
	case f.loose:
		return "want text, a number, true or false"
	case t.Kind() == reflect.String && text == "":
		return "want text, or no such key"
	case t.Kind() == reflect.String:
		return "want text"
	case t.Kind() == reflect.Bool:
		return "want true or false"
	case t.Kind() == reflect.Float64:
		return "want a number" + f.rangeText()
	case t.Kind() == reflect.Uint64:
		return "want a whole number from 0 to 18446744073709551615"
	default:
		return "want a whole number" + f.rangeText()
	}
}

// rangeText is " from 1 to 255" and the like.
func (f *field) rangeText() string {
	var s string
	switch {
	case f.minimum != nil && f.maximum != nil && *f.minimum == *f.maximum:
		return ": " + trim(*f.minimum) + " is the only one so far"
	case f.above != nil:
		s = " above " + trim(*f.above)
	case f.minimum != nil && f.maximum != nil:
		s = " from " + trim(*f.minimum)
	case f.minimum != nil:
		return " of at least " + trim(*f.minimum)
	}
	if f.maximum != nil {
		s += " to " + trim(*f.maximum)
	}
	return s
}

func trim(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// oneOf is "a, b or c".
func oneOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
