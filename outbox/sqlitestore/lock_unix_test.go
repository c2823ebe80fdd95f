//go:build unix && !solaris && !netbsd && !openbsd

package sqlitestore_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const asNeighbour = "OUTBOX_TEST_AS_NEIGHBOUR" // holds the path of the store

// A neighbour is another program, which says who keeps it from having the file for itself.
func init() {
	path := os.Getenv(asNeighbour)
	if path == "" {
		return
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	shared := unix.Flock_t{Type: unix.F_WRLCK, Start: 0x40000002, Len: 510} // where SQLite says that it has a file open
	if err == nil {
		err = unix.FcntlFlock(file.Fd(), unix.F_GETLK, &shared)
	}
	if err != nil || shared.Type == unix.F_UNLCK {
		fmt.Println("nobody", err)
		os.Exit(0)
	}
	fmt.Println(shared.Pid)
	os.Exit(0)
}

// A program that opens an outbox once more, and closes it, keeps the lock of the first: without it another
// program that closes the outbox would take itself for the last, and cut off what is being written.
func TestAnOutboxThatIsOpenedAgainStaysLocked(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "outbox.db")
	lockedBy := func() string {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env = append(os.Environ(), asNeighbour+"="+path)
		out, err := cmd.Output()
		require.NoError(t, err)
		return string(out)
	}
	first := open(t, path)
	me := fmt.Sprintln(os.Getpid())
	require.Equal(t, me, lockedBy())
	second := open(t, path)
	assert.Equal(t, me, lockedBy(), "though it is open twice")
	require.NoError(t, second.Close())
	assert.Equal(t, me, lockedBy(), "though it was closed once")
	require.NoError(t, first.Close())
	assert.Equal(t, "nobody <nil>\n", lockedBy())
}
