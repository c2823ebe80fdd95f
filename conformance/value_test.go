package conformance_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

// Values are shown where a member is at fault, of either side, and not where a header is.
func TestAValueIsShownToWhoeverAsksForIt(t *testing.T) {
	t.Parallel()
	const bad, fine = `{"events":[{"type":"x","email":"a@example.com"},{"type":"x","email":"nobody"}]}`, `{"results":1}`
	long := strings.Repeat("x", 300)
	form := good("POST", "/data_deletion_requests", "data_deletion_request[email]=nobody", `{"status":"queued"}`)
	form.Request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	form.Response.Status = 202
	untyped := good("POST", "/batch/events", oneEvent, `{"":"of the whole"}`)
	untyped.Response.Header.Del("Content-Type")
	for want, x := range map[string]*conformance.Exchange{
		`payload.email "nobody"`:                    good("POST", "/batch/events", bad, fine),
		`response.body.schema "one"`:                good("POST", "/batch/events", oneEvent, `{"results":"one"}`),
		`response.body.schema "` + long[:199] + `…`: good("POST", "/batch/events", oneEvent, `{"results":"`+long+`"}`),
		`response.body.schema [1,{"a":null}]`:       good("POST", "/batch/events", oneEvent, `{"results":[1, {"a": null}]}`),
		`response.body.schema `:                     good("GET", "/fetch/tags", "", `{}`),
		`response.body.encoding `:                   good("GET", "/fetch/tags", "", `{"data":[]`),
		`response.content-type `:                    untyped,
		`payload.email `:                            form,
	} {
		findings := newChecker(t, conformance.WithValues()).Check(x).Findings
		require.Len(t, findings, 1, want)
		assert.Equal(t, want, findings[0].Rule+" "+findings[0].Value)
		assert.Empty(t, newChecker(t).Check(x).Findings[0].Value, want)
	}
}
