package fake

import "crypto/sha256"

// A digest stands for a record or a key: of a million of them no two are likely the same.
type digest [8]byte

// What a digest is of.
const (
	ofEvent = iota
	ofSubscriber
	ofCommand
	ofEmail
	ofKey
	ofSite
)

func digestOf(kind byte, content []byte) digest {
	sum := sha256.Sum256(content)
	sum[0] ^= kind
	return digest(sum[:8])
}

// digests is a set of at most a bound.
type digests map[digest]struct{}

// meet reports whether d was there already, and remembers it while fewer than limit are.
func (s digests) meet(d digest, limit int) bool {
	_, known := s[d]
	if !known && len(s) < limit {
		s[d] = struct{}{}
	}
	return known
}

// bytes and digestsOf make a snapshot short.
func (s digests) bytes() []byte {
	all := make([]byte, 0, len(s)*len(digest{}))
	for d := range s {
		all = append(all, d[:]...)
	}
	return all
}

func digestsOf(all []byte) digests {
	s := digests{}
	for ; len(all) >= len(digest{}); all = all[len(digest{}):] {
		s[digest(all)] = struct{}{}
	}
	return s
}
