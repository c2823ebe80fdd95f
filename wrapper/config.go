package bento

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"example.com/bento-go/gen"
	"example.com/bento-go/internal/loopback"
)

// Config is what a client cannot do without. All fields but BaseURL are required.
//
// It prints without its keys, whatever the verb. Do not keep it in an unexported field of your
// own type, though: fmt cannot call its methods there, and prints the keys if you print yours.
type Config struct {
	// PublishableKey and SecretKey are the halves of Basic auth.
	PublishableKey string
	SecretKey      string
	// SiteUUID names the site that every request is about.
	SiteUUID string
	// UserAgent is the application's real name and version, such as "AcmeCRM/1.0". Bento may
	// block missing and generic agents before they reach the API.
	UserAgent string
	// BaseURL is where the API is: https, or http on loopback, as for a fake. Empty means
	// [gen.ServerURL].
	BaseURL string
}

// The environment that [FromEnv] reads.
const (
	EnvPublishableKey = "BENTO_PUBLISHABLE_KEY"
	EnvSecretKey      = "BENTO_SECRET_KEY"
	EnvSiteUUID       = "BENTO_SITE_UUID"
	EnvUserAgent      = "BENTO_USER_AGENT"
	EnvBaseURL        = "BENTO_BASE_URL"
)

// ConfigFromEnv reads BENTO_PUBLISHABLE_KEY, BENTO_SECRET_KEY, BENTO_SITE_UUID and
// BENTO_BASE_URL. An empty userAgent is read from BENTO_USER_AGENT.
func ConfigFromEnv(userAgent string) Config {
	if userAgent == "" {
		userAgent = os.Getenv(EnvUserAgent)
	}
	return Config{
		PublishableKey: os.Getenv(EnvPublishableKey),
		SecretKey:      os.Getenv(EnvSecretKey),
		SiteUUID:       os.Getenv(EnvSiteUUID),
		UserAgent:      userAgent,
		BaseURL:        os.Getenv(EnvBaseURL),
	}
}

// validate returns the address of the API, or everything that is wrong at once, by the names a user
// knows.
func (c Config) validate() (*url.URL, error) {
	var errs []error
	for _, required := range []struct{ value, field, env, what string }{
		{c.PublishableKey, "PublishableKey", EnvPublishableKey, "the publishable key"},
		{c.SecretKey, "SecretKey", EnvSecretKey, "the secret key"},
		{c.SiteUUID, "SiteUUID", EnvSiteUUID, "the UUID of the site"},
	} {
		switch {
		case required.value == "":
			errs = append(errs, fmt.Errorf("%s is empty: set it (%s) to %s from Bento's settings", required.field, required.env, required.what))
		case strings.ContainsFunc(required.value, notKeyRune):
			errs = append(errs, fmt.Errorf("%s (%s) holds a space or a control character: copy %s again, without them", required.field, required.env, required.what))
		}
	}
	if strings.Contains(c.PublishableKey, ":") {
		errs = append(errs, fmt.Errorf("PublishableKey (%s) holds a colon, which Basic auth cannot carry: give the publishable key alone", EnvPublishableKey))
	}
	if err := checkUserAgent(c.UserAgent); err != nil {
		errs = append(errs, err)
	}
	base, err := parseBaseURL(c.BaseURL)
	if err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return nil, &configError{errs}
	}
	return base, nil
}

// notKeyRune reports runes that are in no key: a key pasted with its newline fails as a 401
// that nobody understands.
func notKeyRune(r rune) bool { return r <= ' ' || r == 0x7f }

// parseBaseURL admits https anywhere and http on loopback: credentials travel in a header.
func parseBaseURL(raw string) (*url.URL, error) {
	if raw == "" {
		raw = gen.ServerURL
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, fmt.Errorf("BaseURL (%s) is not a URL: want something like %s", EnvBaseURL, gen.ServerURL)
	case u.User != nil:
		return nil, fmt.Errorf("BaseURL (%s) holds credentials, which end up in logs: take them out", EnvBaseURL)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("BaseURL (%s) has a query or fragment: take it off; site_uuid is added to each request", EnvBaseURL)
	case u.Hostname() == "":
		return nil, fmt.Errorf("BaseURL (%s) names no host: want something like %s", EnvBaseURL, gen.ServerURL)
	case loopback.MayCarryCredentials(u):
		return u, nil
	default:
		return nil, fmt.Errorf("BaseURL (%s) must be https, since credentials travel with each request; http only on loopback", EnvBaseURL)
	}
}

// configError joins what is wrong with a Config, one a line.
type configError struct{ errs []error }

func (e *configError) Error() string {
	return "bento: " + strings.ReplaceAll(errors.Join(e.errs...).Error(), "\n", "\nbento: ")
}

// Is makes every configError an [ErrInvalid].
func (e *configError) Is(target error) bool { return target == ErrInvalid }

// String describes the configuration without its keys.
func (c Config) String() string {
	return fmt.Sprintf("bento.Config{UserAgent: %q, BaseURL: %q, keys and site redacted}", c.UserAgent, c.BaseURL)
}

// Format prints [Config.String] for every verb, so that no verb prints a key.
func (c Config) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(c.String())) }

// LogValue is what slog shows of a Config.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText keeps the keys out of JSON and its kin.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
