package pgstore_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/internal/pgcluster"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/pgstore"
)

// Programs that start at once make the tables once.
func TestTablesAreMadeOnce(t *testing.T) {
	t.Parallel()
	c, schema := cluster(t), fresh()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			s, err := pgstore.Open(t.Context(), c.URL("postgres"), pgstore.WithSchema(schema))
			if assert.NoError(t, err) {
				assert.NoError(t, s.Close())
			}
		})
	}
	all.Wait()
	put(t, open(t, schema), 1)
}

// Tables that an older version has made are brought up to date, and keep what they have.
func TestTablesOfAnOlderVersionAreBroughtUpToDate(t *testing.T) {
	t.Parallel()
	schema := fresh()
	first, err := os.ReadFile("schema/1.sql")
	require.NoError(t, err)
	require.NoError(t, cluster(t).Run(t.Context(), fmt.Sprintf("CREATE SCHEMA %[1]q; SET search_path TO %[1]q; %[2]s; INSERT INTO version VALUES (1); "+
		"UPDATE lanes SET paused = 'the keys are wrong' WHERE lane = 'emails'", schema, first)))
	s, now := open(t, schema), time.Now()
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "the keys are wrong", stats.Lanes[outbox.Emails].Paused)
	lease, err := s.Acquire(t.Context(), outbox.Events, "me", now, time.Minute)
	require.NoError(t, err)
	require.NoError(t, s.Begin(t.Context(), lease, []int64{put(t, s, 1)[0].ID}, now))
	begun, err := s.Begun(t.Context(), outbox.Events)
	require.NoError(t, err)
	assert.Len(t, begun, 1)
}

