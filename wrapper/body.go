package bento

// A batch is the body of a request under way. Its buffer is its own: a transport may read it
// even after the answer came.
type batch struct {
	body        []byte
	n           int
	first, last int  // positions of its first and last record in the source
	repeatable  bool // every record may be sent again

	places []place // of its records
	prefix int     // bytes before the first record
}

// A place is where a record stands: in the source, and in the body.
type place struct{ at, from, to int }

func (r *batchRun[T]) newBatch() *batch {
	b := &batch{body: []byte(`{"` + r.key + `":[`), repeatable: true}
	b.prefix = len(b.body)
	return b
}

func (b *batch) add(record []byte, at int) {
	if b.n > 0 {
		b.body = append(b.body, ',')
	} else {
		b.first = at
	}
	from := len(b.body)
	b.body = append(b.body, record...)
	b.places = append(b.places, place{at, from, len(b.body)})
	b.last = at
	b.n++
}

// closed is the whole body.
func (b *batch) closed() []byte { return append(b.body, "]}"...) }

// part is a batch of the records from i to j, without j.
func (b *batch) part(i, j int) *batch {
	p := &batch{body: append([]byte(nil), b.body[:b.prefix]...), prefix: b.prefix, repeatable: b.repeatable}
	for _, at := range b.places[i:j] {
		p.add(b.body[at.from:at.to], at.at)
	}
	return p
}
