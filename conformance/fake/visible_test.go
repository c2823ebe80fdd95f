package fake_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/bento-go/conformance/fake"
)

// What was queued is seen when it is due, by every way there is to look, though no request comes.
func TestWhatWasQueuedIsSeenWithoutAnotherRequest(t *testing.T) {
	t.Parallel()
	for name, look := range map[string]func(*fake.Server) bool{
		"Events": func(s *fake.Server) bool { return len(s.Events()) == 1 },
		"Subscriber": func(s *fake.Server) bool {
			_, known := s.Subscriber("ari@example.com")
			return known
		},
		"Counts": func(s *fake.Server) bool { return s.Counts().People == 1 },
		"page": func(s *fake.Server) bool {
			w := httptest.NewRecorder()
			s.Control().ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1/people", nil))
			return strings.Contains(w.Body.String(), "ari@example.com")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := newFake(t, fake.WithVisibilityDelay(3*time.Minute))
				assert.Equal(t, 200, do(t, server, "POST", "/batch/events"+site, oneEvent).StatusCode)
				assert.False(t, look(server))
				time.Sleep(3 * time.Minute)
				assert.True(t, look(server))
			})
		})
	}
}
