// Package outbox delivers to Bento what an application hands over, though the application may be
// killed, the machine may lose its power, and Bento may be down for an hour.
//
//	sender, err := outbox.New(client, store)
//	…
//	go sender.Run(ctx)
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
//     decide: [Sender.Resend], [Sender.Confirm] or [Sender.Discard].
//   - Nothing is dropped in silence. A store that is full refuses; a record that Bento refuses is kept
//     as failed, with the reason.
package outbox
