package pgstore_test

import (
	"context"
	"database/sql"
	"log"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/pgstore"
	bento "example.com/bento-go/wrapper"
)

// An order and the event that tells of it are written in one transaction: there is no order without its
// event, and no event of an order that was rolled back. A relay on the same database delivers it.
func ExampleStore_EnqueueTx() {
	ctx := context.Background()
	db, err := sql.Open("pgx", "postgres://app@db.internal/app")
	if err != nil {
		log.Fatal(err)
	}
	store, err := pgstore.New(ctx, db)
	if err != nil {
		log.Fatal(err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // unless it is committed
	if _, err := tx.ExecContext(ctx, "INSERT INTO orders (id, total) VALUES ($1, $2)", "1234", 7995); err != nil {
		log.Fatal(err)
	}
	purchase := bento.Event{Type: "$purchase", Email: "ari@example.com", Details: map[string]any{"unique": map[string]any{"key": "1234"}}}
	if _, err := store.EnqueueTx(ctx, tx, outbox.Event(purchase)); err != nil {
		log.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		log.Fatal(err)
	}
}
