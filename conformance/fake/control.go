package fake

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

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
