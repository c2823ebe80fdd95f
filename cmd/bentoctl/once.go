package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	bento "example.com/bento-go/wrapper"
)

// A guard is a file that says that an email was asked for by a key: it is made before the email is
// sent, and says "sent" after it was. Two runs at once cannot both make it.
type guard struct{ path string }

const (
	guardBegun = "begun"
	guardSent  = "sent"
)

// guardOf names the file of a key, for one site.
func guardOf(key, site string) (*guard, error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("no place to keep --once: %w", err)
		}
		dir = filepath.Join(home, ".local", "state")
	}
	dir = filepath.Join(dir, "bentoctl", "once")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("no place to keep --once: %w", err)
	}
	return &guard{filepath.Join(dir, fmt.Sprintf("%x", sha256.Sum256([]byte(site+"\n"+key))))}, nil
}

// begin makes the file. If it is there already it returns what it says: begun, by another run that
// may be under way, or sent and when.
func (g *guard) begin() (was string, err error) {
	file, err := os.OpenFile(g.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		said, err := os.ReadFile(g.path)
		return cmp.Or(string(said), guardBegun), err // it may not be written yet
	}
	if err != nil {
		return "", err
	}
	_, err = file.WriteString(guardBegun)
	return "", errors.Join(err, file.Sync(), file.Close())
}

func (g *guard) end() error {
	return os.WriteFile(g.path, []byte(guardSent+" "+time.Now().UTC().Format(time.RFC3339)), 0o600)
}

// sendOnce sends an email unless its key was used already. When nobody knows what became of an
// earlier attempt, a person decides.
func (g *globals) sendOnce(ctx context.Context, client *bento.Client, m *mail) error {
	cfg, err := g.config(ctx)
	if err != nil {
		return err
	}
	once, err := guardOf(m.once, cfg.SiteUUID)
	if err != nil {
		return err
	}
	was, err := once.begin()
	if err != nil {
		return fmt.Errorf("--once: %w", err)
	}
	if sent, at, _ := strings.Cut(was, " "); sent == guardSent {
		if g.json {
			return json.NewEncoder(g.out).Encode(map[string]any{"accepted": 0, "duplicate": true})
		}
		if !g.quiet {
			fmt.Fprintf(g.err, "sent already, at %s: nothing to do\n", at)
		}
		return nil
	}
	if was != "" {
		return &exitError{exitFailures, fmt.Errorf("an earlier run with --once %s was cut off, and nobody knows whether its email was sent: look in Bento, and remove %s to send it again", m.once, once.path)}
	}
	result, err := client.SendEmails(ctx, []bento.Email{m.email})
	if err == nil {
		err = once.end()
	} else if result.Unknown == 0 { // surely not sent: another run may try
		err = errors.Join(err, os.Remove(once.path))
	}
	return g.sent(result, err, "email to "+m.email.To)
}
