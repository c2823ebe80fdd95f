package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"example.com/bento-go/outbox"
)

const outboxUsage = "keep it in this outbox instead, to be sent by bentoctl relay"

// enqueue hands one record over to an outbox, and tells.
func (g *globals) enqueue(ctx context.Context, spec, what string, item outbox.Item) error {
	if err := item.Err(); err != nil {
		return err
	}
	store, err := g.openOutbox(ctx, spec)
	if err != nil {
		return err
	}
	receipts, err := outbox.New(nil, store).Enqueue(ctx, item)
	if err := errors.Join(err, store.Close()); err != nil {
		return err
	}
	r := receipts[0]
	switch {
	case g.json:
		return json.NewEncoder(g.out).Encode(map[string]any{"id": r.ID, "duplicate": r.Duplicate})
	case g.quiet:
	case r.Duplicate:
		fmt.Fprintf(g.err, "its key is known, as entry %d: nothing to do\n", r.ID)
	default:
		fmt.Fprintf(g.out, "kept as entry %d: %s\n", r.ID, what)
	}
	return nil
}
