package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
)

// A capture is what is kept of a body as it passes.
type capture struct {
	length int64 // as declared; -1: not at all

	mu     sync.Mutex // a transport may still send while its answer is read
	kept   bytes.Buffer
	size   int64
	ended  bool  // its end was seen
	broken error // why there was none
}

// newCapture keeps nothing yet of a body. A length of 0 beside a body means that nobody knows.
func newCapture(body io.Reader, length int64) *capture {
	if length <= 0 {
		length = -1
	}
	return &capture{length: length, ended: body == nil || body == http.NoBody}
}

func (c *capture) add(p []byte, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.size += int64(len(p))
	if c.size <= maxRecorded {
		c.kept.Write(p)
	}
	switch {
	case errors.Is(err, io.EOF):
		c.ended = true
	case err != nil:
		c.broken = err
	}
}

func (c *capture) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept.Reset()
	c.size, c.ended, c.broken = 0, false, nil
}

// take returns the body and its size, -1 if that is unknown. It is nil if it did not pass whole:
// half a body would be judged as if somebody had sent it so.
func (c *capture) take() (body []byte, size int64, broken error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	whole := c.ended || c.size == c.length
	if !whole && c.broken == nil {
		// A program that reads one JSON value stops short of the end.
		whole = json.Valid(c.kept.Bytes())
	}
	switch {
	case !whole:
		return nil, c.length, c.broken
	case c.size > maxRecorded:
		return nil, c.size, nil
	}
	return append([]byte{}, c.kept.Bytes()...), c.size, nil
}

// A tee copies a body as it is read.
type tee struct {
	io.ReadCloser
	into  *capture
	ended func() // nil: nobody waits for the end
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	t.into.add(p[:n], err)
	if err != nil && t.ended != nil {
		t.ended()
	}
	return n, err
}

func (t *tee) Close() error {
	err := t.ReadCloser.Close()
	if t.ended != nil {
		t.ended()
	}
	return err
}
