package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/sqlitestore"
)

// envOutbox names the store of outboxes, as --store does.
const envOutbox = "BENTO_OUTBOX"

const storeUsage = "where the outbox is: sqlite:DIR, or DIR (default: BENTO_OUTBOX)"

// A storeFlag says which outbox is meant.
type storeFlag struct{ text string }

func (f *storeFlag) add(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&f.text, "store", "", storeUsage)
}

// spec is what the flag says, or else the environment.
func (f *storeFlag) spec() (string, error) {
	if f.text != "" {
		return f.text, nil
	}
	if text := os.Getenv(envOutbox); text != "" {
		return text, nil
	}
	return "", usage("which outbox? Name its directory by --store DIR, or by %s", envOutbox)
}

// open opens an outbox that is there.
func (f *storeFlag) open(ctx context.Context) (outbox.Store, error) {
	spec, err := f.spec()
	if err != nil {
		return nil, err
	}
	return openStore(ctx, spec, false)
}

// outboxFile is the store's file in its directory.
const outboxFile = "outbox.db"

// openStore opens the store of an outbox; one that is not there is made only if it may be.
func openStore(ctx context.Context, spec string, create bool) (outbox.Store, error) {
	kind, dir, named := strings.Cut(spec, ":")
	if !named || len(kind) == 1 { // a drive of Windows
		kind, dir = "sqlite", spec
	}
	if kind != "sqlite" || dir == "" {
		return nil, usage("--store %q: want a directory, or sqlite:DIR", spec)
	}
	path := filepath.Join(dir, outboxFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) && !create {
		return nil, usage("there is no outbox in %s: bentoctl relay makes one, and so does send --outbox", dir)
	}
	store, err := sqlitestore.Open(ctx, path)
	if err != nil {
		return nil, usage("%w", err)
	}
	return store, nil
}
