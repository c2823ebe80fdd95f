// Package boltfile opens files of bbolt, and tells why one cannot be opened.
package boltfile

import (
	"errors"
	"fmt"
	"os"
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
	defer Damaged(path, &err)
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: patience, NoSync: !synced})
	switch {
	case err == nil, errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return db, err
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, ErrInUse
	}
	return nil, fmt.Errorf("%w (%w)", ErrForeign, err)
}

// Damaged is deferred: it makes an error of the panic that a damaged file makes bbolt end in.
func Damaged(path string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s: %w (%v): remove it, or choose another", path, ErrForeign, r)
	}
}
