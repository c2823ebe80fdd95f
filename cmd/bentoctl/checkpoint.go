package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"example.com/bento-go/internal/boltfile"
)

// A checkpoint is how far an import has come, in a file beside its input, so that it goes on
// there after a Ctrl-C, a kill -9 or a power cut.
type checkpoint struct {
	db    *bbolt.DB
	path  string
	state importState
}

// An importState is what a checkpoint keeps.
type importState struct {
	Version int       `json:"version"`
	Size    int64     `json:"size"` // of the input
	Changed time.Time `json:"changed"`
	Options string    `json:"options"` // a digest
	Run     string    `json:"run"`     // tells this import from any other
	Done    bool      `json:"done"`    // all of it is dealt with; another file of the same import is not
	// Rows are dealt with, InFlight the ones after them whose request was begun and not answered.
	Rows     int         `json:"rows"`
	InFlight int         `json:"in_flight"`
	Tally    importTally `json:"tally"`
	Rejected asideState  `json:"rejected"`
	Withheld asideState  `json:"withheld"`
}

const importVersion = 1

var (
	importBucket = []byte("import")
	importKey    = []byte("state")
)

// openCheckpoint opens or makes the checkpoint of an import. One of another import, or of an
// input that has changed since, is an error: to begin anew is for a person to decide. A
// program that is killed loses nothing of it; one that is synced survives a power cut too, which
// matters where sending twice does harm.
func openCheckpoint(path string, begin importState, synced bool) (*checkpoint, error) {
	db, err := boltfile.Open(path, synced)
	switch {
	case errors.Is(err, boltfile.ErrInUse):
		return nil, fmt.Errorf("%s is in use: another import of the file is under way", path)
	case errors.Is(err, boltfile.ErrForeign):
		return nil, fmt.Errorf("%s is no checkpoint of an import (%w): remove it to begin anew", path, err)
	case err != nil:
		return nil, fmt.Errorf("no checkpoint can be kept in %s (%w): name another folder by --output-dir", filepath.Dir(path), err)
	}
	c := &checkpoint{db: db, path: path, state: begin}
	if err := c.load(begin); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return c, nil
}

func (c *checkpoint) load(begin importState) (err error) {
	defer boltfile.Damaged(c.path, &err)
	var kept []byte
	err = c.db.View(func(tx *bbolt.Tx) error {
		if b := tx.Bucket(importBucket); b != nil {
			kept = append(kept, b.Get(importKey)...)
		}
		return nil
	})
	if err != nil || kept == nil {
		return errors.Join(err, c.save())
	}
	if err := json.Unmarshal(kept, &c.state); err != nil || c.state.Version != importVersion {
		return fmt.Errorf("%s is of another version: remove it to begin anew", c.path)
	}
	same := c.state.Size == begin.Size && c.state.Changed.Equal(begin.Changed) && c.state.Options == begin.Options
	switch {
	case same: // though it did not get anywhere: what an outbox has of it already has names of that run
	case c.state.Rows == 0 && c.state.InFlight == 0 && !c.state.Done, // it did not get anywhere
		c.state.Done && c.state.Options != begin.Options: // it was done, with other flags
		c.state = begin
		return c.save()
	case c.state.Size != begin.Size || !c.state.Changed.Equal(begin.Changed):
		return fmt.Errorf("the file has changed since its import was interrupted at row %d: undo that to go on, or remove %s to begin anew", c.state.Rows, c.path)
	case c.state.Options != begin.Options:
		return fmt.Errorf("its import was interrupted at row %d, with other flags: give the same to go on, or remove %s to begin anew", c.state.Rows, c.path)
	}
	return nil
}

// save keeps the state.
func (c *checkpoint) save() error {
	if c == nil {
		return nil
	}
	encoded, err := json.Marshal(c.state)
	if err != nil {
		return err
	}
	return c.db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(importBucket)
		if err != nil {
			return err
		}
		return b.Put(importKey, encoded)
	})
}

// close lets go of the file. What is done is remembered until the whole import is.
func (c *checkpoint) close(done bool) error {
	var err error
	if done && !c.state.Done {
		c.state.Done = true
		err = c.save()
	}
	return errors.Join(err, c.db.Close())
}
