package pgstore

import (
	"context"
	"embed"
	"fmt"
	"hash/fnv"

	"example.com/bento-go/outbox"
)

// migrations make the tables, one after the other; they are never changed, only added to.
//
//go:embed schema/*.sql
var migrations embed.FS

// version is that of the last migration.
const version = 2

// oldest is the oldest server that has all that is used here.
const oldest = 13_0000

// facts are what a server says of itself, and of the schema.
type facts struct {
	server            int // 150004 is 15.4
	replica, readOnly bool
	encoding          string
	schema, known     bool   // it is there; and its table version
	ours              bool   // which is as it is made here
	missing           string // tables of the last version
	tables            int    // whatever they are
}

func (s *Store) ask(ctx context.Context, q querier) (f facts, err error) {
	const question = `
		WITH there AS (SELECT c.oid, relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE nspname = $1)
		SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
			current_setting('server_encoding'),
			EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1),
			EXISTS (SELECT FROM there WHERE relname = 'version'),
			(SELECT count(*) = 2 FROM there JOIN pg_catalog.pg_attribute ON attrelid = there.oid WHERE relname = 'version' AND NOT attisdropped
				AND (attname = 'version' AND atttypid = 'pg_catalog.int4'::regtype OR attname = 'since' AND atttypid = 'pg_catalog.timestamptz'::regtype)),
			(SELECT coalesce(string_agg(name, ', '), '') FROM unnest(ARRAY['lanes', 'ids', 'entries', 'history', 'totals', 'room']) AS name
				WHERE name NOT IN (SELECT relname FROM there)),
			(SELECT count(*) FROM there)`
	err = s.one(ctx, q, question, []any{s.channel}, &f.server, &f.replica, &f.readOnly, &f.encoding, &f.schema, &f.known, &f.ours, &f.missing, &f.tables)
	return f, err
}

// usable is what is wrong with a server, and what to do.
func (f facts) usable() error {
	switch {
	case f.server < oldest:
		return fmt.Errorf("the server is PostgreSQL %d: want %d or later; update it, or choose another", f.server/10000, oldest/10000)
	case f.replica:
		return errReplica
	case f.readOnly:
		return errReadOnly
	case f.encoding != "UTF8":
		return fmt.Errorf("the database's encoding is %s: want UTF8; make a database with ENCODING 'UTF8' for the outbox", f.encoding)
	}
	return nil
}

// prepare makes sure that the server can be used, and that the tables are there: if they have to exist
// already, it makes none.
func (s *Store) prepare(ctx context.Context, existing bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	f, err := s.ask(ctx, on(s.db))
	if err != nil {
		return err
	}
	if err := f.usable(); err != nil {
		return err
	}
	found, err := s.version(ctx, on(s.db), f)
	switch {
	case err != nil || found == version:
		return err
	case found == 0 && existing:
		return none{}
	}
	return s.migrate(ctx)
}

// version is that of the tables that are there: zero if there are none. The error says why they cannot
// be used.
func (s *Store) version(ctx context.Context, q querier, f facts) (found int, err error) {
	switch {
	case !f.known:
		return 0, nil
	case !f.ours:
		return 0, errForeign
	}
	if err := s.one(ctx, q, "SELECT coalesce(max(version), 0) FROM outbox.version", nil, &found); err != nil {
		return 0, err
	}
	switch {
	case found > version:
		return 0, fmt.Errorf("its tables are of version %d, and this program knows %d: a newer one has made them; update this one, or choose another schema", found, version)
	case found > 0 && f.missing != "":
		return 0, fmt.Errorf("%w: it has a table version, and lacks %s: restore them, or choose another schema", outbox.ErrDamaged, f.missing)
	}
	return found, nil
}

// migrate makes the tables what they have to be; of several processes one does, and the others wait.
func (s *Store) migrate(ctx context.Context) error {
	return s.transact(ctx, func(ctx context.Context, q querier) error {
		lock := fnv.New64a()
		_, _ = lock.Write([]byte("bento outbox " + s.channel))
		if err := s.run(ctx, q, "SELECT pg_advisory_xact_lock($1)", int64(lock.Sum64())); err != nil { //nolint:gosec // any number will do
			return err
		}
		f, err := s.ask(ctx, q) // anew: another may have done it meanwhile
		if err != nil {
			return err
		}
		found, err := s.version(ctx, q, f)
		if err != nil {
			return err
		}
		if found == 0 && f.tables > 0 && !f.known {
			return errTaken
		}
		if !f.schema {
			if err := q.exec(ctx, "CREATE SCHEMA "+s.schema); err != nil {
				return err
			}
		}
		if err := q.exec(ctx, "SET LOCAL search_path TO "+s.schema); err != nil {
			return err
		}
		for n := found + 1; n <= version; n++ {
			if err := s.step(ctx, q, n); err != nil {
				return fmt.Errorf("migration %d: %w", n, err)
			}
		}
		return nil
	})
}

// step runs a migration.
func (s *Store) step(ctx context.Context, q querier, n int) error {
	text, err := migrations.ReadFile(fmt.Sprintf("schema/%d.sql", n))
	if err != nil {
		return err
	}
	if err := q.exec(ctx, string(text)); err != nil {
		return err
	}
	return s.run(ctx, q, "INSERT INTO outbox.version (version) VALUES ($1)", n)
}
