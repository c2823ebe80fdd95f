package scratch_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/internal/scratch"
)

func TestTemporaryDirectoriesAreTogetherUntilTheEnd(t *testing.T) {
	t.Setenv("TMPDIR", os.TempDir()) // put back in the end
	end := scratch.Begin()
	dir, err := os.MkdirTemp("", "x") //nolint:usetesting // where t.TempDir is, is its own business
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(dir, os.TempDir()), dir)
	if _, err := exec.LookPath("sh"); err == nil {
		out, err := exec.Command("sh", "-c", "echo $TMPDIR").Output()
		require.NoError(t, err)
		assert.Equal(t, os.TempDir(), strings.TrimSpace(string(out)), "for programs too")
	}
	end()
	assert.NoDirExists(t, os.TempDir())
}
