package bento

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// addresses matches email addresses, and a little more: in an error's text, too much is
// better than too little.
var addresses = regexp.MustCompile(`[^\s"'<>(),;:\[\]]+(?:@|%40)[^\s"'<>(),;:\[\]]+`)

// A scrubber takes the client's keys, and addresses, out of what others say. It holds the keys
// in a closure, where no formatting verb reaches them.
type scrubber struct{ secrets func(string) string }

func newScrubber(cfg Config) scrubber {
	var pairs []string
	for _, secret := range []string{
		base64.StdEncoding.EncodeToString([]byte(cfg.PublishableKey + ":" + cfg.SecretKey)),
		cfg.SecretKey, cfg.PublishableKey, cfg.SiteUUID,
	} {
		pairs = append(pairs, secret, "[redacted]")
		if escaped := url.QueryEscape(secret); escaped != secret {
			pairs = append(pairs, escaped, "[redacted]")
		}
	}
	return scrubber{strings.NewReplacer(pairs...).Replace}
}

func (s scrubber) text(text string) string {
	return addresses.ReplaceAllString(s.secrets(text), "[address]")
}

func (s scrubber) bytes(body []byte) []byte { return []byte(s.secrets(string(body))) }

// header returns a copy of h without the client's keys and without cookies.
func (s scrubber) header(h http.Header) http.Header {
	clean := h.Clone()
	clean.Del("Set-Cookie")
	for _, values := range clean {
		for i := range values {
			values[i] = s.secrets(values[i])
		}
	}
	return clean
}

// error returns err with its text scrubbed; errors.Is and errors.As still see through it.
func (s scrubber) error(err error) error {
	if clean := s.text(err.Error()); clean != err.Error() {
		return &scrubbedError{clean, err}
	}
	var attempt *attemptError // an implementation detail that nobody should see
	if errors.As(err, &attempt) {
		return attempt.cause
	}
	return err
}

type scrubbedError struct {
	text  string
	cause error
}

func (e *scrubbedError) Error() string { return e.text }

// Is and As reach the cause without Unwrap, which would hand out its text.
func (e *scrubbedError) Is(target error) bool { return errors.Is(e.cause, target) }

// As hands out no URL, whose query holds the site.
func (e *scrubbedError) As(target any) bool {
	if _, isURL := target.(**url.Error); isURL {
		return false
	}
	return errors.As(e.cause, target)
}
