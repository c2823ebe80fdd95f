package conformance

import (
	"strings"
	"unicode"
)

// ValidEmail reports whether address can be an email address. It is lenient: plus signs,
// apostrophes, non-ASCII local parts and international domains are fine. It wants one address,
// without a name, of a domain with at least one dot.
func ValidEmail(address string) bool {
	if plainAddress(address) {
		return true
	}
	at := strings.LastIndexByte(address, '@')
	if at < 1 || at > 64 || len(address) > 254 {
		return false
	}
	bad := func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune("<>,;", r)
	}
	if strings.ContainsFunc(address, bad) || strings.ContainsRune(address[:at], '@') && address[0] != '"' {
		return false
	}
	labels := strings.Split(address[at+1:], ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 {
			return false
		}
	}
	return len(labels) > 1
}
