package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/sqlitestore"
)

func post(h http.Handler, email string) int {
	req := httptest.NewRequest(http.MethodPost, "/signup", strings.NewReader(url.Values{"email": {email}}.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, req)
	return answer.Code
}

func openBox(tb testing.TB) *outbox.Sender {
	tb.Helper()
	store, err := sqlitestore.Open(context.Background(), filepath.Join(tb.TempDir(), "spool", "outbox.db"))
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = store.Close() })
	return outbox.New(nil, store)
}

func TestASignupIsRecordedOnce(t *testing.T) {
	t.Parallel()
	box := openBox(t)
	h := signup(box)
	assert.Equal(t, http.StatusAccepted, post(h, "ari@example.com"))
	assert.Equal(t, http.StatusAccepted, post(h, "ari@example.com"))
	assert.Equal(t, http.StatusBadRequest, post(h, "nobody"))
	stats, err := box.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2, stats.Lanes[outbox.Events].Depth())
	assert.Equal(t, 1, stats.Lanes[outbox.Emails].Depth(), "one welcome")
}

func TestItEndsWhenItIsTold(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- run(ctx, "127.0.0.1:0", filepath.Join(t.TempDir(), "spool")) }()
	cancel()
	err := <-ended
	if err != nil {
		require.ErrorIs(t, err, context.Canceled) // before it was open
	}
}

// A visitor waits for the disk, and for nothing else.
func BenchmarkSignup(b *testing.B) {
	h := signup(openBox(b))
	for b.Loop() {
		if code := post(h, "ari@example.com"); code != http.StatusAccepted {
			b.Fatal(code)
		}
	}
}
