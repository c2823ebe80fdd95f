package bento

import (
	"bytes"
	"io"
	"net/http"
)

// hold takes a body into memory, at most limit bytes of it, and closes it: its connection is
// free for the next attempt.
func hold(resp *http.Response, limit int64) {
	held, err := io.ReadAll(io.LimitReader(resp.Body, limit))
	_ = resp.Body.Close()
	resp.Body = &heldBody{bytes.NewReader(held), held, err}
}

// content reads a body, up to a byte more than is allowed.
func content(resp *http.Response, limit int64) ([]byte, error) {
	if held, ok := resp.Body.(*heldBody); ok {
		return held.content, held.broken
	}
	return io.ReadAll(io.LimitReader(resp.Body, limit+1))
}

// brokeOff reports whether a success that was taken into memory broke off.
func brokeOff(resp *http.Response) bool {
	body, ok := resp.Body.(*heldBody)
	return ok && body.broken != nil && resp.StatusCode < 300
}

// A heldBody is a body in memory, and how it ended: nil is well.
type heldBody struct {
	rest    *bytes.Reader
	content []byte
	broken  error
}

func (b *heldBody) Read(p []byte) (int, error) {
	n, err := b.rest.Read(p)
	if err != nil && b.broken != nil {
		err = b.broken
	}
	return n, err
}

func (*heldBody) Close() error { return nil }
