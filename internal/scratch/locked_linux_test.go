package scratch

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatTestsLeftThatWereKilledIsRemoved(t *testing.T) {
	t.Parallel()
	memory := t.TempDir()
	made := func(name string, age time.Duration) string {
		dir := filepath.Join(memory, name)
		require.NoError(t, os.Mkdir(dir, 0o700))
		then := time.Now().Add(-age)
		require.NoError(t, os.Chtimes(dir, then, then))
		return dir
	}
	dead, living, begun := made("bento-test-1", time.Hour), made("bento-test-2", time.Hour), made("bento-test-3", 0)
	others := made("another", time.Hour)
	require.NoError(t, lock(living))

	own, err := lockedIn(memory)
	require.NoError(t, err)
	assert.NoDirExists(t, dead)
	assert.DirExists(t, living, "its tests run")
	assert.DirExists(t, begun, "its tests may be about to lock it")
	assert.DirExists(t, others)
	assert.Error(t, lock(own), "it is locked")
}

func TestWhatIsNotThereHoldsNothing(t *testing.T) {
	t.Parallel()
	_, err := lockedIn(filepath.Join(t.TempDir(), "none"))
	assert.Error(t, err)
}
