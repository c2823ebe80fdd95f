package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
)

// What is said of one body has an end, and each record is judged all the same.
func TestEachOfManyWrongRecordsIsFound(t *testing.T) {
	t.Parallel()
	records := make([]json.RawMessage, 1000)
	for i := range records {
		records[i] = json.RawMessage(`{"type":"x","email":"ari@example.com","a":1,"b":1,"c":1,"d":1,"e":1,"f":1}`)
	}
	records[999] = json.RawMessage(`{"type":"x","email":"ari@example.com"}`)
	var judge contractJudge
	wrong, err := judge.judge(gen.OpTrackEvents, records)
	require.NoError(t, err)
	assert.Len(t, wrong, 999)
	assert.NotContains(t, wrong, 999)
	assert.Equal(t, "a is not in the contract", wrong[998])
}
