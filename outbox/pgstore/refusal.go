package pgstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"example.com/bento-go/outbox"
)

var (
	errReplica  = errors.New("the server is a replica, which takes no changes: give the URL of the primary, or all hosts and target_session_attrs=read-write")
	errReadOnly = errors.New("the server takes no changes: give a URL of one that does, or unset default_transaction_read_only")
	errTaken    = errors.New("it has tables of something else: choose another schema, for the outbox alone")
	errForeign  = errors.New("its table version is not one of an outbox: choose another schema")
)

// What PostgreSQL calls things.
const (
	codeSerialization  = "40001"
	codeDeadlock       = "40P01"
	codeDiskFull       = "53100"
	codeReadOnly       = "25006"
	codeNoPermission   = "42501"
	codeNoTable        = "42P01"
	codeNoColumn       = "42703"
	codeDuplicateTable = "42P07"
	codeNoDatabase     = "3D000"
	codePassword       = "28P01"
	codeAuthorization  = "28000"
	codeShutdown       = "57P01"
	codeCrash          = "57P02"
	codesOfData        = "22" // they begin so
)

func codeOf(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

// mayGoAgain reports whether a transaction failed because of another, or before it began, or at a server
// that takes no changes: the next may be at one that does.
func mayGoAgain(err error) bool {
	code := codeOf(err)
	return code == codeSerialization || code == codeDeadlock || code == codeReadOnly || errors.Is(err, errNotBegun) || errors.Is(err, errForgotten)
}

// leaveReadOnly has connections given up when their server takes no changes, as a primary does that
// another has replaced: a new one goes where the URL says.
func leaveReadOnly(config *pgx.ConnConfig) {
	fine := config.OnPgError
	config.OnPgError = func(conn *pgconn.PgConn, err *pgconn.PgError) bool {
		return err.Code != codeReadOnly && fine(conn, err)
	}
}

// broken reports whether a connection has ended, rather than the server refused something, or another.
func broken(err error) bool {
	var unreached *pgconn.ConnectError
	switch {
	case err == nil, errors.As(err, &unreached), errors.Is(err, sql.ErrNoRows):
		return false
	}
	code := codeOf(err)
	return code == "" || code == codeShutdown || code == codeCrash
}

// known gives errors their names here.
func (s *Store) known(err error) error {
	switch {
	case err == nil, errors.Is(err, outbox.ErrFull), errors.Is(err, outbox.ErrLeased), errors.Is(err, outbox.ErrLost), errors.Is(err, outbox.ErrPaused),
		errors.Is(err, outbox.ErrDamaged):
		return err
	case s.closed.Load():
		return outbox.ErrClosed
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%w: a row is missing that was made with the schema %s", outbox.ErrDamaged, s.schema)
	}
	switch codeOf(err) {
	case codeDiskFull:
		return fmt.Errorf("%w: the server's disk is full: %w", outbox.ErrFull, flat(err))
	case codeReadOnly:
		return fmt.Errorf("pgstore: %w: %w", errReadOnly, flat(err))
	case codeNoPermission:
		return fmt.Errorf("pgstore: the user may not change what is in the schema %[1]s: GRANT USAGE ON SCHEMA %[1]s, USAGE ON SEQUENCE %[1]s.ids, "+
			"and SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %[1]s to it: %[2]w", s.schema, flat(err))
	case codeNoTable, codeNoColumn:
		return fmt.Errorf("%w: the tables in the schema %s are not what they were when it was opened: restore them, or open it anew to have them made: %w", outbox.ErrDamaged, s.schema, flat(err))
	}
	return fmt.Errorf("pgstore: %w", flat(err))
}

// A place is where a server is, and who asks; without anything secret.
type place struct{ host, database, user string }

func placeOf(config *pgx.ConnConfig) place {
	host := fmt.Sprintf("%s:%d", config.Host, config.Port)
	if strings.HasPrefix(config.Host, "/") {
		host = config.Host // of a socket
	}
	return place{host, config.Database, config.User}
}

// explain says what is wrong, where, and what to do.
func (p place) explain(err error, schema string) error {
	var unreached *pgconn.ConnectError
	switch codeOf(err) {
	case codeNoDatabase:
		return fmt.Errorf("%s has no database %q: create it, or correct the URL: %w", p.host, p.database, flat(err))
	case codePassword, codeAuthorization:
		return fmt.Errorf("%s does not let %q in: correct the user or the password of the URL: %w", p.host, p.user, flat(err))
	case codeNoPermission:
		return fmt.Errorf("%s: %q may not use or make the schema %q in the database %q: let its owner open it once, and grant what the package's documentation names; or GRANT CREATE ON DATABASE: %w",
			p.host, p.user, schema, p.database, flat(err))
	case codeDuplicateTable:
		return fmt.Errorf("%s: the schema %q of the database %q has tables of something else: choose another: %w", p.host, schema, p.database, flat(err))
	case "":
		switch {
		case errors.As(err, new(*net.OpError)), errors.Is(err, context.DeadlineExceeded):
			return fmt.Errorf("no PostgreSQL answers at %s: start it, or correct the URL: %w", p.host, flat(err))
		case errors.As(err, &unreached):
			return fmt.Errorf("what answers at %s does not do as the URL has it: correct the address, or sslmode: %w", p.host, flat(err))
		}
	}
	return fmt.Errorf("%s, database %q, schema %q: %w", p.host, p.database, schema, flat(err))
}

// unreadable is that a URL cannot be read. It is not shown: it may hold a password, and nobody knows
// where.
func unreadable(text string, err error) error {
	const want = "want postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full, with what is special in a password percent-encoded"
	var cause *pgconn.ParseConfigError
	if u, wrong := url.Parse(text); wrong == nil && u.Host != "" && u.Opaque == "" && errors.As(err, &cause) && errors.Unwrap(cause) != nil {
		if why := errors.Unwrap(cause).Error(); !holds(why, u) {
			return fmt.Errorf("pgstore: the URL of %s cannot be used: %s: %s", u.Host, why, want)
		}
	}
	return fmt.Errorf("pgstore: the URL cannot be read, and is not shown, since it may hold a password: %s", want)
}

// holds reports whether a text has something of a URL in it that may be secret.
func holds(text string, u *url.URL) bool {
	secret, given := u.User.Password()
	if given && secret != "" && strings.Contains(text, secret) {
		return true
	}
	for _, value := range u.Query()["password"] {
		if value != "" && strings.Contains(text, value) {
			return true
		}
	}
	return false
}

// flat makes one line of an error.
func flat(err error) error {
	if err == nil || !strings.ContainsAny(err.Error(), "\n\t") {
		return err
	}
	return line{err}
}

type line struct{ error }

func (l line) Error() string { return strings.Join(strings.Fields(l.error.Error()), " ") }

func (l line) Unwrap() error { return l.error }
