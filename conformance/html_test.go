package conformance_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
	"example.com/bento-go/internal/needed"
)

func TestThePageNeedsNothingElseAndQuotesNothing(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	report := broken(t)
	x := good("GET", "/fetch/tags", "", `{"data":[]}`)
	x.Request.URL = strings.Replace(x.Request.URL, "?", "?<script>alert(1)</script>=1&", 1)
	x.Source.File = `<img src=x>`
	report.Add(x)
	require.NoError(t, report.WriteHTML(&out))
	html := out.String()
	for _, foreign := range []string{"http://", "https://", ` src="`, "<img", "<script>alert", "canary"} {
		assert.False(t, strings.Contains(html, foreign), foreign) //nolint:testifylint // the page is too long to be printed
	}
	assert.Contains(t, html, "Not conformant")
	assert.Contains(t, html, `<mark>      &#34;email&#34;: ▮</mark>`)
	var empty strings.Builder
	require.NoError(t, conformance.NewReport(newChecker(t)).WriteHTML(&empty))
	assert.Contains(t, empty.String(), "Nothing was checked")
}

// The page in a browser, light and dark: its script runs, and a picture of it is kept.
func TestThePageInABrowser(t *testing.T) {
	t.Parallel()
	dir := t.ArtifactDir()
	page := filepath.Join(dir, "report.html")
	f, err := os.Create(page)
	require.NoError(t, err)
	require.NoError(t, broken(t).WriteHTML(f))
	require.NoError(t, f.Close())
	dom := needed.Chromium(t, "--dump-dom", "file://"+page)
	assert.Contains(t, dom, `<details data-severity="error" open="">`, "its script opened the first finding")
	assert.Equal(t, 5, strings.Count(dom, "<details "))
	for mode, flag := range map[string]string{"light": "--blink-settings=preferredColorScheme=1", "dark": "--blink-settings=preferredColorScheme=0"} {
		picture := filepath.Join(dir, mode+".png")
		needed.Chromium(t, flag, "--window-size=1200,1700", "--screenshot="+picture, "file://"+page)
		info, err := os.Stat(picture)
		require.NoError(t, err)
		assert.Greater(t, info.Size(), int64(20_000), mode)
	}
}
