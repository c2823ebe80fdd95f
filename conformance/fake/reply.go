package fake

import (
	"encoding/json"
	"math"
	"net"
	"net/http"
	"strconv"
	"time"
)

// A reply is an answer in full, made while the state is locked and written when it is not: a
// client that reads slowly holds up nobody.
type reply struct {
	status     int
	media      string
	body       []byte
	retryAfter string
	reset      bool // break the connection instead

	delay, slow time.Duration
	truncate    bool
}

type fieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

func answer(status int, body any) reply {
	encoded, err := json.Marshal(body)
	if err != nil { // a bug of ours: every body is made here
		return fail(http.StatusInternalServerError, "the fake could not encode its answer")
	}
	return reply{status: status, media: "application/json; charset=utf-8", body: encoded}
}

// fail answers with the first of the two JSON error shapes.
func fail(status int, message string) reply {
	return answer(status, map[string]string{"error": message})
}

// objections answers with the second, naming each field.
func objections(status int, fields ...fieldError) reply {
	return answer(status, map[string]any{"errors": fields})
}

// unauthorized answers as Bento was seen to: in plain text.
func unauthorized() reply {
	return reply{status: http.StatusUnauthorized, media: "text/plain; charset=utf-8", body: []byte("HTTP Basic: Access denied.\n")}
}

// page answers as the edge does, before the API sees the request.
func page(status int) reply {
	return reply{status: status, media: "text/html; charset=UTF-8", body: []byte("<!DOCTYPE html>\n" +
		"<title>Blocked</title>\n<h1>" + http.StatusText(status) + "</h1>\n" +
		"<p>The request was stopped before it reached the API. Is the User-Agent a real application name?</p>\n")}
}

func rateLimited(wait time.Duration) reply {
	r := fail(http.StatusTooManyRequests, "Too Many Requests")
	r.retryAfter = strconv.Itoa(int(math.Ceil(wait.Seconds())))
	return r
}

func (r reply) write(w http.ResponseWriter, req *http.Request) {
	if !wait(req, r.delay) {
		return
	}
	if r.reset {
		reset(w)
		return
	}
	if r.truncate {
		w.Header().Set("Content-Length", strconv.Itoa(len(r.body)))
	}
	w.Header().Set("Content-Type", r.media)
	if r.retryAfter != "" {
		w.Header().Set("Retry-After", r.retryAfter)
	}
	w.WriteHeader(r.status)
	switch {
	case r.truncate:
		_, _ = w.Write(r.body[:len(r.body)/2])
		_ = http.NewResponseController(w).Flush()
		reset(w)
	case r.slow > 0:
		r.drip(w, req)
	default:
		_, _ = w.Write(r.body) // the client is gone: nobody to tell
	}
}

// drip writes the body in ten parts.
func (r reply) drip(w http.ResponseWriter, req *http.Request) {
	const parts = 10
	for i := range parts {
		_, _ = w.Write(r.body[i*len(r.body)/parts : (i+1)*len(r.body)/parts])
		_ = http.NewResponseController(w).Flush()
		if !wait(req, r.slow/parts) {
			return
		}
	}
}

// wait waits, and returns false if the client did not.
func wait(req *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-req.Context().Done():
		return false
	}
}

// reset closes the connection hard, so that the client sees it break.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // what net/http offers where there is nothing to hijack
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
