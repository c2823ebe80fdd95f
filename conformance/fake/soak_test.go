package fake_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
)

// By default every bound is met but that of the records whose repeat is told, and of unique keys: a
// million of each, which take some 20 MB.
var (
	soak    = flag.Duration("soak", 0, "how long TestLoadDoesNotMakeItGrow goes on after that")
	records = flag.Int("records", 110_000, "how many records make the fake of TestLoadDoesNotMakeItGrow full")
)

// A crowd sends what makes a fake remember: new people, types, keys, fields, tags, emails,
// templates, sites and paths, each time others. Events are of people who had room.
type crowd struct {
	server     *fake.Server
	n, refused int // records, and templates that had no room
}

func (c *crowd) send(t *testing.T, method, path, contentType, body string) int {
	t.Helper()
	req := httptest.NewRequest(method, "http://127.0.0.1"+gen.BasePath+path, strings.NewReader(body))
	req.SetBasicAuth("pk", "sk")
	req.Header.Set("User-Agent", "AcmeCRM/1.0")
	if body != "" {
		req.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	c.server.ServeHTTP(w, req)
	return w.Code
}

func (c *crowd) batch(t *testing.T, member string, size int, record func(n int) string) {
	t.Helper()
	var body strings.Builder
	for range size {
		c.n++
		body.WriteByte(',')
		body.WriteString(record(c.n))
	}
	site := strings.Repeat("s", rand.IntN(2000)) + strconv.Itoa(c.n)
	path := map[string]string{"events": "/batch/events", "subscribers": "/batch/subscribers", "emails": "/batch/emails"}[member]
	code := c.send(t, http.MethodPost, path+"?site_uuid="+site, "application/json", `{"`+member+`":[`+body.String()[1:]+`]}`)
	require.Equal(t, http.StatusOK, code)
}

// round is a second of a busy day.
func (c *crowd) round(t *testing.T) {
	t.Helper()
	for range 8 {
		c.batch(t, "events", 1000, func(n int) string {
			return fmt.Sprintf(`{"type":"type_%d","email":"person%d@example.com","fields":{"field_%d":"%d"},"details":{"unique":{"key":"%d"}}}`, n, n%4000, n%5000, n, n)
		})
	}
	c.batch(t, "subscribers", 1000, func(n int) string {
		return fmt.Sprintf(`{"email":"reader%d@example.com","first_name":"%0200d","tags":"tag_%d,tag_%d"}`, n, n, n, n+1)
	})
	c.batch(t, "emails", 60, func(n int) string {
		return fmt.Sprintf(`{"to":"a%d@example.com","from":"a@acme.example","subject":"%d","html_body":"%08000d"}`, n, n, n)
	})
	c.n++
	body := fmt.Sprintf(`{"email_template":{"subject":"%d","html":"%09000d"}}`, c.n, c.n)
	if c.send(t, http.MethodPost, "/fetch/sequences/sequence_1/emails/templates?site_uuid=x", "application/json", body) == http.StatusUnprocessableEntity {
		c.refused++
	}
	c.send(t, http.MethodGet, "/fetch/"+strings.Repeat("x", 5000)+"?site_uuid=x", "", "")
	c.send(t, http.MethodPost, "/batch/events?site_uuid=x", "application/json", `{"events":[`+strings.Repeat(`{},`, 500)+`{}]}`)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // what finalizers let go of
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// However long the load lasts and however new all of it is, what is remembered stays within
// bounds, and requests are answered.
func TestLoadDoesNotMakeItGrow(t *testing.T) { //nolint:paralleltest // it measures the heap
	server, err := fake.New(fake.WithLimits(mustLimits(t, "1000000/min")), fake.WithRoom(12<<20))
	require.NoError(t, err)
	c := &crowd{server: server}
	before := heap()
	for c.n < *records || c.refused == 0 { // a template that has no room is the last thing to be refused
		c.round(t)
	}
	full := heap() - before
	end := time.Now().Add(*soak)
	for i := 0; i < 5 || time.Now().Before(end); i++ {
		c.round(t)
	}
	after := heap() - before
	t.Logf("%d records: %d MB when full, %d MB after", c.n, full>>20, after>>20)
	assert.Less(t, full, uint64(800<<20))
	assert.Less(t, after, full+full/10+32<<20)
}

func mustLimits(t *testing.T, text string) fake.Limits {
	t.Helper()
	l, err := fake.ParseLimits(text)
	require.NoError(t, err)
	return l
}
