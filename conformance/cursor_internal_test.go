package conformance

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzCursor holds the cursor against encoding/json: the same strings, the same ends of values.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{`"a\"b\\\n\u00e9\ud83d\ude00\ud800x"`, `{"a":[1,{"b":"]"}],"c":null}`, `[]`, `-1.5e3`, `"`, `{"a":`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c := cursor{body: body}
		skipped := c.skip()
		if !json.Valid(body) {
			return
		}
		require.NoError(t, skipped)
		c.blank()
		require.Equal(t, len(body), c.at)
		var want string
		if !utf8.Valid(body) || json.Unmarshal(body, &want) != nil || string(body) == "null" {
			return
		}
		c = cursor{body: body}
		got, given, err := c.string("x")
		require.NoError(t, err)
		require.True(t, c.kind() != "null" || given)
		if given {
			require.Equal(t, want, string(got))
		}
	})
}
