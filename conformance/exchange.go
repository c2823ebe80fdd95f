package conformance

import (
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"
)

// An Exchange is a request and its answer, as they were recorded.
type Exchange struct {
	Request Request
	// Response is nil if no answer came.
	Response *Response
	Started  time.Time
	Duration time.Duration
	Source   Source
}

// A Source says where an exchange was recorded.
type Source struct {
	File   string
	Entry  int   // counts from 0 within the file
	Offset int64 // of the entry's first byte in the file
	Line   int   // of that byte, from 1; 0 if nobody counted
}

// error says of an entry that it cannot be read.
func (s Source) error(err error) error {
	return fmt.Errorf("%s: entry %d at byte %d: %w", s.File, s.Entry, s.Offset, err)
}

// A Request is what was asked.
type Request struct {
	Method string
	URL    string // absolute, or a path with its query
	// Header is nil if the recording holds no headers at all; what they would say is then
	// not judged.
	Header    http.Header
	Body      []byte
	BodyState BodyState
	// Sanitized says that the recorder leaves credentials out, as Chrome does: that there are none
	// is then no finding, but leaves the exchange unverifiable.
	Sanitized bool
}

// A Response is what was answered.
type Response struct {
	Status int
	// Header is nil if the recording holds no headers at all; the body is then judged only if
	// the contract leaves no doubt of its type.
	Header    http.Header
	Body      []byte
	BodyState BodyState
}

// A BodyState says how much a recorded body tells.
type BodyState int

const (
	// BodyKnown says that the body is what was sent; an empty one means that none was.
	BodyKnown BodyState = iota
	// BodyMissing says that there was a body, but the recording left it out.
	BodyMissing
)

// packed reports whether a body was recorded as it travelled, compressed. The header alone does not say so: many
// recorders keep it of a body that they have unpacked.
func packed(h http.Header, body []byte) bool {
	return compressed(h) && !utf8.Valid(body)
}

// dropPacked leaves out bodies that were recorded so: nobody can judge them.
func (x *Exchange) dropPacked() {
	if packed(x.Request.Header, x.Request.Body) {
		x.Request.Body, x.Request.BodyState = nil, BodyMissing
	}
	if r := x.Response; r != nil && packed(r.Header, r.Body) {
		r.Body, r.BodyState = nil, BodyMissing
	}
}
