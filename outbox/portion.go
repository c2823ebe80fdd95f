package outbox

// A portion finds the records that are to blame when Bento does not say which: what is sent again goes
// in smaller and smaller parts, until one stands alone.
type portion struct {
	size   int  // of batches that are sent again; 0 is full
	others bool // something arrived since the last failure
}

const (
	// suspected is after how many attempts a batch that fails while others arrive goes in parts.
	suspected = 3
	// condemned is after how many attempts a record that fails alone while others arrive is given up:
	// so many that a server which fails at random is hardly ever the reason.
	condemned = 20
	// full is a portion that no lane has more than.
	full = 1000
)

func (p *portion) portionOf(batch []Entry) []Entry {
	if p.size > 0 && batch[0].Attempts > 0 {
		return batch[:min(p.size, len(batch))]
	}
	return batch
}

// learn takes in what became of a batch: that nothing of it got through, or that some of it was refused
// together, so many at the most. It reports whether the batch is one record that has failed too often.
func (p *portion) learn(batch []Entry, failed bool, together int) (giveUp bool) {
	attempts := batch[0].Attempts
	switch {
	case together > 0:
		p.size = max(1, together/2)
	case !failed:
		p.others = true
		if attempts > 1 { // it was a portion, and did well
			if p.size *= 2; p.size >= full {
				p.size = 0
			}
		}
	case p.others && attempts >= suspected:
		p.others = false
		p.size = max(1, len(batch)/2)
		return len(batch) == 1 && attempts >= condemned
	default:
		p.others = false
	}
	return false
}
