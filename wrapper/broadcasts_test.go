package bento_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	bento "example.com/bento-go/wrapper"
)

func TestEveryDraftIsAccountedForWhateverTheAnswerSays(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bento.Result{
		`{"results":3,"failed":0}`: {Accepted: 3},
		`{"results":2,"failed":1,"failures":[{"index":1,"error":"for canary@example.com"}]}`: {Accepted: 2, Failed: 1},
		`{"results":2,"failed":1}`: {Accepted: 2, Failed: 1},
		`{"results":1}`:            {Accepted: 1, Unknown: 2},
		`{"results":2,"failures":[{"index":0,"error":"a"},{"index":0,"error":"b"},{"index":-1,"error":"c"},{"index":7,"error":"d"}]}`: {Accepted: 2, Failed: 1},
		`{"results":9,"failures":[{"index":0,"error":"a"}]}`:                                                                          {Failed: 1, Unknown: 2},
		`{}`: {Unknown: 3},
	} {
		answer, err := scripted(t, answerJSON(200, body)).client().CreateBroadcasts(t.Context(), make([]bento.BroadcastDraft, 3))
		require.NotNil(t, answer, body)
		if want.Accepted == 3 {
			require.NoError(t, err, body)
			continue
		}
		var partly *bento.BatchError
		require.ErrorAs(t, err, &partly, body)
		got := partly.Result
		assert.Equal(t, []int{3, want.Accepted, want.Failed, want.Unknown}, []int{got.Read, got.Accepted, got.Failed, got.Unknown}, body)
		requireNoSecrets(t, err.Error())
	}
	_, err := scripted(t).client().CreateBroadcasts(t.Context(), make([]bento.BroadcastDraft, 16))
	require.ErrorIs(t, err, bento.ErrInvalid)
}
