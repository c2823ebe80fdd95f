package conformance

import "slices"

// A Severity says how much a finding matters.
type Severity string

const (
	// SeverityError is for an exchange that breaks the contract.
	SeverityError Severity = "error"
	// SeverityWarning is for one that keeps it, but where something is most likely a mistake.
	SeverityWarning Severity = "warning"
	// SeverityDrift is for an answer that holds more than the contract knows. Nobody is at
	// fault; the contract may have to grow.
	SeverityDrift Severity = "drift"
)

// A Side is the half of an exchange that a finding is about.
type Side string

// The sides of an exchange.
const (
	SideRequest  Side = "request"
	SideResponse Side = "response"
)

// A Finding is one place where an exchange is not what the contract says. It holds no value of
// the traffic: its texts are made of the contract's words, and its pointer of member names.
type Finding struct {
	Rule      string   `json:"rule"`
	Severity  Severity `json:"severity"`
	Operation string   `json:"operation"` // operationId; empty if the request matches none
	File      string   `json:"file"`
	Entry     int      `json:"entry"`          // counts from 0 within the file
	Line      int      `json:"line,omitempty"` // of the entry in the file, from 1; 0 if nobody counted
	Side      Side     `json:"side"`
	Pointer   string   `json:"pointer"` // RFC 6901, into the body; empty for the whole
	Message   string   `json:"message"` // what is wrong
	Hint      string   `json:"hint"`    // what to do
	Count     int      `json:"count"`
	// Value is what stands there, in part; only if values were asked for ([WithValues]).
	Value string `json:"value,omitempty"`

	offset int64 // of the entry in its file
}

// setSource says in which entry the finding was made.
func (f *Finding) setSource(at Source) {
	f.File, f.Entry, f.Line, f.offset = at.File, at.Entry, at.Line, at.Offset
}

// An Outcome is a verdict in one word.
type Outcome string

// The outcomes of an exchange. What breaks the contract is violating, whatever else was left out.
const (
	Conforming   Outcome = "conforming"
	Violating    Outcome = "violating"
	Unverifiable Outcome = "unverifiable" // clean, as far as the recording goes
	Skipped      Outcome = "skipped"
)

// Outcome sums the verdict up. Warnings and drift violate nothing.
func (v Verdict) Outcome() Outcome {
	switch {
	case v.Skipped != "":
		return Skipped
	case slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Severity == SeverityError }):
		return Violating
	case v.Unverifiable:
		return Unverifiable
	}
	return Conforming
}

// A Verdict is what the contract says of an exchange.
type Verdict struct {
	// Operation is the operationId, empty if the request matches none.
	Operation string
	Findings  []Finding
	// Skipped says why the exchange was not judged at all; empty if it was.
	Skipped string
	// Unverifiable: the recording left out a body or all headers, so that a clean verdict is
	// only half of one.
	Unverifiable bool
}
