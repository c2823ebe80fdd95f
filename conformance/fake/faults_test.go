package fake_test

import (
	"io"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
)

// Of the faults that a request meets, one that only takes time is in the way of no other.
func TestFaultsThatTakeTimeCombineWithTheRest(t *testing.T) {
	t.Parallel()
	for spec, want := range map[string][2]struct {
		said string
		took time.Duration
	}{
		"*=delay:2s,listTags/2=503":                {{"200", 2 * time.Second}, {"503", 2 * time.Second}},
		"listTags/2=503,*=delay:2s":                {{"200", 2 * time.Second}, {"503", 2 * time.Second}},
		"*=slow:2s,listTags/2=html:502":            {{"200", 2 * time.Second}, {"502", 2 * time.Second}},
		"*=delay:2s,*=slow:3s,listTags#2=429:1":    {{"200", 5 * time.Second}, {"429", 5 * time.Second}},
		"listTags#2=delay:9s,*=delay:2s":           {{"200", 2 * time.Second}, {"200", 9 * time.Second}},
		"listTags#2=503,*=500":                     {{"500", 0}, {"503", 0}},
		"*=500,listTags#2=503":                     {{"500", 0}, {"500", 0}},
		"listTags#1=503,listTags#2=truncate":       {{"503", 0}, {"200 broken", 0}},
		"listTags#2=truncate,listTags=503,*=429:1": {{"503", 0}, {"200 broken", 0}},
		"*=delay:1s,listTags#1=reset":              {{"reset", time.Second}, {"200", time.Second}},
	} {
		synctest.Test(t, func(t *testing.T) {
			faults, err := fake.ParseFaults(spec)
			require.NoError(t, err)
			server := newFake(t, fake.WithFaults(faults...))
			pipe := server.Pipe()
			for i, w := range want {
				start := time.Now()
				assert.Equal(t, w.said, listTags(t, pipe.Transport()), "%s: request %d", spec, i+1)
				assert.Equal(t, w.took, time.Since(start), "%s: request %d", spec, i+1)
			}
			require.NoError(t, pipe.Close())
			synctest.Wait()
		})
	}
}

// listTags returns the status that a request is answered with, and whether the answer broke off.
func listTags(t *testing.T, way http.RoundTripper) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/api/v1/fetch/tags"+site, nil)
	require.NoError(t, err)
	req.SetBasicAuth("pk_test", "sk_test")
	req.Header.Set("User-Agent", "AcmeCRM/1.0")
	resp, err := (&http.Client{Transport: way}).Do(req)
	if err != nil {
		return "reset"
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err = io.ReadAll(resp.Body); err != nil {
		return strconv.Itoa(resp.StatusCode) + " broken"
	}
	return strconv.Itoa(resp.StatusCode)
}
