package bento_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	bento "example.com/bento-go/wrapper"
)

func TestAnAnswerSaysEverythingOnce(t *testing.T) {
	t.Parallel()
	for body, ok := range map[string]bool{
		`{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]}`: true, `[]`: true, ` { } `: true, `"x"`: true, `1e5`: true, ` [ 1 , "a\"}" , true ] `: true,
		`{"a":"{\"a\":1,\"a\":2}"}`: true, `{"":1," ":2}`: true,
		`{"a":1,"a":1}`: false, ` {"a":1,"a":1}`: false, `{"x":{"b":0, "a":1 ,"b":2}}`: false, `[[{"a":[],"a":{}}]]`: false, `{"a":1,"\u0061":2}`: false, "{\"a\":\"\xff\"}": false,
	} {
		if err := bento.CheckText([]byte(body)); ok {
			require.NoError(t, err, body)
		} else {
			require.Error(t, err, body)
		}
	}
}

// FuzzCheckText holds the scan against encoding/json: what is valid is read to its end, and what
// is written again without repetition is never taken for one.
func FuzzCheckText(f *testing.F) {
	for _, seed := range []string{`{"a":1,"a":2}`, `[{"a":[1,{"b":""}]}]`, `{"a\\":"\\\"","b":-1.5e3}`, " \t[ ] "} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var value any
		if json.Unmarshal(body, &value) != nil {
			return
		}
		_ = bento.CheckText(body)
		once, err := json.Marshal(value)
		require.NoError(t, err)
		require.NoError(t, bento.CheckText(once), string(once))
	})
}