// Who only looks makes nothing: neither a schema, nor tables in one that is there.
func TestLookingMakesNothing(t *testing.T) {
	t.Parallel()
	app, schema, look := application(t), fresh(), pgstore.WithoutCreating()
	refused := func(made int) {
		t.Helper()
		_, err := pgstore.Open(t.Context(), cluster(t).URL("postgres"), pgstore.WithSchema(schema), look)
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.ErrorContains(t, err, fmt.Sprintf("schema %q: there is no outbox of this name", schema))
		assert.NotContains(t, err.Error(), "\n")
		var schemas, found int
		require.NoError(t, app.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = $1),
			(SELECT count(*) FROM pg_tables WHERE schemaname = $1)`, schema).Scan(&schemas, &found))
		assert.Equal(t, made, schemas+found)
	}
	refused(0)
	require.NoError(t, cluster(t).Run(t.Context(), fmt.Sprintf("CREATE SCHEMA %q", schema)))
	refused(1)
	put(t, open(t, schema), 1)
	stats, err := open(t, schema, look).Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, stats.Waiting())
}

// A schema may have any name, one that looks like a statement of the store too.
func TestASchemaHasAnyName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"my outbox.entries", "outbox.", `an "outbox".b`, "SELECT $1", "Ä;--"} {
		s, now := open(t, name), time.Now()
		ids := put(t, s, 1)
		lease, err := s.Acquire(t.Context(), outbox.Events, "me", now, time.Minute)
		require.NoError(t, err)
		due, _, err := open(t, name).Next(t.Context(), lease, 10, now)
		require.NoError(t, err)
		require.Len(t, due, 1)
		assert.Equal(t, ids[0].ID, due[0].ID)
	}
}

// What was put is there when the database is opened again; so are leases and states.
func TestADatabaseIsOpenedAgain(t *testing.T) {
	t.Parallel()
	schema := fresh()
	s := open(t, schema)
	ids := put(t, s, 3)
	now := time.Now()
	lease, err := s.Acquire(t.Context(), outbox.Events, "me", now, time.Minute)
	require.NoError(t, err)
	require.NoError(t, s.Begin(t.Context(), lease, []int64{ids[0].ID}, now))
	require.NoError(t, s.Close())
	require.Error(t, s.Close())
	_, err = s.Idle(t.Context())
	require.ErrorIs(t, err, outbox.ErrClosed)
	s = open(t, schema)
	_, err = s.Acquire(t.Context(), outbox.Events, "you", now, time.Minute)
	require.ErrorIs(t, err, outbox.ErrLeased)
	left, err := s.Recover(t.Context(), lease, 10)
	require.NoError(t, err)
	assert.Len(t, left, 1)
}

// Whatever keeps a database from being an outbox is said in one line: what is wrong, where, and what
// to do; and never the password.
func TestWhatIsWrongIsSaid(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	for _, sql := range []string{
		"DROP SCHEMA IF EXISTS taken, future, foreign_version, half CASCADE", "DROP DATABASE IF EXISTS latin", "DROP USER IF EXISTS guest, reader, " + pgcluster.Stranger,
		"CREATE USER " + pgcluster.Stranger + " PASSWORD 'another'", "CREATE USER guest", "CREATE USER reader", "ALTER USER reader SET default_transaction_read_only = on",
		"CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0", "CREATE SCHEMA taken CREATE TABLE orders (n int)",
		"CREATE SCHEMA future CREATE TABLE version (version int, since timestamptz)", "INSERT INTO future.version VALUES (99, now())",
		"CREATE SCHEMA foreign_version CREATE TABLE version (name text, since timestamptz)",
		"CREATE SCHEMA half CREATE TABLE version (version int, since timestamptz) CREATE TABLE lanes (lane text)", "INSERT INTO half.version VALUES (1, now())",
	} {
		require.NoError(t, c.Run(t.Context(), sql))
	}
	url := c.URL("postgres")
	for name, of := range map[string]struct {
		url  string
		opts []pgstore.Option
		want []string
	}{
		"no URL":                 {"postgres://app:" + pgcluster.Password + "@db.internal:port/app", nil, []string{"cannot be read", "postgres://USER"}},
		"an unknown sslmode":     {"postgres://app:" + pgcluster.Password + "@db.internal/app?sslmode=perhaps", nil, []string{"db.internal", "sslmode"}},
		"a password that is odd": {"postgres://app:" + pgcluster.Password + "%zz@db.internal/app", nil, []string{"cannot be read", "percent-encoded"}},
		"no server":              {"postgres://app:" + pgcluster.Password + "@/app?host=/nowhere", nil, []string{"no PostgreSQL answers at /nowhere", "start it"}},
		"no database":            {c.URL("nothing"), nil, []string{`has no database "nothing"`, "create it"}},
		"a wrong password":       {c.URLFor(pgcluster.Stranger, "postgres"), nil, []string{`does not let "stranger" in`, "password"}},
		"no permission":          {c.URLFor("guest", "postgres"), nil, []string{`"guest" may not`, "GRANT CREATE"}},
		"read-only":              {c.URLFor("reader", "postgres"), nil, []string{"takes no changes", "default_transaction_read_only"}},
		"another encoding":       {c.URL("latin"), nil, []string{"LATIN1", "want UTF8"}},
		"another's schema":       {url, []pgstore.Option{pgstore.WithSchema("taken")}, []string{`schema "taken"`, "something else", "choose another"}},
		"a newer schema":         {url, []pgstore.Option{pgstore.WithSchema("future")}, []string{`schema "future"`, "version 99", "update this one"}},
		"another's version":      {url, []pgstore.Option{pgstore.WithSchema("foreign_version")}, []string{`schema "foreign_version"`, "not one of an outbox", "choose another"}},
		"half a schema":          {url, []pgstore.Option{pgstore.WithSchema("half")}, []string{`schema "half"`, "lacks ids, entries, history, totals, room", "restore them"}},
		"no schema":              {url, []pgstore.Option{pgstore.WithSchema("pg_mine")}, []string{"pg_mine", "no name"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := pgstore.Open(t.Context(), of.url, of.opts...)
			require.Error(t, err)
			for _, want := range of.want {
				require.ErrorContains(t, err, want)
			}
			for _, verb := range []string{"%v", "%+v"} {
				assert.NotContains(t, fmt.Sprintf(verb, err), pgcluster.Password)
			}
			assert.NotContains(t, err.Error(), "\n")
			assert.True(t, strings.HasPrefix(err.Error(), "pgstore: "), err)
		})
	}
	require.ErrorContains(t, pgstore.Usable(120022), "PostgreSQL 12: want 13 or later")
	require.NoError(t, pgstore.Usable(130000))
}

// A user who may not make tables can use those that are there.
func TestAUserMayHaveLittle(t *testing.T) {
	t.Parallel()
	c, schema := cluster(t), fresh()
	in, app := open(t, schema).Schema(), strings.ReplaceAll(schema, " ", "_app_")
	for _, sql := range []string{
		"CREATE USER " + app, "GRANT USAGE ON SCHEMA " + in + " TO " + app, "GRANT USAGE ON SEQUENCE " + in + ".ids TO " + app,
		"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA " + in + " TO " + app,
	} {
		require.NoError(t, c.Run(t.Context(), sql))
	}
	s, err := pgstore.Open(t.Context(), c.URLFor(app, "postgres"), pgstore.WithSchema(schema))
	require.NoError(t, err)
	put(t, s, 1)
	now := time.Now()
	lease, err := s.Acquire(t.Context(), outbox.Events, "me", now, time.Minute)
	require.NoError(t, err)
	require.NoError(t, s.Begin(t.Context(), lease, []int64{1}, now))
	require.NoError(t, s.Settle(t.Context(), lease, []outbox.Verdict{{ID: 1, State: outbox.Failed, Reason: "a\x00b\xff"}}, now))
	require.NoError(t, s.Decide(t.Context(), []int64{1}, outbox.Decision{To: outbox.Discarded, By: "ari", Reason: "never mind"}, now))
	gone, err := s.Forget(t.Context(), outbox.Events, now.Add(time.Hour), 100)
	require.NoError(t, err)
	assert.Equal(t, 1, gone)
	require.NoError(t, s.Close())
}

// Tables that are gone, or not what they were, are said to be damaged.
func TestTablesThatAreGone(t *testing.T) {
	t.Parallel()
	s := open(t, fresh())
	require.NoError(t, cluster(t).Run(t.Context(), "DROP SCHEMA "+s.Schema()+" CASCADE"))
	_, err := s.Put(t.Context(), []outbox.Entry{{Lane: outbox.Events, Record: []byte(`{}`)}})
	require.ErrorIs(t, err, outbox.ErrDamaged)
	require.ErrorContains(t, err, s.Name())
}

// Keys are bytes, as the caller has them.
func TestAKeyIsAnyBytes(t *testing.T) {
	t.Parallel()
	s := open(t, fresh())
	for _, key := range []string{"a\x00b", "\xff", "ö", `\x61`, "a'b"} {
		entries := []outbox.Entry{{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Key: key, Record: []byte("{\"a\":\"\\u0000\"}")}}
		first, err := s.Put(t.Context(), entries)
		require.NoError(t, err)
		again, err := s.Put(t.Context(), entries)
		require.NoError(t, err)
		assert.Equal(t, outbox.PutResult{ID: first[0].ID, Duplicate: true}, again[0])
		found, err := s.Query(t.Context(), outbox.Filter{IDs: []int64{first[0].ID}}, 1)
		require.NoError(t, err)
		assert.Equal(t, key, found[0].Key)
		assert.Equal(t, entries[0].Record, found[0].Record)
	}
}

// What is acknowledged is on the disk, and on that of a synchronous standby, though the default of the
// server, of the user or of the database is to wait for less; what waits for more is left as it is.
func TestACommitIsWaitedFor(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	for setting, want := range map[string]string{"off": "on", "local": "on", "remote_write": "on", "on": "on", "remote_apply": "remote_apply"} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			schema := fresh()
			name := strings.ReplaceAll(schema, " ", "_") + "_" + setting
			for _, statement := range []string{
				"CREATE USER " + name + " SUPERUSER", "ALTER USER " + name + " SET synchronous_commit = " + setting,
				"CREATE DATABASE " + name, "ALTER DATABASE " + name + " SET synchronous_commit = " + setting,
			} {
				require.NoError(t, c.Run(t.Context(), statement))
			}
			for by, url := range map[string]string{"user": c.URLFor(name, "postgres"), "database": c.URL(name), "URL": c.URL("postgres") + "&synchronous_commit=" + setting} {
				assert.Equal(t, want, waitedFor(t, url, schema+" "+by, ""), by)
			}
			if setting == "on" {
				later := "ALTER DATABASE " + name + " SET synchronous_commit = off"
				assert.Equal(t, "on", waitedFor(t, c.URL(name), schema+" later", later), "a default that changes")
			}
		})
	}
}

// waitedFor is with which synchronous_commit an entry is put, begun and settled, if something changes after
// the outbox was opened.
func waitedFor(t *testing.T, url, schema, change string) (settings string) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	require.NoError(t, err)
	defer func() { assert.NoError(t, db.Close()) }()
	s, err := pgstore.New(t.Context(), db, pgstore.WithSchema(schema))
	require.NoError(t, err)
	if change != "" {
		db.SetMaxIdleConns(0) // so that each connection is a new one
		_, err = db.ExecContext(t.Context(), change)
		require.NoError(t, err)
	}
	in := s.Schema()
	for _, statement := range []string{
		"CREATE TABLE " + in + ".seen (setting text)",
		"CREATE FUNCTION " + in + ".see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO " + in + ".seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$",
		"CREATE TRIGGER see AFTER INSERT OR UPDATE OR DELETE ON " + in + ".entries EXECUTE FUNCTION " + in + ".see()",
	} {
		_, err = db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
	ids, now := put(t, s, 1), time.Now()
	lease, err := s.Acquire(t.Context(), outbox.Events, "me", now, time.Minute)
	require.NoError(t, err)
	require.NoError(t, s.Begin(t.Context(), lease, []int64{ids[0].ID}, now))
	require.NoError(t, s.Settle(t.Context(), lease, []outbox.Verdict{{ID: ids[0].ID, State: outbox.Accepted}}, now))
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT string_agg(DISTINCT setting, ' ') FROM "+in+".seen").Scan(&settings))
	return settings
}
