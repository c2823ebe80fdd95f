package fake_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/bento-go/conformance/fake"
)

// What is kept of a batch takes about as much memory as it is long, however long the rest was.
func TestARecordThatIsKeptDoesNotKeepItsBatch(t *testing.T) { //nolint:paralleltest // it measures the heap
	const half = 256 << 10
	for name, tc := range map[string]struct {
		email string // of the rest
		delay time.Duration
	}{
		"the rest failed":             {"nobody", 0},
		"the rest was dropped":        {"ari@example.com", 0},
		"the rest failed, all queued": {"nobody", time.Hour},
	} {
		c := &crowd{server: newFake(t, fake.WithVisibilityDelay(tc.delay))}
		rest := fmt.Sprintf(`{"type":"x","email":%q,"details":{"text":"%s","unique":{"key":"same"}}}`, tc.email, strings.Repeat("x", half))
		before := heap()
		for n := range 8 {
			body := fmt.Sprintf(`{"events":[{"type":"x","email":"ari@example.com","details":{"n":%d}},%s]}`, n, rest)
			assert.Equal(t, http.StatusOK, c.send(t, http.MethodPost, "/batch/events?site_uuid=x", "application/json", body))
		}
		assert.Less(t, int64(heap())-int64(before), int64(4*half), name)
		assert.GreaterOrEqual(t, c.server.Counts().Events.Accepted, 8, name)
	}
}
