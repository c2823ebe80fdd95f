// Package outbox delivers to Bento what an application hands over, though the application may be
// killed, the machine may lose its power, and Bento may be down for an hour.
//
//	sender := outbox.New(client, store)
//	go sender.Run(context.WithoutCancel(ctx)) // Close ends it
//	…
//	_, err = sender.Enqueue(ctx, outbox.Event(signedUp), outbox.Email(welcome, outbox.Key("welcome/user-42")))
//
// Enqueue returns when the store has the records for good. Run sends them, in lanes: one for each
// kind of record, each with one active sender among all processes that share the store.
//
// What it promises:
//
//   - Events, people and commands arrive at least once. Twice may arrive only what was in doubt: in
//     flight when a sender died, answered by a 5xx, or not answered. Events with a unique key count
//     once even so.
//   - An email is sent at most once for each decision of a person. That it is about to be sent is
//     noted before, what became of it after; when nobody knows, it is parked, for a person to
//     decide: [Sender.Resend], [Sender.Confirm] or [Sender.Discard], whose reasons are kept.
//   - Nothing is dropped in silence. A store that is full refuses; a record that Bento refuses is kept
//     as failed, with the reason, and so is one on which Bento breaks while others arrive. Every verdict
//     is counted by its cause: [Sender.Stats].
//
// What is accepted leaves the store, but for its key. Whoever only enqueues needs no client; whoever
// decides may be another process, such as bentoctl outbox. Package sqlitestore keeps an outbox in a file
// of one machine, natsstore in a NATS cluster and pgstore in a PostgreSQL that many machines share, memstore
// in memory; docs/delivery.md tells what was tried to break each promise.
package outbox
