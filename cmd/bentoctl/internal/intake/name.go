package intake

import (
	"strings"
	"unicode"
)

// bentoName writes a header in Bento's manner: lower case, words joined by underscores. A letter
// that the contract does not take becomes one.
func bentoName(header string) string {
	var name strings.Builder
	var before rune
	for _, r := range strings.TrimSpace(header) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			name.WriteRune(r)
		case unicode.IsUpper(r) && r < unicode.MaxASCII:
			if unicode.IsLower(before) {
				name.WriteByte('_')
			}
			name.WriteRune(unicode.ToLower(r))
		default:
			if before != '_' {
				name.WriteByte('_')
			}
			r = '_'
		}
		before = r
	}
	return strings.Trim(strings.ReplaceAll(name.String(), "__", "_"), "_")
}
