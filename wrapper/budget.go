package bento

import "sync"

const (
	// budgetSize is how many retries a client may have ahead of its successes.
	budgetSize = 20
	// budgetGain is the part of a retry that each success earns.
	budgetGain = 0.1
)

// A budget bounds the retries of all goroutines together: when nothing works any more, a client
// that asks four times instead of once makes an outage worse. A 429 costs nothing, since the pace
// answers to it.
type budget struct {
	mu    sync.Mutex
	spent float64
}

// take reports whether another retry is in the budget, and takes it.
func (b *budget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spent+1 > budgetSize {
		return false
	}
	b.spent++
	return true
}

// earn puts back what a success is worth.
func (b *budget) earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spent = max(0, b.spent-budgetGain)
}
