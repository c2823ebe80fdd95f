// Package statefile keeps what a fake Bento has been sent in a file, across restarts:
//
//	file, err := statefile.Open("bento.state")
//	…
//	defer file.Close()
//	server, err := fake.New(fake.WithStore(file))
//	…
//	defer server.Close()
//
// What was accepted survives a program that is killed, and a machine that loses its power: the file
// is synced before a request takes effect, which takes a millisecond or so on a disk.
package statefile

import (
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"example.com/bento-go/internal/boltfile"
)

// A File is a [fake.Store] in a file, made with mode 0600: it holds addresses and emails. One
// program may have it open at a time.
type File struct {
	db   *bbolt.DB
	path string
}

var (
	journal   = []byte("journal")  // entries, by their number
	snapshots = []byte("snapshot") // one of them
	snapshot  = []byte("state")
	format    = []byte("bento fake 1")
)

// Open opens the file, or makes it. The error says so if another program has it open, or if it is
// none that a fake made.
func Open(path string) (*File, error) {
	db, err := boltfile.Open(path, true)
	switch {
	case errors.Is(err, boltfile.ErrInUse):
		return nil, fmt.Errorf("statefile: %s is in use: end the other fake, or choose another file", path)
	case errors.Is(err, boltfile.ErrForeign):
		return nil, fmt.Errorf("statefile: %s is not the state of a fake (%w): remove it, or choose another file", path, err)
	case err != nil:
		return nil, fmt.Errorf("statefile: %w", err)
	}
	f := &File{db, path}
	if err := f.update(f.claim); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return f, nil
}

// claim marks an empty file as ours, and refuses those of others.
func (f *File) claim(tx *bbolt.Tx) error {
	others := false
	err := tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
		others = true
		return nil
	})
	if err != nil {
		return err
	}
	if others && tx.Bucket(format) == nil {
		return fmt.Errorf("statefile: %s belongs to another program, or another version of this one: choose another file", f.path)
	}
	for _, name := range [][]byte{format, journal, snapshots} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) update(do func(*bbolt.Tx) error) (err error) {
	defer boltfile.Damaged(f.path, &err)
	return f.db.Update(do)
}

// Close lets go of the file.
func (f *File) Close() error { return f.db.Close() }

// Load is as [fake.Store] has it.
func (f *File) Load(restore, redo func([]byte) error) (err error) {
	defer boltfile.Damaged(f.path, &err)
	return f.db.View(func(tx *bbolt.Tx) error {
		if kept := tx.Bucket(snapshots).Get(snapshot); kept != nil {
			if err := restore(kept); err != nil {
				return fmt.Errorf("%s: %w", f.path, err)
			}
		}
		return tx.Bucket(journal).ForEach(func(_, entry []byte) error {
			if err := redo(entry); err != nil {
				return fmt.Errorf("%s: %w", f.path, err)
			}
			return nil
		})
	})
}

// Append is as [fake.Store] has it.
func (f *File) Append(entry []byte) error {
	return f.update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(journal)
		n, err := b.NextSequence()
		if err != nil {
			return err
		}
		b.FillPercent = 1 // it only grows at its end
		return b.Put(binary.BigEndian.AppendUint64(nil, n), entry)
	})
}

// Save is as [fake.Store] has it.
func (f *File) Save(state []byte) error {
	return f.update(func(tx *bbolt.Tx) error {
		if err := tx.DeleteBucket(journal); err != nil {
			return err
		}
		if _, err := tx.CreateBucket(journal); err != nil {
			return err
		}
		return tx.Bucket(snapshots).Put(snapshot, state)
	})
}
