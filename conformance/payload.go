package conformance

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	snakeCase = regexp.MustCompile(`^\$?[\p{Ll}\p{Lo}\p{N}]+(_[\p{Ll}\p{Lo}\p{N}]+)*$`)

	// The parts of a name that say it holds a secret; see isSecretName for its spelling.
	secretName = regexp.MustCompile(`(^|_)(password|passwd|passphrase|pwd|secret|api_?key|(access|auth|refresh|bearer)_?token|private_?key|(card|credit_card)_?number|cvv|cvc|ssn)($|_)`)
	wordBreaks = strings.NewReplacer("-", "_", " ", "_", ".", "_")
	wordStart  = regexp.MustCompile(`([\p{Ll}\p{N}])(\p{Lu})`)

	// What keys look like, wherever in a text they stand: Bento's and Stripe's, GitHub's and
	// GitLab's, Slack's, AWS's, web tokens, PEM, bearer tokens. It is slow: ask isSecretValue.
	secretValue = regexp.MustCompile(`\b[srp]k_(live|test)_[0-9a-zA-Z]{8,}|\bgh[pousr]_[0-9a-zA-Z]{20,}|\bglpat-[\w-]{20,}|` +
		`\bxox[abprs]-[\w-]{10,}|\bwhsec_[\w+/=-]{10,}|\bAKIA[0-9A-Z]{16}\b|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+|` +
		`-----BEGIN [A-Z ]*PRIVATE KEY-----|^Bearer [\w.~+/=-]{20,}$`)
)

// isSecretName takes secretKey, secret-key and secret_key for the same name.
func isSecretName(name string) bool {
	lower := strings.ToLower(name)
	if lower != name {
		lower = strings.ToLower(wordStart.ReplaceAllString(name, "${1}_$2"))
	}
	return secretName.MatchString(wordBreaks.Replace(lower))
}

// isSecretValue looks for the beginning of a key first: to find none takes secretValue sixty times as long.
func isSecretValue(value string) bool {
	return hasSecretMark([]byte(value)) && secretValue.MatchString(strings.TrimSpace(value))
}

// custom judges a member that the user named: a custom field, an event's detail.
func (w *walker) custom(name string, value any, at string) {
	if w.side != SideRequest {
		return
	}
	if !snakeCase.MatchString(name) {
		w.add(RulePayloadFieldName, at, "")
	}
	if value != nil && isSecretName(name) {
		w.add(RulePayloadSecret, at, "")
		if _, text := value.(string); text {
			return // whatever it looks like, it has been told
		}
	}
	w.customValue(value, at)
}

// customValue judges what such a member holds, however deep.
func (w *walker) customValue(value any, at string) {
	switch value := value.(type) {
	case string:
		if isSecretValue(value) {
			w.add(RulePayloadSecret, at, "")
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			w.custom(name, value[name], at+pointerSegment(name))
		}
	case []any:
		for i, item := range value {
			w.customValue(item, at+"/"+strconv.Itoa(i))
		}
	}
}
