package conformance_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/bento-go/conformance"
)

// What can be an address, and what cannot: each plain, and with a letter that is not ASCII, which are
// looked at by different ways.
func TestAnAddressIsLenientlyJudged(t *testing.T) {
	t.Parallel()
	long := strings.Repeat
	domain := func(n int) string { // of n bytes, in labels of 63 at most
		return (long(long("d", 63)+".", n/64+1))[:n-3] + ".io"
	}
	for address, want := range map[string]bool{
		"a@example.com": true, "ari+news@example.com": true, "o'brien@mail.example.com": true, "first.last@example.co.uk": true,
		"jürgen@example.com": true, "a@müller.example": true, `"é@b"@example.com`: true, `"a@b"@example.com`: true,

		"": false, "é": false, "é.example.com": false, "@example.com": false, "@müller.example": false, "é@": false, "é@example": false, "é@.com": false,
		"é@example.": false, "é@example..com": false, "é@b@example.com": false, "a@b@example.com": false, `é"@b"@example.com`: false,
		"é b@example.com": false, "é\tb@example.com": false, "é@exam ple.com": false, "é\u00a0b@example.com": false, "é\x00b@example.com": false, "é\x7fb@example.com": false,
		"é<b@example.com": false, "é>b@example.com": false, "é,b@example.com": false, "é;b@example.com": false, "Ari é <a@example.com>": false, "<a@example.com>": false,

		long("l", 64) + "@example.com": true, long("l", 65) + "@example.com": false, "é" + long("l", 62) + "@example.com": true, "é" + long("l", 63) + "@example.com": false,
		"a@" + long("d", 63) + ".com": true, "a@" + long("d", 64) + ".com": false, "é@" + long("d", 63) + ".com": true, "é@" + long("d", 64) + ".com": false,
		"aa@" + domain(251): true, "aaa@" + domain(251): false, "é@" + domain(251): true, "éa@" + domain(251): false,
	} {
		assert.Equal(t, want, conformance.ValidEmail(address), "%d bytes: %q", len(address), address)
	}
}
