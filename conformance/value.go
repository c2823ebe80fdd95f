package conformance

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxValue is how much of a value a finding shows.
const maxValue = 200

// valueAt is what stands at the place of a finding.
func valueAt(x *Exchange, f Finding) string {
	body := x.Request.Body
	if f.Side == SideResponse {
		body = x.Response.Body
	}
	if f.Pointer == "" { // it is not about a place in the body
		return ""
	}
	value, _ := decodeJSON(body) // in what is no JSON nothing stands anywhere
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for segment := range strings.SplitSeq(strings.TrimPrefix(f.Pointer, "/"), "/") {
		switch parent := value.(type) {
		case map[string]any:
			member, ok := parent[unescape.Replace(segment)]
			if !ok {
				return ""
			}
			value = member
		case []any:
			i, err := strconv.Atoi(segment)
			if err != nil || i >= len(parent) {
				return ""
			}
			value = parent[i]
		default:
			return ""
		}
	}
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	if len(text) > maxValue {
		text = append(text[:maxValue], "…"...)
	}
	return strings.ToValidUTF8(string(text), string(utf8.RuneError))
}
