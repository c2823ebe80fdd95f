package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxRecorded is how much of a body is recorded; of a larger one only the size is.
const maxRecorded = 10 << 20

// A Recorder is a transport that writes what passes as HAR 1.2. It alters neither requests nor
// answers: an answer streams through, and its entry is written when the body has been read or
// closed. Each entry is one Write, so that a program that dies leaves a recording that
// [ReadHAR] reads up to there.
//
// A body that did not pass whole is left out, and [BodyMissing] when it is read back: one larger
// than 10 MiB, one that the program closed half read, one that broke off. So is a compressed
// one, in which no key could be found. An error of the transport is recorded by its kind.
//
// Keys, site and cookies never reach the writer, whatever part of the exchange they stand in;
// headers are kept by an allow-list. Bodies are kept, since they are what a check is about:
// they may hold personal data, and a recording should be kept like them.
//
// A Recorder is safe for concurrent use, and starts no goroutine.
type Recorder struct {
	next http.RoundTripper

	mu      sync.Mutex
	w       io.Writer
	entries int
	closed  bool
	err     error // the first of writing
}

// NewRecorder returns a recorder that sends through next (nil means http.DefaultTransport) and
// writes to w. [Recorder.Close] ends the recording.
func NewRecorder(next http.RoundTripper, w io.Writer) *Recorder {
	if next == nil {
		next = http.DefaultTransport
	}
	return &Recorder{next: next, w: w}
}

// RoundTrip sends the request and records the exchange.
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	out, sent := captured(req)
	rec := recording{redactor: newRedactor(req), request: req, started: time.Now()}
	resp, err := r.next.RoundTrip(out)
	if err != nil {
		r.write(rec.entry(sent, nil, &capture{length: -1, broken: err}))
		return nil, err
	}
	answer := newCapture(resp.Body, resp.ContentLength)
	if resp.Body == nil { // net/http sends none of these, other transports do
		r.write(rec.entry(sent, resp, answer))
		return resp, nil
	}
	resp.Body = &tee{ReadCloser: resp.Body, into: answer, ended: sync.OnceFunc(func() {
		r.write(rec.entry(sent, resp, answer))
	})}
	return resp, nil
}

// captured returns a request to send in place of req, and what is kept of its body.
func captured(req *http.Request) (*http.Request, *capture) {
	sent := newCapture(req.Body, req.ContentLength)
	if req.Body == nil || req.Body == http.NoBody {
		return req, sent
	}
	out := req.Clone(req.Context())
	out.Body = &tee{ReadCloser: req.Body, into: sent}
	if again := req.GetBody; again != nil { // net/http may send once more by itself
		out.GetBody = func() (io.ReadCloser, error) {
			body, err := again()
			if err != nil {
				return nil, err
			}
			sent.reset()
			return &tee{ReadCloser: body, into: sent}, nil
		}
	}
	return out, sent
}

// Close ends the recording and reports the first error of writing it. Answers that are still
// being read are not recorded any more.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return r.err
	}
	r.closed = true
	if r.entries == 0 {
		r.put([]byte(harHead))
	}
	r.put([]byte("\n]}}\n"))
	return r.err
}

const harHead = `{"log":{"version":"1.2","creator":{"name":"bento-go","version":"1"},"pages":[],"entries":[`

func (r *Recorder) write(entry harRecord) {
	encoded, _ := json.Marshal(entry) // of texts and numbers, which JSON can write
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	before := ",\n"
	if r.entries == 0 {
		before = harHead + "\n"
	}
	r.entries++
	r.put(append([]byte(before), encoded...))
}

func (r *Recorder) put(b []byte) {
	if _, err := r.w.Write(b); err != nil && r.err == nil {
		r.err = fmt.Errorf("conformance: recorder: %w", err)
	}
}
