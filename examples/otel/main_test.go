package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryAttemptIsASpanThatNamesNobody(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, `getSubscriber  503  resend 0  http://127.0.0.1/api/v1/fetch/subscribers?email=REDACTED&site_uuid=REDACTED
getSubscriber  200  resend 1  http://127.0.0.1/api/v1/fetch/subscribers?email=REDACTED&site_uuid=REDACTED
listTags       200  resend 0  http://127.0.0.1/api/v1/fetch/tags?site_uuid=REDACTED
`, out.String())
}
