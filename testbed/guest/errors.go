package guest

import "fmt"

// An OutcomeError is the subject's own failure: data, not an accident. A trial that ends with one is failed
// and is not retried.
type OutcomeError struct {
	Reason string // such as "did not converge: 30 rounds"
	Err    error  // nil or the cause
}

func (e *OutcomeError) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return e.Reason + ": " + e.Err.Error()
}

func (e *OutcomeError) Unwrap() error { return e.Err }

// A NotSupportedError says that a feature is missing here, and what to do. It is found before anything starts.
type NotSupportedError struct {
	Feature string // such as "link delay (netem)"
	Where   string // host or tool
	Remedy  string
	Err     error
}

func (e *NotSupportedError) Error() string {
	msg := fmt.Sprintf("%s is not supported on %s", e.Feature, e.Where)
	if e.Err != nil {
		msg += ": " + e.Err.Error()
	}
	if e.Remedy != "" {
		msg += ": " + e.Remedy
	}
	return msg
}

func (e *NotSupportedError) Unwrap() error { return e.Err }
