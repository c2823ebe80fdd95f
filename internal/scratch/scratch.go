// Package scratch keeps what tests write together, in memory where it can: making and removing files
// costs a disk more than all else that the tests of a store do.
package scratch

import (
	"fmt"
	"os"
)

// Begin has all temporary directories made in one, by this process and by those that it starts, until end
// removes it. On Linux it is in memory, if memory holds files, programs too, and has room for them.
func Begin() (end func()) {
	dir, err := lockedIn("/dev/shm")
	if err != nil {
		dir, err = os.MkdirTemp("", prefix)
	}
	if err == nil {
		err = os.Chmod(dir, 0o711) //nolint:gosec // servers of other users have directories in it
	}
	if err == nil {
		err = os.Setenv("TMPDIR", dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "scratch:", err)
		os.Exit(1)
	}
	return func() { _ = os.RemoveAll(dir) }
}

const prefix = "bento-test-" // short: a socket's path has room for a hundred bytes
