package bento_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	bento "example.com/bento-go/wrapper"
)

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*bento.Config)
		want   []string
	}{
		"no publishable key": {func(c *bento.Config) { c.PublishableKey = "" }, []string{"PublishableKey is empty", "BENTO_PUBLISHABLE_KEY"}},
		"no secret key":      {func(c *bento.Config) { c.SecretKey = "" }, []string{"SecretKey is empty", "BENTO_SECRET_KEY"}},
		"no site":            {func(c *bento.Config) { c.SiteUUID = "" }, []string{"SiteUUID is empty", "BENTO_SITE_UUID"}},
		"key with newline":   {func(c *bento.Config) { c.SecretKey += "\n" }, []string{"SecretKey", "control character", "copy"}},
		"key with colon":     {func(c *bento.Config) { c.PublishableKey = "pk:sk" }, []string{"colon"}},
		"no agent":           {func(c *bento.Config) { c.UserAgent = "" }, []string{"UserAgent", "AcmeCRM/1.0"}},
		"blank agent":        {func(c *bento.Config) { c.UserAgent = "  " }, []string{"UserAgent", "AcmeCRM/1.0"}},
		"Go's agent":         {func(c *bento.Config) { c.UserAgent = "Go-http-client/1.1" }, []string{"generic", "AcmeCRM/1.0"}},
		"curl's agent":       {func(c *bento.Config) { c.UserAgent = "curl/8" }, []string{"generic"}},
		"bento as agent":     {func(c *bento.Config) { c.UserAgent = "bento" }, []string{"generic"}},
		"requests' agent":    {func(c *bento.Config) { c.UserAgent = "python-requests/2.31" }, []string{"generic"}},
		"agent with newline": {func(c *bento.Config) { c.UserAgent = "Acme\r\nX-Evil: 1" }, []string{"control"}},
		"agent too long":     {func(c *bento.Config) { c.UserAgent = "Acme/" + strings.Repeat("1", 300) }, []string{"longer than 256"}},
		"plain http":         {func(c *bento.Config) { c.BaseURL = "http://example.com/api/v1" }, []string{"https"}},
		"query in base":      {func(c *bento.Config) { c.BaseURL = "https://example.com/?site_uuid=x" }, []string{"query"}},
		"userinfo in base":   {func(c *bento.Config) { c.BaseURL = "https://a:b@example.com/" }, []string{"credentials"}},
		"no host in base":    {func(c *bento.Config) { c.BaseURL = "api/v1" }, []string{"no host"}},
		"not a URL":          {func(c *bento.Config) { c.BaseURL = "https://%zz" }, []string{"not a URL"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig()
			tc.change(&cfg)
			c, err := bento.New(cfg)
			require.Nil(t, c)
			require.ErrorIs(t, err, bento.ErrInvalid)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
			requireNoSecrets(t, err.Error())
		})
	}
}

func TestNewNamesEverythingWrongAtOnce(t *testing.T) {
	t.Parallel()
	_, err := bento.New(bento.Config{})
	for _, want := range []string{"PublishableKey", "SecretKey", "SiteUUID", "UserAgent"} {
		require.ErrorContains(t, err, want)
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		assert.True(t, strings.HasPrefix(line, "bento: "), line)
	}
}

func TestNewTakesRealAgentsAndAddresses(t *testing.T) {
	t.Parallel()
	for _, agent := range []string{"AcmeCRM/1.0", "bento-sync/2", "Acme CRM (support@acme.example)", "curlew/1"} {
		cfg := testConfig()
		cfg.UserAgent = agent
		_, err := bento.New(cfg)
		require.NoError(t, err, agent)
	}
	for _, base := range []string{"", "https://app.bentonow.com/api/v1", "http://localhost:8080/api/v1", "http://[::1]:80/"} {
		cfg := testConfig()
		cfg.BaseURL = base
		_, err := bento.New(cfg)
		require.NoError(t, err, base)
	}
}

func TestFromEnvReadsTheEnvironment(t *testing.T) {
	t.Setenv(bento.EnvPublishableKey, testPublishable)
	t.Setenv(bento.EnvSecretKey, testSecret)
	t.Setenv(bento.EnvSiteUUID, testSite)
	t.Setenv(bento.EnvBaseURL, "http://127.0.0.1:1")
	t.Setenv(bento.EnvUserAgent, "")
	_, err := bento.FromEnv("AcmeCRM/1.0")
	require.NoError(t, err)
	_, err = bento.FromEnv("")
	require.ErrorContains(t, err, bento.EnvUserAgent)
	t.Setenv(bento.EnvUserAgent, "AcmeCRM/2.0")
	_, err = bento.FromEnv("")
	require.NoError(t, err)
	t.Setenv(bento.EnvSecretKey, "")
	_, err = bento.FromEnv("AcmeCRM/1.0")
	require.ErrorContains(t, err, bento.EnvSecretKey)
}

// Every type that knows a key, printed every way that a careless program would.
func TestNothingPrintsAKey(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	client, err := bento.New(cfg)
	require.NoError(t, err)
	editor := bento.BasicAuth(testPublishable, testSecret)
	for _, value := range []any{cfg, &cfg, client, *client, editor, struct{ Config bento.Config }{cfg}, struct{ Client *bento.Client }{client}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			requireNoSecrets(t, fmt.Sprintf(verb, value))
		}
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value)
		encoded, _ := json.Marshal(value)
		requireNoSecrets(t, log.String()+string(encoded))
	}
}

func TestOptionsRefuseNonsense(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]bento.Option{
		"nil client":        bento.WithHTTPClient(nil),
		"nil logger":        bento.WithLogger(nil),
		"no timeout":        bento.WithTimeout(0),
		"negative attempts": bento.WithRetry(bento.RetryPolicy{MaxAttempts: -1}),
		"endless attempts":  bento.WithRetry(bento.RetryPolicy{MaxAttempts: 1 << 20}),
		"negative wait":     bento.WithRetry(bento.RetryPolicy{MaxWait: -1}),
	} {
		_, err := bento.New(testConfig(), opt)
		require.ErrorIs(t, err, bento.ErrInvalid, name)
	}
}
