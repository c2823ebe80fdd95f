package fake

import "encoding/json"

const (
	// maxKept bounds how many are kept of each kind. Of what only grows older the oldest are
	// forgotten first; counts go on.
	maxKept = 100_000
	// maxKeptBytes bounds the events that are kept, the emails, and the drafts.
	maxKeptBytes = 64 << 20
	// maxRoom bounds what is never forgotten by itself: people and their fields, names of tags,
	// fields and types of events, templates.
	maxRoom = 256 << 20
)

// kept are records as they were sent, oldest first.
type kept struct {
	records [][]byte
	bytes   int
}

// add keeps a record, and forgets the oldest tenth when there is no room.
func (k *kept) add(record []byte) {
	for len(k.records) >= maxKept || len(k.records) > 0 && k.bytes+len(record) > maxKeptBytes {
		tenth := len(k.records)/10 + 1
		for _, old := range k.records[:tenth] {
			k.bytes -= len(old)
		}
		n := copy(k.records, k.records[tenth:])
		clear(k.records[n:])
		k.records = k.records[:n]
	}
	k.records = append(k.records, record)
	k.bytes += len(record)
}

// decoded returns the last n records.
func decoded[T any](k kept, n int) []T {
	records := k.records[max(0, len(k.records)-n):]
	all := make([]T, len(records))
	for i, record := range records {
		_ = json.Unmarshal(record, &all[i]) // the contract has judged it
	}
	return all
}

// fits takes n bytes of the room for what is never forgotten, if there is so much.
func (s *state) fits(n int) bool {
	if n > s.room {
		return false
	}
	s.room -= n
	return true
}

// sizeOf is about what a value takes.
func sizeOf(value any) int {
	switch v := value.(type) {
	case string:
		return len(v) + 16
	case []any, map[string]any:
		encoded, _ := json.Marshal(v)
		return 4 * len(encoded)
	}
	return 16
}
