package pgstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// A querier is the database, or a transaction in it, of whichever kind.
type querier interface {
	// query reads the rows of a query.
	query(ctx context.Context, row func(scan func(...any) error) error, query string, args ...any) error
	exec(ctx context.Context, statement string, args ...any) error
}

// on is a pool, or a transaction, of package database/sql.
func on(from standards) querier { return standard{from} }

type standard struct{ from standards }

type standards interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func (q standard) query(ctx context.Context, row func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := q.from.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (q standard) exec(ctx context.Context, statement string, args ...any) error {
	_, err := q.from.ExecContext(ctx, statement, args...)
	return err
}

// native is a transaction of pgx.
type native struct{ tx pgx.Tx }

func (q native) query(ctx context.Context, row func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := q.tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (q native) exec(ctx context.Context, statement string, args ...any) error {
	_, err := q.tx.Exec(ctx, statement, args...)
	return err
}

// in is a statement on the tables of "outbox" as one on those of the schema. It must not have the
// schema's name in it already, which may be anything.
func (s *Store) in(statement string) string {
	return strings.ReplaceAll(statement, "outbox.", s.schema+".")
}

// each reads the rows of a query.
func (s *Store) each(ctx context.Context, q querier, row func(scan func(...any) error) error, query string, args ...any) error {
	return q.query(ctx, row, s.in(query), args...)
}

// one reads the only row of a query; the error is sql.ErrNoRows if there is none.
func (s *Store) one(ctx context.Context, q querier, query string, args []any, into ...any) error {
	found := false
	err := s.each(ctx, q, func(scan func(...any) error) error {
		found = true
		return scan(into...)
	}, query, args...)
	if err == nil && !found {
		err = sql.ErrNoRows
	}
	return err
}

// run runs a statement.
func (s *Store) run(ctx context.Context, q querier, statement string, args ...any) error {
	return q.exec(ctx, s.in(statement), args...)
}

const (
	// patience bounds what is done at a time: a server that does not answer must not hold a lane.
	patience = 30 * time.Second
	// maxAttempts is how often is tried what was in the way of another transaction, or found that its
	// connection had ended before anything was done by it, as all have after the server was restarted.
	maxAttempts = 5
)

// read reads without a transaction.
func (s *Store) read(ctx context.Context, do func(ctx context.Context, q querier) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for range maxAttempts {
		if err = do(ctx, on(s.db)); !broken(err) || ctx.Err() != nil {
			break
		}
	}
	return s.known(err)
}

// change does something in one transaction, and does it again if another was in the way.
func (s *Store) change(ctx context.Context, do func(ctx context.Context, q querier) error) error {
	return s.known(s.transact(ctx, do))
}

func (s *Store) transact(ctx context.Context, do func(ctx context.Context, q querier) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for range maxAttempts {
		if err = s.attempt(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted}, do); !mayGoAgain(err) || ctx.Err() != nil {
			break
		}
	}
	return err
}

// abandonedFor is when the server ends a transaction of which it hears nothing more. One whose machine
// has lost its power or its network would hold a lane until TCP notices, which takes hours.
const abandonedFor = 10 * time.Second

// rules are what a transaction that changes something asks of the server, whatever its defaults are by
// now: that it waits for the disk, and for a synchronous standby's, and that it may be given up.
func (s *Store) rules() string {
	return fmt.Sprintf(`SELECT set_config('idle_in_transaction_session_timeout', '%dms', true),
		CASE WHEN current_setting('synchronous_commit') NOT IN ('on', 'remote_apply') THEN set_config('synchronous_commit', 'on', true) END`,
		s.abandoned.Milliseconds())
}

var errNotBegun = errors.New("the connection has ended")

func (s *Store) attempt(ctx context.Context, opts *sql.TxOptions, do func(ctx context.Context, q querier) error) error {
	tx, err := s.db.BeginTx(ctx, opts)
	if broken(err) && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", errNotBegun, err)
	}
	if err != nil {
		return err
	}
	if !opts.ReadOnly {
		_, err = tx.ExecContext(ctx, s.rules())
	}
	if err == nil {
		err = do(ctx, on(tx))
	}
	if err != nil {
		_ = tx.Rollback() // what failed says more than this does
		return err
	}
	return tx.Commit()
}
