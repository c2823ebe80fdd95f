// Package boltfile opens files of bbolt, and tells why one cannot be opened.
package boltfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Why a file cannot be opened; what is wrong with the path is told by the errors of package os.
var (
	ErrInUse   = errors.New("another program has it open")
	ErrForeign = errors.New("it is of another kind, or damaged")
)

// patience is how long Open waits for another program to let go of the file.
const patience = time.Second

// Open opens a file, or makes it with mode 0600. A change survives a power cut if the file is synced,
// and a kill in any case.
func Open(path string, synced bool) (db *bbolt.DB, err error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, err
		}
	}
	defer Damaged(path, &err)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // bbolt maps a file, and reads beyond the end of one that is cut off
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: patience, NoSync: !synced})
	if err == nil {
		err = whole(db)
	}
	switch {
	case err == nil, errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return db, err
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, ErrInUse
	}
	return nil, fmt.Errorf("%w (%w)", ErrForeign, err)
}

// create makes the file in one step, a link to one that is done: of a program that is killed while bbolt
// writes the first pages, a damaged file would be left.
func create(path string) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return about(path, err)
	}
	defer func() { _ = os.Remove(file.Name()) }()
	db, err := bbolt.Open(file.Name(), 0o600, nil)
	if err == nil {
		err = db.Close()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return about(path, err)
	}
	_ = os.Link(file.Name(), path) // another was first, or a file system has no links: Open makes it there
	return nil
}

// about makes an error one of the file that was to be made.
func about(path string, err error) error {
	if of := (*fs.PathError)(nil); errors.As(err, &of) {
		return &fs.PathError{Op: of.Op, Path: path, Err: of.Err}
	}
	return err
}

// whole closes a file that lacks pages.
func whole(db *bbolt.DB) error {
	var want int64
	_ = db.View(func(tx *bbolt.Tx) error { want = tx.Size(); return nil })
	info, err := os.Stat(db.Path())
	if err == nil && info.Size() < want {
		err = fmt.Errorf("%d bytes of %d are there", info.Size(), want)
	}
	if err != nil {
		return errors.Join(err, db.Close())
	}
	return nil
}

// Damaged is deferred: it makes an error of the panic that a damaged file makes bbolt end in.
func Damaged(path string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s: %w (%v): remove it, or choose another", path, ErrForeign, r)
	}
}
