package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// every calls visit for each verb, groups included.
func every(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, child := range cmd.Commands() {
		every(child, visit)
	}
}

// What a person reads first is looked at when it changes: testdata/help, written anew by -update.
func TestHelpIsWhatItWas(t *testing.T) {
	t.Setenv("NO_COLOR", "") // else it is the default that help shows
	var out bytes.Buffer
	every(newRoot(&globals{streams: streams{nil, &out, &out}}), func(cmd *cobra.Command) {
		if strings.Contains(cmd.CommandPath(), "completion") {
			return // cobra's own words
		}
		out.Reset()
		cmd.SetOut(&out)
		require.NoError(t, cmd.Help())
		golden := filepath.Join("testdata", "help", strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".txt")
		if *update {
			require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o600))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		assert.Equal(t, string(want), out.String(), golden)
		for line := range strings.SplitSeq(out.String(), "\n") {
			assert.LessOrEqual(t, len([]rune(line)), 80, "%s: %s", cmd.CommandPath(), line)
		}
		assert.True(t, cmd.HasSubCommands() || cmd.HasExample() || cmd.Name() == "version" || cmd.Name() == "help", "%s shows no example", cmd.CommandPath())
	})
}

// What the help of fake sets for an application is all that a client needs.
func TestTheExampleOfFakeWorksByItself(t *testing.T) {
	serving(t)
	address := os.Getenv(bento.EnvBaseURL)
	for _, name := range []string{bento.EnvBaseURL, bento.EnvPublishableKey, bento.EnvSecretKey, bento.EnvSiteUUID, bento.EnvUserAgent} {
		t.Setenv(name, "")
	}
	help := bentoctl(t.Context(), "", "fake", "--help").out
	set := regexp.MustCompile(`(BENTO_\w+)=(\S+)`).FindAllStringSubmatch(help, -1)
	require.NotEmpty(t, set)
	for _, of := range set {
		t.Setenv(of[1], strings.Replace(of[2], "http://127.0.0.1:7373"+gen.BasePath, address, 1))
	}
	r := bentoctl(t.Context(), "", "get", "tags")
	assert.Equal(t, exitDone, r.code, r.err)
}

// Each verb has a manual page, the same whenever it is written.
func TestManualPages(t *testing.T) {
	t.Parallel()
	var pages [2]map[string]string
	for i := range pages {
		pages[i] = map[string]string{}
		dir := filepath.Join(t.TempDir(), "man1")
		require.Equal(t, 0, bentoctl(t.Context(), "", "man", dir).code)
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(filepath.Join(dir, file.Name()))
			require.NoError(t, err)
			pages[i][file.Name()] = string(text)
		}
	}
	assert.Equal(t, pages[0], pages[1])
	assert.Contains(t, pages[0]["bentoctl-import-subscribers.1"], "unsubscribed")
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		r := bentoctl(t.Context(), "", "completion", shell)
		assert.Equal(t, 0, r.code)
		assert.Contains(t, r.out, "bentoctl")
	}
}

func TestATypoIsUnderstood(t *testing.T) {
	t.Parallel()
	for typo, meant := range map[string]string{"improt": "import", "snd": "send", "chekc": "check", "import subscriber": "subscribers"} {
		r := bentoctl(t.Context(), "", strings.Fields(typo)...)
		assert.Equal(t, 2, r.code)
		assert.Contains(t, r.err, "did you mean "+meant+"?")
	}
}
