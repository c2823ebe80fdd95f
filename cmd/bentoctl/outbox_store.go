package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/spf13/cobra"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/natsstore"
	"example.com/bento-go/outbox/pgstore"
	"example.com/bento-go/outbox/sqlitestore"
)

// envOutbox names the store of outboxes, as --store does.
const envOutbox = "BENTO_OUTBOX"

const (
	storeUsage = "sqlite:DIR (or DIR), nats:URL or postgres:URL (default: BENTO_OUTBOX)"
	storeLong  = "An outbox is a directory (DIR, or sqlite:DIR), or for many machines in a NATS cluster (nats:URL)\n" +
		"or a PostgreSQL database (postgres:URL). A name after # in the URL tells outboxes in one apart. What\n" +
		"is secret does not belong in a command: keep the URL in BENTO_OUTBOX, or the secret in NATS_CREDS,\n" +
		"a file, or PGPASSWORD. NATS_CA, NATS_CERT and NATS_KEY are files too."
)

// A storeFlag says which outbox is meant.
type storeFlag struct{ text string }

func (f *storeFlag) add(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&f.text, "store", "", storeUsage)
}

// spec is what the flag says, or else the environment.
func (f *storeFlag) spec() (storeSpec, error) {
	if text := cmp.Or(f.text, os.Getenv(envOutbox)); text != "" {
		return parseStore(text)
	}
	return storeSpec{}, usage("which outbox? Name it by --store, a directory say, or by %s", envOutbox)
}

// hint is a command of outbox that finds the same store when it is copied. What is secret in its name is
// left to the environment.
func (f *storeFlag) hint(command string) string {
	command = "bentoctl outbox " + command
	if f.text == "" {
		return command // as the environment has it
	}
	spec, _ := parseStore(f.text)
	named := spec.String()
	if again, err := parseStore(named); err != nil || again != spec {
		return command + " (with the URL in " + envOutbox + ")"
	}
	if !plainWord.MatchString(named) {
		named = "'" + strings.ReplaceAll(named, "'", `'\''`) + "'"
	}
	return command + " --store " + named
}

// plainWord is one that a shell takes as it is.
var plainWord = regexp.MustCompile(`^[\w@%+=:,./#-]+$`)

// A storeSpec is where an outbox is.
type storeSpec struct {
	kind string // sqlite, nats or postgres
	at   string // a directory, or a URL
	name string // of an outbox among others; "" is the default
}

// parseStore reads KIND:WHERE, a bare URL, or a directory.
func parseStore(text string) (storeSpec, error) {
	kind, at, named := strings.Cut(text, ":")
	bare := strings.HasPrefix(at, "//")
	switch {
	case !named || len(kind) == 1: // a drive of Windows
		return storeSpec{kind: "sqlite", at: text}, nil
	case at == "":
	case kind == "sqlite":
		return storeSpec{kind: kind, at: at}, nil
	case kind == "tls" && bare:
		kind = "nats"
		fallthrough
	case kind == "nats", kind == "postgres", kind == "postgresql":
		if bare {
			at = text
		}
		at, name, named := strings.Cut(at, "#")
		if named && (!outboxName.MatchString(name) || endsInPassword(at)) {
			return storeSpec{}, usage("--store %s:…: what is behind the # is no name of an outbox, which has up to 64 letters, digits, - and _. "+
				"A # in a password is written %%23 in a URL; or keep the password out of it, in PGPASSWORD or NATS_CREDS", kind)
		}
		return storeSpec{strings.TrimSuffix(kind, "ql"), at, name}, nil
	}
	return storeSpec{}, usage("--store %s: want a directory, sqlite:DIR, nats:URL or postgres:URL", storeSpec{kind: kind, at: "…"})
}

// outboxName is what may be shown of what is behind a #: else it may be the rest of a password.
var outboxName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// endsInPassword reports whether settings as libpq writes them end in a password, to which a # belongs.
func endsInPassword(settings string) bool {
	at := strings.LastIndex(settings, "password")
	if at < 0 || strings.Contains(settings, "://") {
		return false
	}
	value, given := strings.CutPrefix(strings.TrimSpace(settings[at+len("password"):]), "=")
	return given && !strings.ContainsAny(strings.TrimSpace(value), " \t\n")
}

// String is fit to be shown: without what is secret in it.
func (s storeSpec) String() string {
	shown := s.at
	if s.kind != "sqlite" {
		shown = withoutSecrets(s.kind, s.at)
	}
	if s.name != "" {
		shown += "#" + s.name
	}
	return s.kind + ":" + shown
}

