package fake

import (
	"bytes"
	"encoding/json"
)

const (
	// maxKept bounds how many are kept of each kind. Of what only grows older the oldest are
	// forgotten first; counts go on.
	maxKept = 100_000
	// maxKeptBytes bounds the events that are kept, the emails, what became of these, and the drafts.
	maxKeptBytes = 64 << 20
	// maxRoom bounds what is never forgotten by itself: people and their fields, names of tags,
	// fields and types of events, templates, conversations.
	maxRoom = 256 << 20
	// blockSize is how much memory short records share.
	blockSize = 64 << 10
)

// kept are records as they were sent, oldest first.
type kept struct {
	records [][]byte
	bytes   int
	block   []byte // where short ones are copied to, until it is full
}

// add keeps a copy of a record, and forgets the oldest tenth when there is no room.
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
	k.records = append(k.records, k.own(record))
	k.bytes += len(record)
}

// own copies a record, so that keeping it does not keep the request that it came in.
func (k *kept) own(record []byte) []byte {
	if len(record) > blockSize/4 {
		return bytes.Clone(record)
	}
	if len(k.block)+len(record) > cap(k.block) {
		k.block = make([]byte, 0, blockSize)
	}
	from := len(k.block)
	k.block = append(k.block, record...)
	return k.block[from:len(k.block):len(k.block)]
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
