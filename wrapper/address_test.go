package bento_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	bento "example.com/bento-go/wrapper"
)

// An address is refused for what no address has, and for nothing else.
func TestAddressesAreRefusedForWhatNoAddressHas(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"":                      "email is empty: every record needs an address",
		"a b@example.com":       "holds a space or control character",
		"a\x7fb@example.com":    "holds a space or control character",
		"a\x00b@example.com":    "holds a space or control character",
		"ari":                   "is not an email address",
		"@example.com":          "is not an email address",
		"ari@":                  "is not an email address",
		"Ari<ari@example.com>":  "is not an email address",
		"ari@example.com,b@c.d": "is not an email address",
		"a@b":                   "",
		"a!b@example.com":       "",
		"a+b@exämple.com":       "",
		"a\u0080b@example.com":  "",
	} {
		_, err := bento.EncodeRecord(event(address))
		if want == "" {
			require.NoError(t, err, address)
			continue
		}
		require.ErrorContains(t, err, want, address)
	}
}

// An email has all that makes one.
func TestAnEmailHasAllItsParts(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*bento.Email){
		"to is empty":                 func(e *bento.Email) { e.To = "" },
		"from is empty":               func(e *bento.Email) { e.From = "" },
		"subject is empty":            func(e *bento.Email) { e.Subject = "" },
		"html_body is empty, and so":  func(e *bento.Email) { e.HTMLBody = "" },
		"cc holds a line break":       func(e *bento.Email) { e.CC = "a@b.example\r\nBcc: c@d.example" },
		"reply_to holds a line break": func(e *bento.Email) { e.ReplyTo = "a@b.example\n" },
		"subject holds a line break":  func(e *bento.Email) { e.Subject = "a\nb" },
		"from is not an email":        func(e *bento.Email) { e.From = "support" },
		"to is not an email":          func(e *bento.Email) { e.To = "ari" },
		"subject holds a line break:": func(e *bento.Email) { e.Subject = "a\x00b" },
	} {
		e := email()
		change(&e)
		s := scripted(t)
		_, err := s.client().SendEmails(t.Context(), []bento.Email{e})
		require.ErrorIs(t, err, bento.ErrInvalid)
		require.ErrorContains(t, err, want)
		assert.Empty(t, s.seen)
	}
}

// The body may be plain text alone, or a layout's.
func TestAnEmailNeedsOneBody(t *testing.T) {
	t.Parallel()
	for _, body := range []bento.Email{{TextBody: "Hello"}, {LayoutID: "7"}, {HTMLBody: "<p>Hello</p>", TextBody: "Hello"}} {
		body.To, body.From, body.Subject = "ari@example.com", "team@acme.example", "Hello"
		body.CC, body.ReplyTo = "bo@example.com", "cy@example.com"
		s := scripted(t, accepted("1"))
		_, err := s.client().SendEmails(t.Context(), []bento.Email{body})
		require.NoError(t, err)
		sent, err := json.Marshal(body)
		require.NoError(t, err)
		assert.JSONEq(t, `{"emails":[`+string(sent)+`]}`, s.seen[0].body)
	}
}