// withoutSecrets is where a server is, or each server of a list for NATS, in which a scheme that is left
// out is that of the first. What cannot be read for sure is not shown.
func withoutSecrets(kind, at string) string {
	const hidden = "…" // as libpq writes it, perhaps with a password
	list := []string{at}
	if kind == "nats" {
		list = strings.Split(at, ",")
	}
	var shown []string
	scheme, _, _ := strings.Cut(at, "://")
	for i, one := range list {
		if one = strings.TrimSpace(one); i > 0 && !strings.Contains(one, "://") {
			if strings.Contains(one, "@") && !strings.Contains(list[i-1], "@") {
				return hidden // the comma may be one of a password
			}
			one = scheme + "://" + one
		}
		u, err := url.Parse(one)
		if err != nil || u.Host == "" || strings.Contains(u.Path+u.RawQuery, "@") { // as behind a / or ? in a password
			return hidden
		}
		shown = append(shown, u.Scheme+"://"+u.Host+u.Path)
	}
	return strings.Join(shown, ",")
}

// outboxFile is the store's file in its directory.
const outboxFile = "outbox.db"

var errNoOutbox = errors.New("there is no outbox")

// openStore opens a store, and says so when it makes one: the name may have been mistyped, and an outbox to
// which nobody writes is relayed in vain.
func (g *globals) openStore(ctx context.Context, spec storeSpec, create bool) (outbox.Store, error) {
	store, err := spec.open(ctx, false, g.logger())
	if !create || !errors.Is(err, errNoOutbox) {
		return store, err
	}
	if store, err = spec.open(ctx, true, g.logger()); err != nil {
		return nil, err
	}
	switch {
	case g.json: // as a line of the log
		g.logger().InfoContext(ctx, "made a new, empty outbox", slog.String("at", spec.String()))
	case !g.quiet:
		fmt.Fprintf(g.err, "made a new, empty outbox at %s\n", spec)
	}
	return store, nil
}

// open opens the store; where there is no outbox it makes one only if it may.
func (s storeSpec) open(ctx context.Context, create bool, logger *slog.Logger) (store outbox.Store, err error) {
	switch s.kind {
	case "nats":
		store, err = s.openNATS(ctx, create, logger)
	case "postgres":
		store, err = s.openPostgreSQL(ctx, create)
	default:
		if info, err := os.Stat(s.at); err == nil && !info.IsDir() {
			return nil, usage("%s is a file: --store, --outbox and %s want a directory", s.at, envOutbox)
		}
		path := filepath.Join(s.at, outboxFile)
		if _, err = os.Stat(path); err == nil || create {
			store, err = sqlitestore.Open(ctx, path)
		}
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case unreachable(err):
		return nil, &exitError{exitGaveUp, err}
	case errors.Is(err, fs.ErrNotExist) && !create:
		return nil, usage("%w in %s: bentoctl relay makes one, and so does send --outbox", errNoOutbox, s)
	case err != nil:
		return nil, usage("%w", err)
	}
	return store, nil
}

// tooFewServers is that of a cluster that has fewer servers up than copies are to be kept.
const tooFewServers jetstream.ErrorCode = 10005

// unreachable reports whether an error is that no server answers, or none that is ready, as in a cluster
// without a majority.
func unreachable(err error) bool {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return strings.HasPrefix(answer.Code, "57P") || answer.Code == "53300" // it starts, ends, or has too many connections
	}
	var cluster *jetstream.APIError
	if errors.As(err, &cluster) && !errors.Is(err, jetstream.ErrJetStreamNotEnabled) && !errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) {
		return cluster.Code == http.StatusServiceUnavailable || cluster.ErrorCode == tooFewServers
	}
	return errors.Is(err, nats.ErrNoServers) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, new(*pgconn.ConnectError)) || errors.As(err, new(*net.OpError))
}

func (s storeSpec) openNATS(ctx context.Context, create bool, logger *slog.Logger) (outbox.Store, error) {
	opts := []natsstore.Option{natsstore.WithLogger(logger)}
	if !create {
		opts = append(opts, natsstore.WithoutCreating())
	}
	if s.name != "" {
		opts = append(opts, natsstore.WithName(s.name))
	}
	if file := os.Getenv("NATS_CREDS"); file != "" {
		opts = append(opts, natsstore.WithCredentials(file))
	}
	if file := os.Getenv("NATS_CA"); file != "" {
		opts = append(opts, natsstore.WithCA(file))
	}
	if cert, key := os.Getenv("NATS_CERT"), os.Getenv("NATS_KEY"); cert != "" || key != "" {
		opts = append(opts, natsstore.WithClientCertificate(cert, key))
	}
	return natsstore.Open(ctx, s.at, opts...)
}

func (s storeSpec) openPostgreSQL(ctx context.Context, create bool) (outbox.Store, error) {
	var opts []pgstore.Option
	if !create {
		opts = append(opts, pgstore.WithoutCreating())
	}
	if s.name != "" {
		opts = append(opts, pgstore.WithSchema(s.name))
	}
	return pgstore.Open(ctx, s.at, opts...)
}

// openOutbox opens the store that --outbox names.
func (g *globals) openOutbox(ctx context.Context, text string) (outbox.Store, error) {
	spec, err := parseStore(text)
	if err != nil {
		return nil, err
	}
	return g.openStore(ctx, spec, true)
}
