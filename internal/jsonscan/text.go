package jsonscan

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// OrdinaryPrefix counts the bytes that stand for themselves in a string, eight at a time.
func OrdinaryPrefix(text []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; len(text)-n >= 8; n += 8 {
		w := binary.LittleEndian.Uint64(text[n:])
		quote, slash := w^(ones*'"'), w^(ones*'\\')
		// A byte's top bit is set where it is a quote, a backslash or a control character; above
		// such a byte a borrow may set others, so that only the lowest counts.
		if found := ((quote-ones)&^quote | (slash-ones)&^slash | (w-ones*' ')&^w) & tops; found != 0 {
			return n + bits.TrailingZeros64(found)/8
		}
	}
	for n < len(text) && ordinary[text[n]] {
		n++
	}
	return n
}

// Inside counts the bytes of a string up to its quote, or to what has no place in one, escapes
// included. It is past the end by one if the text ends within an escape.
func Inside(text []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	n := 0
	for len(text)-n >= 8 {
		w := binary.LittleEndian.Uint64(text[n:])
		quote, slash := w^(ones*'"'), w^(ones*'\\')
		found := ((quote-ones)&^quote | (slash-ones)&^slash | (w-ones*' ')&^w) & tops
		if found == 0 {
			n += 8
			continue
		}
		if n += bits.TrailingZeros64(found) / 8; text[n] != '\\' {
			return n
		}
		n += 2
	}
	for n < len(text) && (ordinary[text[n]] || text[n] == '\\') {
		if text[n] == '\\' {
			n++
		}
		n++
	}
	return n
}

// ordinary are the bytes that stand for themselves in a string.
var ordinary = func() (table [256]bool) {
	for b := range table {
		table[b] = b >= ' ' && b != '"' && b != '\\'
	}
	return table
}()

// unescape makes of the inside of a string, in its place, what it says; nothing is escaped before
// from. Half a character becomes U+FFFD.
func unescape(text []byte, from int) ([]byte, error) {
	end := from
	for at := from; at < len(text); {
		if n := OrdinaryPrefix(text[at:]); n > 0 || text[at] != '\\' {
			n = max(n, 1)
			end += copy(text[end:], text[at:at+n])
			at += n
			continue
		}
		if at+1 == len(text) {
			return nil, ErrSyntax
		}
		escaped := text[at+1]
		at += 2
		if plain := escapes[escaped]; plain != 0 {
			text[end] = plain
			end++
			continue
		}
		r, n, ok := unicodeEscape(text[at:])
		if escaped != 'u' || !ok {
			return nil, ErrSyntax
		}
		at += n
		end += utf8.EncodeRune(text[end:end+utf8.UTFMax], r)
	}
	return text[:end], nil
}

// unicodeEscape reads what follows \u, both halves of a pair, and returns how long that is.
func unicodeEscape(text []byte) (r rune, n int, ok bool) {
	if r, ok = hex4(text); !ok || !utf16.IsSurrogate(r) {
		return r, 4, ok
	}
	if len(text) >= 10 && text[4] == '\\' && text[5] == 'u' {
		if second, ok := hex4(text[6:]); ok && utf16.DecodeRune(r, second) != utf8.RuneError {
			return utf16.DecodeRune(r, second), 10, true
		}
	}
	return utf8.RuneError, 4, true
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func hex4(digits []byte) (rune, bool) {
	if len(digits) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(digits[:4]), 16, 16)
	return rune(n), err == nil
}
