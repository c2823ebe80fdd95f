package jsonscan_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"example.com/bento-go/internal/jsonscan"
)

// FuzzCursor holds the cursor against encoding/json: the same strings, the same ends of values.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{`"a\"b\\\n\u00e9\ud83d\ude00\ud800x"`, `{"a":[1,{"b":"]"}],"c":null}`, `[]`, `-1.5e3`, `"`, `{"a":`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c := jsonscan.Cursor{Body: body}
		skipped := c.Skip()
		if !json.Valid(body) {
			return
		}
		require.NoError(t, skipped)
		c.Blank()
		require.Equal(t, len(body), c.At)
		var want string
		if !utf8.Valid(body) || json.Unmarshal(body, &want) != nil || string(body) == "null" {
			return
		}
		c = jsonscan.Cursor{Body: body}
		got, given, err := c.Text("x")
		require.NoError(t, err)
		require.True(t, c.Kind() != "null" || given)
		if given {
			require.Equal(t, want, string(got))
		}
	})
}
