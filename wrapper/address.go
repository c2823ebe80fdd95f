package bento

import (
	"fmt"
	"strings"
)

// checkAddress refuses what cannot be an email address, and headers smuggled into one. It is
// lenient on purpose: plus signs, apostrophes and international domains are fine, and Bento
// judges the rest. It never quotes the address: errors end up in logs.
func checkAddress(field, address string) error {
	at := strings.LastIndexByte(address, '@')
	switch {
	case address == "":
		return fmt.Errorf("%s is empty: every record needs an address", field)
	case strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return fmt.Errorf("%s holds a space or control character", field)
	case at < 1 || at == len(address)-1 || strings.ContainsAny(address, "<>,;"):
		return fmt.Errorf("%s is not an email address: want one like ari@example.com, without a name", field)
	}
	return nil
}
