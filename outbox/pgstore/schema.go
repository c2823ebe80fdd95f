package pgstore

import (
	"context"
	"embed"
	"fmt"
	"hash/fnv"
)

// migrations make the tables, one after the other; they are never changed, only added to.
//
//go:embed schema/*.sql
var migrations embed.FS

// version is that of the last migration.
const version = 1

// oldest is the oldest server that has all that is used here.
const oldest = 13_0000

// facts are what a server says of itself.
type facts struct {
	server             int // 150004 is 15.4
	replica, readOnly  bool
	encoding           string
	lax, schema, known bool // a commit is not waited for as it has to be; the schema is there; and its table version
}

func (s *Store) ask(ctx context.Context, q querier) (f facts, err error) {
	const question = `
		SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
			current_setting('server_encoding'), current_setting('synchronous_commit') NOT IN ('on', 'remote_apply'),
			EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1),
			EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE nspname = $1 AND relname = 'version')`
	err = s.one(ctx, q, question, []any{s.channel}, &f.server, &f.replica, &f.readOnly, &f.encoding, &f.lax, &f.schema, &f.known)
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
	s.strict = f.lax
	found := 0
	if f.known {
		if found, err = s.version(ctx, on(s.db)); err != nil {
			return err
		}
	}
	switch {
	case found == version:
		return nil
	case found > version:
		return newer(found)
	case found == 0 && existing:
		return none{}
	}
	return s.migrate(ctx)
}

func newer(found int) error {
	return fmt.Errorf("its tables are of version %d, and this program knows %d: a newer one has made them; update this one, or choose another schema", found, version)
}

// version is that of the tables that are there.
func (s *Store) version(ctx context.Context, q querier) (found int, err error) {
	err = s.one(ctx, q, "SELECT coalesce(max(version), 0) FROM outbox.version", nil, &found)
	return found, err
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
		found := 0
		if f.known {
			if found, err = s.version(ctx, q); err != nil {
				return err
			}
		}
		if found > version {
			return newer(found)
		}
		if !f.schema {
			if err := s.run(ctx, q, "CREATE SCHEMA "+s.schema); err != nil {
				return err
			}
		}
		if err := s.run(ctx, q, "SET LOCAL search_path TO "+s.schema); err != nil {
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
