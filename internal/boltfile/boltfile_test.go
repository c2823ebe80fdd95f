package boltfile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"example.com/bento-go/internal/boltfile"
)

// filled makes a file of some pages, and returns what is in it.
func filled(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "filled")
	db, err := boltfile.Open(path, false)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("numbers"))
		for n := 0; n < 1000 && err == nil; n++ {
			err = b.Put([]byte(strconv.Itoa(n)), make([]byte, 100))
		}
		return err
	}))
	require.NoError(t, db.Close())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return text
}

// Wherever a file is cut off, that is told, and nothing of it is changed.
func TestAFileThatIsCutOffIsDamaged(t *testing.T) {
	text := filled(t)
	db, err := boltfile.Open(written(t, text), false)
	require.NoError(t, err, "the whole file")
	used := int(size(t, db))
	require.NoError(t, db.Close())
	for n := 1; n < used; n += 1024 {
		cut := text[:n]
		path := written(t, cut)
		_, err := boltfile.Open(path, false)
		require.ErrorIs(t, err, boltfile.ErrForeign, "%d bytes of %d", n, used)
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, cut, after)
	}
}

func written(t *testing.T, text []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

func size(t *testing.T, db *bbolt.DB) (bytes int64) {
	t.Helper()
	require.NoError(t, db.View(func(tx *bbolt.Tx) error { bytes = tx.Size(); return nil }))
	return bytes
}

// A file is whole from the moment it is there, so that a kill leaves none that is damaged; nothing else is
// left beside it.
func TestAFileIsMadeInOneStep(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		path := filepath.Join(dir, "file")
		var found fs.FileInfo
		var looking sync.WaitGroup
		looking.Go(func() {
			for found == nil {
				found, _ = os.Stat(path)
			}
		})
		db, err := boltfile.Open(path, false)
		require.NoError(t, err)
		looking.Wait()
		assert.GreaterOrEqual(t, found.Size(), size(t, db))
		require.NoError(t, db.Close())
		there, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Len(t, there, 1)
	}
}

// Of many who make a file at once, one has it.
func TestAFileHasOneOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	const programs = 4
	var dbs [programs]*bbolt.DB
	var errs [programs]error
	var all sync.WaitGroup
	for i := range programs {
		all.Go(func() { dbs[i], errs[i] = boltfile.Open(path, false) })
	}
	all.Wait()
	owners := 0
	for i, err := range errs {
		if err == nil {
			owners++
			require.NoError(t, dbs[i].Close())
			continue
		}
		require.ErrorIs(t, err, boltfile.ErrInUse)
	}
	assert.Equal(t, 1, owners)
}

// What is wrong with a path is told of that path, and not of a file that is made on the way.
func TestAPathThatCannotBe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "file")
	_, err := boltfile.Open(path, false)
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, "open "+path+": ")
}
