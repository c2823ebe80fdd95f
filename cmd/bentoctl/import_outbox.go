package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"example.com/bento-go/cmd/bentoctl/internal/intake"
	"example.com/bento-go/outbox"
)

// keep hands the chunk over to the outbox, all or none.
func (j *importJob) keep(ctx context.Context) error {
	lane := outbox.Subscribers
	if j.kind == intake.Events {
		lane = outbox.Events
	}
	items := make([]outbox.Item, 0, len(j.chunk.records)+len(j.chunk.unsubbed))
	for i, command := range j.chunk.unsubbed {
		items = j.keepOne(items, outbox.Commands, command, fmt.Sprintf("%d.%d", j.state.Rows, i))
	}
	for i, record := range j.chunk.records {
		items = j.keepOne(items, lane, record, strconv.Itoa(j.chunk.lines[i]))
	}
	if _, err := j.spool.Enqueue(ctx, items...); err != nil {
		return err
	}
	j.chunk.tally.Queued += len(items)
	return nil
}

// keepOne adds a record, or says why it cannot be kept. What would count twice has a key by its place in
// this import, so that one that goes on after a kill keeps nothing twice. Another import of the same file
// is another.
func (j *importJob) keepOne(items []outbox.Item, lane outbox.Lane, record json.RawMessage, place string) []outbox.Item {
	item := outbox.Raw(lane, record)
	if !item.Harmless() {
		item = outbox.Raw(lane, record, outbox.Key("import/"+j.state.Run+"/"+place))
	}
	if err := item.Err(); err != nil {
		j.chunk.tally.LeftOut++
		j.chunk.tally.tell("line %s: %v", place, err)
		return items
	}
	return append(items, item)
}
