package pgstore

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"example.com/bento-go/outbox"
)

const (
	// quietFor is how long nothing may be heard before the connection is tried.
	quietFor = 30 * time.Second
	// answerFor is how long the server may take to answer then.
	answerFor = 10 * time.Second
)

// Wake is as [outbox.Waker] has it: by LISTEN, on a connection of its own, made as those of the pool are.
func (s *Store) Wake(ctx context.Context, wake func(outbox.Lane)) error {
	conn, err := s.hear(ctx)
	if err != nil {
		return s.known(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	for _, lane := range outbox.Lanes { // what came before is not heard
		wake(lane)
	}
	for {
		lane, err := next(ctx, conn, s.quiet)
		if err != nil {
			return s.known(err)
		}
		if lane != "" {
			wake(lane)
		}
	}
}

// hear makes a connection that hears.
func (s *Store) hear(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	config, err := configOf(ctx, s.db)
	if err != nil {
		return nil, err
	}
	config.OnNotification = nil // notifications are asked for
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{s.channel}.Sanitize()); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return conn, nil
}

// next is the next lane that is heard of; empty if there is none for a while, and the server answers, and
// takes changes: nothing is put at one that another has replaced.
func next(ctx context.Context, conn *pgx.Conn, quiet time.Duration) (outbox.Lane, error) {
	listening, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	heard, err := conn.WaitForNotification(listening)
	switch {
	case err == nil:
		return outbox.Lane(heard.Payload), nil
	case ctx.Err() != nil || listening.Err() == nil:
		return "", err
	}
	answering, cancel := context.WithTimeout(ctx, answerFor)
	defer cancel()
	var readOnly bool
	err = conn.QueryRow(answering, "SELECT current_setting('transaction_read_only') = 'on'").Scan(&readOnly)
	if err == nil && readOnly {
		err = errReadOnly
	}
	return "", err
}
