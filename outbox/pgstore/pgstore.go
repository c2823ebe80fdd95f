// Package pgstore keeps an outbox in the application's own PostgreSQL, 13 or later: the machines of a
// fleet share it, and an application can hand over an event in the transaction that writes its
// business row ([Store.EnqueueTx]).
//
//	store, err := pgstore.Open(ctx, "postgres://app@db.internal/app?sslmode=verify-full")
//
// What it has acknowledged is what PostgreSQL has committed, with synchronous_commit on, whatever the
// server's default is. A transaction of a machine that has gone is given up after ten seconds, and its lane
// is free. It survives a crash of the server; a failover too, if the standby is a
// synchronous one. A server that runs with fsync off, or a standby that lags, loses what it lost: an
// email that was noted as being sent may then be sent again.
//
// IDs are given when an entry is put, and seen when its transaction commits. A lane sends what it sees
// by ID; what commits later with a smaller ID is sent next, never passed over. So two records are sent
// in the order they were put if the transaction of the first had committed before the second was put.
//
// How much the entries take is bounded, see [WithCapacity]. Times are those of the senders: their clocks
// have to agree within a fraction of a lease. One that is behind, and differs from the server's by more
// than a lease, ends nobody's lease; it waits for one that has run out until it says so itself, too. One
// that is ahead takes lanes early, and sends nothing twice. A relay hears of what others put by LISTEN,
// for which it keeps a connection of its own; behind a pooler that gives connections to transactions it
// hears nothing, and asks twice a second. Such a pooler may need default_query_exec_mode=exec in the
// URL, which pgx takes.
//
// The tables are in a schema of their own, made at the first [Open] by whoever may; after that, a user
// needs USAGE of the schema and of its sequence ids, and to read and change all tables in it.
package pgstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/internal/together"
)

// A Store is an [outbox.Store], and an [outbox.Waker], in a schema of a database.
type Store struct {
	db        *sql.DB
	owned     bool   // it was made here
	schema    string // as a statement has it
	channel   string // of notifications: the schema's name
	capacity  int64
	quiet     time.Duration    // until a connection that hears nothing is tried
	abandoned time.Duration    // see abandonedFor
	clock     func() time.Time // of this machine
	closed    atomic.Bool
	tidying   *tidying
	group     *together.Group // calls of Put
}

const (
	// DefaultSchema is where the tables are.
	DefaultSchema = "bento_outbox"
	// DefaultCapacity bounds what the entries take, in bytes.
	DefaultCapacity = 1 << 30
	// maxConnections is how many Open makes at most; a relay uses one for each lane, and one to hear.
	maxConnections = 16
	// connectFor bounds an attempt to connect, unless the URL does.
	connectFor = 10 * time.Second
	// connectedFor bounds a connection: that of a server which is no longer the URL's choice, but answers.
	connectedFor = 30 * time.Minute
)

type settings struct {
	schema   string
	capacity int64
	existing bool // nothing is made
}

// An Option adjusts a Store at [Open] and [New].
type Option func(*settings)

// WithSchema names the schema that has the tables; the default is [DefaultSchema]. Each is an outbox
// of its own: several sites in one database need several.
func WithSchema(name string) Option { return func(s *settings) { s.schema = name } }

// WithCapacity bounds what the entries take to so many bytes, their records and 256 for each; the
// default is [DefaultCapacity]. Beyond that Put returns [outbox.ErrFull]. The sum is exact for what is
// committed, and costs one small row for each transaction; transactions that are under way at the same
// time do not see one another, and may exceed it together. A serializable transaction of the
// application's does not look at it ([Store.EnqueueTx]): what it puts counts for whoever puts next. The
// tables and their indexes take about twice as much of the disk.
func WithCapacity(bytes int64) Option { return func(s *settings) { s.capacity = max(bytes, 1) } }

// WithoutCreating opens only an outbox that is there, and makes none: if there is none, the error is
// [fs.ErrNotExist]. It is for those who only look, and may have mistyped the schema.
func WithoutCreating() Option { return func(s *settings) { s.existing = true } }

// none is that there is no outbox, for those who are not to make one.
type none struct{}

func (none) Error() string {
	return "there is no outbox of this name: correct it, or begin to put into it, or to send from it, which makes one"
}

func (none) Unwrap() error { return fs.ErrNotExist }

// Open connects to the database of a URL, postgres://… or what else libpq takes, and makes the tables
// if they are not there. The errors tell where, and never the password. With all hosts in the URL, and
// target_session_attrs=read-write, it follows a switchover, also if the old primary still answers.
func Open(ctx context.Context, url string, opts ...Option) (*Store, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, unreadable(url, err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectFor
	}
	leaveReadOnly(config)
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(maxConnections)
	db.SetMaxIdleConns(maxConnections)
	db.SetConnMaxIdleTime(5 * time.Minute)
	db.SetConnMaxLifetime(connectedFor)
	s, err := open(ctx, db, placeOf(config), opts)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.owned = true
	return s, nil
}

// New uses a pool that the application has: one of pgx's package stdlib, whose OpenDBFromPool makes it of
// a pgxpool.Pool. The pool stays the application's to close. A relay uses a connection of it for each
// lane, at times. That its connections follow a switchover is the application's affair: bound their
// lifetime.
func New(ctx context.Context, db *sql.DB, opts ...Option) (*Store, error) {
	config, err := configOf(ctx, db)
	if err != nil {
		return nil, err
	}
	return open(ctx, db, placeOf(config), opts)
}

// configOf is how a pool connects.
func configOf(ctx context.Context, db *sql.DB) (config *pgx.ConnConfig, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("pgstore: the pool gives no connection: %w", flat(err))
	}
	defer func() { _ = conn.Close() }()
	err = conn.Raw(func(driver any) error {
		native, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("pgstore: the pool's driver has connections of type %T: open it with github.com/jackc/pgx/v5/stdlib", driver)
		}
		config = native.Conn().Config()
		return nil
	})
	return config, err
}

func open(ctx context.Context, db *sql.DB, where place, opts []Option) (*Store, error) {
	set := settings{schema: DefaultSchema, capacity: DefaultCapacity}
	for _, opt := range opts {
		opt(&set)
	}
	if set.schema == "" || len(set.schema) > 63 || strings.ContainsRune(set.schema, 0) || strings.HasPrefix(set.schema, "pg_") {
		return nil, fmt.Errorf("pgstore: %q is no name for a schema: want 1 to 63 bytes that do not begin with pg_", set.schema)
	}
	s := &Store{db: db, schema: pgx.Identifier{set.schema}.Sanitize(), channel: set.schema, capacity: set.capacity, quiet: quietFor, abandoned: abandonedFor, clock: time.Now, tidying: newTidying()}
	s.group = together.New(atATime, s.putAll)
	if err := s.prepare(ctx, set.existing); err != nil {
		return nil, fmt.Errorf("pgstore: %w", where.explain(err, set.schema))
	}
	return s, nil
}

// Close is as [outbox.Store] has it.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return errors.New("pgstore: closed already")
	}
	s.tidying.close()
	if s.owned {
		return s.db.Close()
	}
	return nil
}

var (
	_ outbox.Store = (*Store)(nil)
	_ outbox.Waker = (*Store)(nil)
)
