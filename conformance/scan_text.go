package conformance

import (
	"bytes"
	"slices"
	"time"
	"unicode/utf8"
)

// takesText reports whether a string, by its inside as it is written, surely fits.
func (sh *shape) takesText(text []byte, plain bool) bool {
	if sh.kinds&kindAny != 0 {
		return true
	}
	if sh.minLength == 0 && sh.maxLength == 0 && sh.format == formatNone && sh.enum == nil {
		return true
	}
	n := uint64(len(text))
	if !plain { // its length and its letters are others to tell, but something it is
		return sh.minLength <= 1 && sh.maxLength == 0 && sh.format == formatNone && sh.enum == nil
	}
	switch {
	case sh.minLength == 1 && n == 0, sh.minLength > 1 && (n < sh.minLength || !isASCII(text)):
		return false
	case sh.maxLength > 0 && n > sh.maxLength:
		return false
	case sh.enum != nil && !slices.ContainsFunc(sh.enum, func(e string) bool { return string(text) == e }):
		return false
	}
	switch sh.format {
	case formatEmail:
		return plainAddress(text)
	case formatDateTime:
		return plainTime(text)
	case formatField:
		return plainField(text)
	case formatOther:
		return false
	case formatNone:
	}
	return true
}

func isASCII(text []byte) bool {
	var all byte
	for _, b := range text {
		all |= b
	}
	return all < utf8.RuneSelf
}

// plainAddress takes the addresses that most people have.
func plainAddress[T string | []byte](text T) bool {
	at := 0
	for at < len(text) && addressBytes[text[at]]&localByte != 0 {
		at++
	}
	if at < 1 || at > 64 || len(text) > 254 || at == len(text) || text[at] != '@' {
		return false
	}
	label, dots := 0, 0
	for i := at + 1; i < len(text); i++ {
		c := text[i]
		switch {
		case addressBytes[c]&labelByte != 0:
			if label++; label > 63 {
				return false
			}
		case c != '.' || label == 0:
			return false
		default:
			label, dots = 0, dots+1
		}
	}
	return label > 0 && dots > 0
}

const (
	localByte = 1 << iota // of what stands before the @
	labelByte             // of a label of the domain
)

var addressBytes = func() (table [256]byte) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") {
		table[c] = localByte | labelByte
	}
	for _, c := range []byte("._+") {
		table[c] = localByte
	}
	return table
}()

// plainTime takes RFC 3339 as most programs write it.
func plainTime(text []byte) bool {
	const pattern = "dddd-dd-ddTdd:dd:dd"
	if len(text) < len(pattern)+1 {
		return false
	}
	for i, want := range []byte(pattern) {
		if c := text[i]; want == 'd' && c-'0' > 9 || want != 'd' && c != want {
			return false
		}
	}
	two := func(i int) int { return int(text[i]-'0')*10 + int(text[i+1]-'0') }
	month, day, year := two(5), two(8), two(0)*100+two(2)
	if month < 1 || month > 12 || day < 1 || day > 28 && day > daysOf(year, month) || two(11) > 23 || two(14) > 59 || two(17) > 59 {
		return false
	}
	rest := text[len(pattern):]
	if rest[0] == '.' {
		n := 1
		for n < len(rest) && rest[n]-'0' <= 9 {
			n++
		}
		if n == 1 || n > 10 {
			return false
		}
		rest = rest[n:]
	}
	if len(rest) == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':' {
		for _, i := range [...]int{1, 2, 4, 5} {
			if rest[i]-'0' > 9 {
				return false
			}
		}
		return rest[1] < '2' && rest[4] < '6' // to 19:59, which is farther than anybody lives
	}
	return len(rest) == 1 && rest[0] == 'Z'
}

func daysOf(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// plainDetails reports whether the details of an event are surely fine: without a value, or with
// key and amount where most programs write them.
func plainDetails(kind, unique, worth []byte) bool {
	if worth == nil {
		return !bytes.Equal(kind, purchaseType)
	}
	const key, amount = `{"key":"`, `"amount":`
	if len(unique) <= len(key) || string(unique[:len(key)]) != key || unique[len(key)] == '"' {
		return false
	}
	_, digits, _ := bytes.Cut(worth, []byte(amount))
	if bytes.IndexByte(worth[1:], '{') >= 0 { // the amount may be of something else
		return false
	}
	n := 0
	for n < len(digits) && digits[n]-'0' <= 9 {
		n++
	}
	return n < len(digits) && (digits[n] == ',' || digits[n] == '}')
}

// suspects are parts of names that may name a secret; see secretName for those that do.
var suspects = [][]byte{[]byte("pass"), []byte("pwd"), []byte("secret"), []byte("key"), []byte("token"), []byte("card"), []byte("cv"), []byte("ssn")}

// plainField reports whether the name of a field is surely in style, and names no secret.
func plainField(name []byte) bool {
	if len(name) == 0 || len(name) > 60 || name[0] == '_' || name[len(name)-1] == '_' {
		return false
	}
	for i, c := range name {
		if c-'a' > 'z'-'a' && c-'0' > 9 && (c != '_' || name[i-1] == '_') {
			return false
		}
	}
	if string(name) == "key" {
		return true
	}
	return !slices.ContainsFunc(suspects, func(part []byte) bool { return bytes.Contains(name, part) })
}

// shortestSecret is shorter than anything that secretValue matches.
const shortestSecret = 12

// maybeSecret reports whether a string, as it is written, might look like a key: whether it holds
// the beginning of one of those that secretValue knows.
func maybeSecret(text []byte) bool {
	switch {
	case len(text) < shortestSecret:
		return false
	case bytes.IndexByte(text, '\\') >= 0:
		return true // an escape hides what it stands for
	case !hasSecretMark(text):
		return false
	case bytes.Contains(text, []byte("Bearer")):
		return true
	}
	return secretValue.Match(text[1 : len(text)-1])
}

// hasSecretMark reports whether a text holds the beginning of anything that secretValue matches.
func hasSecretMark(text []byte) bool {
	for i, b := range text {
		before, after := text[:i], text[i+1:]
		marked := false
		switch b {
		case '_':
			marked = bytes.HasPrefix(after, []byte("live_")) || bytes.HasPrefix(after, []byte("test_")) ||
				bytes.HasSuffix(before, []byte("whsec")) || i > 2 && text[i-3] == 'g' && text[i-2] == 'h'
		case '-':
			marked = bytes.HasSuffix(before, []byte("glpat")) || i > 3 && string(text[i-4:i-1]) == "xox" || bytes.HasPrefix(after, []byte("----"))
		case 'A':
			marked = bytes.HasPrefix(after, []byte("KIA"))
		case 'e':
			marked = bytes.HasPrefix(after, []byte("yJ"))
		case 'B':
			marked = bytes.HasPrefix(after, []byte("earer"))
		}
		if marked {
			return true
		}
	}
	return false
}
