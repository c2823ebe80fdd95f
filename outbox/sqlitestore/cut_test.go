package sqlitestore_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/internal/needed"
)

// The power is cut: what the disk holds then is all that is left, without what the system had still to
// write. A disk image shows it: it is copied while the application stands still, and its copy is
// mounted as after a start.
func TestAPowerCutLosesNothing(t *testing.T) {
	needed.That(t, runtime.GOOS == "linux" && os.Geteuid() == 0, "root on Linux, to mount an image")
	mkfs := needed.Program(t, "mkfs.ext4", "/sbin/mkfs.ext4")
	x := newTrial(t)
	image, disk := filepath.Join(t.TempDir(), "disk.img"), t.TempDir()
	require.NoError(t, os.WriteFile(image, nil, 0o600))
	require.NoError(t, os.Truncate(image, 64<<20))
	command(t, mkfs, "-q", image)
	unmount := mount(t, disk, "-o", "loop", image)
	path := filepath.Join(disk, "spool", "outbox.db")
	for range *cuts {
		cmd, promised := x.start(path)
		for range 200 + rand.IntN(400) {
			require.True(t, promised.Scan())
			x.heed(promised.Text())
		}
		forgotten := filepath.Join(disk, "forgotten")
		require.NoError(t, os.WriteFile(forgotten, []byte("of which nobody has asked for that it be written"), 0o600))
		require.NoError(t, cmd.Process.Signal(syscall.SIGSTOP))
		after := image + ".after"
		command(t, "cp", image, after)
		x.crashes++
		require.NoError(t, cmd.Process.Kill())
		for promised.Scan() { // what was said before the cut was promised, too
			x.heed(promised.Text())
		}
		_ = cmd.Wait()
		unmount()
		require.NoError(t, os.Rename(after, image))
		unmount = mount(t, disk, "-o", "loop", image)
		left, err := os.ReadFile(forgotten)
		if err == nil {
			assert.Empty(t, left, "a cut that loses nothing at all proves nothing")
			require.NoError(t, os.Remove(forgotten))
		}
	}
	x.drain(path)
	x.verify(path)
}

// mount mounts something until the test ends, or before.
func mount(t *testing.T, at string, args ...string) (unmount func()) {
	t.Helper()
	command(t, "mount", append(args, at)...)
	mounted := true
	unmount = func() {
		if mounted {
			command(t, "umount", at)
			mounted = false
		}
	}
	t.Cleanup(func() {
		if mounted {
			_ = exec.Command("umount", "--lazy", at).Run()
		}
	})
	return unmount
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	require.NoError(t, err, string(out))
}
