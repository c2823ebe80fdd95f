package conformance_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

func readAll(text string) (exchanges []*conformance.Exchange, errs []error) {
	for x, err := range conformance.ReadHAR(strings.NewReader(text), "file.har") {
		if x != nil && err == nil {
			exchanges = append(exchanges, x)
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return exchanges, errs
}

func FuzzReadHAR(f *testing.F) {
	whole, err := os.ReadFile("testdata/conventions.har")
	require.NoError(f, err)
	f.Add(whole[:2000])
	for _, seed := range []string{"", "{", `{"log":{"entries":[{}]}}`, `{"log":{"entries":[{"request":{"url":"x","headers":[{}]}}]}}`, "\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ended := false
		for x, err := range conformance.ReadHAR(bytes.NewReader(data), "f") {
			if ended {
				t.Fatal("read on after the end")
			}
			if x == nil && err == nil {
				t.Fatal("neither an exchange nor an error")
			}
			ended = x == nil
		}
	})
}
