// Package sqlitestore keeps an outbox in a SQLite file, which several processes of one machine may
// share. What it has acknowledged survives a kill and a power cut: WAL with synchronous=FULL, read
// back when the file is opened.
//
// The driver is modernc.org/sqlite, which needs no C. The file and its directory are for their owner
// only. A network file system is refused where it is recognized (on Linux): SQLite cannot trust its
// locks.
//
// The file is bounded, and so is what it takes of the disk: [outbox.ErrFull] comes while there is still
// room to note what becomes of what is there. Records are checked when they are read: one that the disk
// has changed is not sent, but failed. What is removed is overwritten in the file. The log beside it
// (FILE-wal) is cut off when a person has decided, soon after there is nothing to send, and when a store is
// closed; not as long as somebody reads the file just then.
package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"example.com/bento-go/outbox/internal/together"
)

// A Store is an [outbox.Store] in a file.
type Store struct {
	db         *sql.DB // one connection, which writes
	reader     *sql.DB // some, which look, and hold up nobody
	statements statements
	path       string
	pages      int64 // that the file may have
	pageSize   int64
	reserve    int64 // bytes of the disk that are left free

	changes atomic.Int64    // to entries and leases, by this Store
	quiet   sync.Map        // lanes that had nothing due: a quiet by outbox.Lane
	group   *together.Group // calls of Put
	remains remains
}

const (
	// DefaultCapacity bounds the file, in bytes.
	DefaultCapacity = 1 << 30
	// DefaultReserve is left free on the disk, in bytes.
	DefaultReserve = 64 << 20
)

type settings struct{ capacity, reserve int64 }

// An Option adjusts a Store at [Open].
type Option func(*settings)

// WithCapacity bounds what Put may make of the file to so many bytes, at least a megabyte. The notes of
// what becomes of what is there have more: the file never takes more than twice that and 64 MiB.
func WithCapacity(bytes int64) Option { return func(s *settings) { s.capacity = max(bytes, 1<<20) } }

// WithReserve takes no more when the disk has less than so many bytes left; the default is 64 MiB.
// The notes of what becomes of what is there need about 20 MiB of it at times.
func WithReserve(bytes int64) Option { return func(s *settings) { s.reserve = max(bytes, 0) } }

// Open opens the file, or makes it with mode 0600 in a directory of mode 0700. A file that others may
// read, or a directory that others may write to, is refused.
func Open(ctx context.Context, path string, opts ...Option) (*Store, error) {
	set := settings{DefaultCapacity, DefaultReserve}
	for _, opt := range opts {
		opt(&set)
	}
	if err := private(path); err != nil {
		return nil, fmt.Errorf("sqlitestore: %w", err)
	}
	if name := network(path); name != "" {
		return nil, fmt.Errorf("sqlitestore: %s is on %s, a file system of another machine, whose locks SQLite cannot trust: choose a local disk, or a store for many machines", path, name)
	}
	db, err := sql.Open("sqlite", source(path)+"&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("sqlitestore: %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	s := &Store{db: db, path: path, reserve: set.reserve}
	s.group = together.New(atATime, s.putAll)
	if err := patiently(ctx, func() error { return s.prepare(ctx, set.capacity) }); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlitestore: %s: %w", path, known(err)), db.Close())
	}
	if s.reader, err = sql.Open("sqlite", source(path)+"&_txlock=deferred"); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlitestore: %s: %w", path, err), db.Close())
	}
	s.reader.SetMaxOpenConns(2)
	s.reader.SetMaxIdleConns(1)
	s.reader.SetConnMaxIdleTime(time.Minute)
	return s, nil
}

// making is held by who makes a file.
var making sync.Mutex

// private makes the file if it is not there, and makes sure that it is its owner's only. It opens none that
// is there: a program that closes a file gives up every lock it has on it, those of another Store, too,
// without which others may cut off the log that this one writes.
func private(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	making.Lock()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) // SQLite gives its other files the same mode
	if err == nil {
		err = file.Close()
	}
	making.Unlock()
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	around, err := os.Stat(dir)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%s is no file, or a link to one: want the file itself", path)
	case err != nil || runtime.GOOS == "windows": // whose modes say nothing
		return err
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s may be read by others, and will hold addresses: chmod 600 %s", path, path)
	case around.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("%s may be written to by others: chmod 700 %s, or choose a directory of your own", dir, dir)
	}
	return nil
}

// Close is as [outbox.Store] has it.
func (s *Store) Close() error {
	err := s.reader.Close()
	s.cutOff(context.Background())
	return errors.Join(err, s.db.Close())
}
