package fake

import (
	_ "embed"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	contract "example.com/bento-go"
	"example.com/bento-go/gen"
	"example.com/bento-go/internal/loopback"
)

// Control is a handler to steer the server by while it runs, for people and for programs in other
// languages:
//
//	GET  /              a page that shows all of it, live
//	GET  /faults        the faults that are armed, as text
//	PUT  /faults        arms those of the body instead, as ParseFaults reads them
//	GET  /counts        Counts as JSON
//	GET  /events        how many events of each type, as JSON
//	GET  /emails        the emails that were accepted, as JSON; the last 100
//	GET  /people        the people, as JSON; the last 100
//	GET  /exchanges     what the server has seen, as JSON; the last 100
//	GET  /operations    the operations of the contract, as JSON
//	GET  /openapi.yaml  the contract
//	GET  /contract?at=  the part of it at a JSON pointer, or of an operationId
//
// It is for the machine it runs on: a request for a foreign Host, or with a foreign Origin, as
// browsers send for pages of others, is refused.
func (s *Server) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", servePage)
	mux.HandleFunc("GET /faults", s.getFaults)
	mux.HandleFunc("PUT /faults", s.putFaults)
	for path, look := range map[string]func() any{
		"/counts":     func() any { return s.Counts() },
		"/events":     func() any { return s.EventTypes() },
		"/emails":     func() any { return last(s.Emails()) },
		"/people":     func() any { return last(s.people()) },
		"/exchanges":  func() any { return last(s.Exchanges()) },
		"/operations": func() any { return gen.Operations() },
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, req *http.Request) { answer(http.StatusOK, look()).write(w, req) })
	}
	mux.HandleFunc("GET /contract", serveSection)
	mux.HandleFunc("GET /openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(contract.OpenAPI())
	})
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if foreign(req) {
			fail(http.StatusForbidden, "not for other hosts, and not for pages of others").write(w, req)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, req)
	})
}

// foreign reports whether a request comes by a name that is not this machine's, or from a page of
// somebody else.
func foreign(req *http.Request) bool {
	host, _, err := net.SplitHostPort(req.Host)
	if err != nil {
		host = req.Host
	}
	if !loopback.Is(strings.Trim(host, "[]")) {
		return true
	}
	origin := req.Header.Get("Origin")
	return origin != "" && origin != "http://"+req.Host
}

// maxShown is how much of each kind the control shows.
const maxShown = 100

func last[T any](all []T) []T { return append([]T{}, all[max(0, len(all)-maxShown):]...) }

func (s *Server) people() []gen.Subscriber {
	s.lockCaughtUp()
	defer s.mu.Unlock()
	var all []gen.Subscriber
	for _, p := range last(s.state.order) {
		all = append(all, p.copied())
	}
	return all
}

//go:embed page.html
var pageHTML []byte

func servePage(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-src 'self'; img-src data:")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write(pageHTML)
}

// maxSpec bounds a list of faults.
const maxSpec = 64 << 10

func (s *Server) getFaults(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for _, f := range s.faults.armed {
		_, _ = fmt.Fprintln(w, f)
	}
}

func (s *Server) putFaults(w http.ResponseWriter, req *http.Request) {
	spec, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxSpec))
	if err != nil {
		fail(http.StatusBadRequest, "the faults broke off or are larger than 64 KiB").write(w, req)
		return
	}
	armed, err := ParseFaults(strings.ReplaceAll(string(spec), "\n", ","))
	if err != nil {
		fail(http.StatusBadRequest, err.Error()).write(w, req)
		return
	}
	s.mu.Lock()
	s.faults.armed, s.faults.seen, s.faults.rng = armed, nil, nil
	s.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// String writes the fault as ParseFaults reads it.
func (f Fault) String() string {
	target := f.Operation
	switch {
	case f.Nth > 0:
		target += fmt.Sprintf("#%d", f.Nth)
	case f.Every > 0:
		target += fmt.Sprintf("/%d", f.Every)
	case f.Percent > 0:
		target += fmt.Sprintf("~%d", f.Percent)
	}
	switch {
	case f.Reset:
		return target + "=reset"
	case f.Truncate:
		return target + "=truncate"
	case f.Delay > 0:
		return target + "=delay:" + f.Delay.String()
	case f.Slow > 0:
		return target + "=slow:" + f.Slow.String()
	case f.HTML:
		return fmt.Sprintf("%s=html:%d", target, f.Status)
	case f.Status == http.StatusTooManyRequests:
		return fmt.Sprintf("%s=429:%d", target, int(f.RetryAfter.Seconds()))
	}
	return fmt.Sprintf("%s=%d", target, f.Status)
}
