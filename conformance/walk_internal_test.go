package conformance

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Errors have room of their own, and so has the rest.
func TestErrorsAndTheRestHaveABoundEach(t *testing.T) {
	t.Parallel()
	w := walker{side: SideRequest}
	for _, tc := range []struct {
		rule string
		want int
	}{{RuleRequestSchema, maxFindings}, {RulePayloadFieldName, 2 * maxFindings}, {RuleRequestSchema, 2 * maxFindings}, {RulePayloadFieldName, 2 * maxFindings}} {
		for range maxFindings + 1 {
			w.add(tc.rule, "", "")
		}
		assert.Len(t, w.findings, tc.want)
		assert.Equal(t, maxFindings, w.errors)
	}
}
