package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/zalando/go-keyring"
	"golang.org/x/term"

	bento "example.com/bento-go/wrapper"
)

// A login is what the verb is told.
type login struct {
	userAgent, baseURL, store string
	secretCommand             []string
	noVerify                  bool
}

func newLogin(g *globals) *cobra.Command {
	var l login
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Keep the keys of a site in a profile",
		Long: "Asks for the publishable key, the secret key and the site's UUID, tries them with one read, and " +
			"keeps them as a profile: the secret key in the system's keyring where there is one, else in a file " +
			"that only you can read.\n\n" +
			"From a script give the three as lines of standard input. With --secret-command the key is kept " +
			"nowhere: the command prints it when it is needed.",
		Example: "  bentoctl login\n" +
			"  bentoctl login --profile staging --secret-command pass,show,bento/staging\n" +
			"  printf '%s\\n' \"$PUBLISHABLE\" \"$SECRET\" \"$SITE\" | bentoctl login",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := g.bounded(cmd.Context())
			defer cancel()
			return g.login(ctx, l)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&l.userAgent, "user-agent", "", "your application's name and version, such as AcmeCRM/1.0")
	flags.StringVar(&l.baseURL, "base-url", "", "where the API is (default: Bento's)")
	flags.StringVar(&l.store, "store", "", "where the secret key goes: keyring or file (default: keyring, else file)")
	flags.StringSliceVar(&l.secretCommand, "secret-command", nil, "a command and its arguments, joined by commas, that prints the secret key")
	flags.BoolVar(&l.noVerify, "no-verify", false, "do not try the keys")
	return cmd
}

func (g *globals) login(ctx context.Context, l login) error {
	name := cmp.Or(g.profile, os.Getenv(envProfile), "default")
	if !profileName.MatchString(name) {
		return usage("--profile %q: want letters, digits, dashes and underscores", name)
	}
	if l.store != "" && l.store != "keyring" && l.store != "file" {
		return usage("--store %q: want keyring or file", l.store)
	}
	file, err := loadConfig()
	if err != nil {
		return &exitError{exitUsage, err}
	}
	p := profile{UserAgent: l.userAgent, BaseURL: l.baseURL, SecretCommand: l.secretCommand}
	key, err := g.askKeys(ctx, &p)
	if err != nil {
		return err
	}
	if !l.noVerify {
		if err := tryKeys(ctx, p, key); err != nil {
			return fmt.Errorf("%w\nnothing was kept (--no-verify keeps them untried)", err)
		}
	}
	where := "nowhere: the command prints it"
	if len(p.SecretCommand) == 0 {
		if where, err = keepSecret(&p, name, key, l.store); err != nil {
			return err
		}
	}
	file.Profiles[name] = p
	file.Current = cmp.Or(file.Current, name)
	if err := file.save(); err != nil {
		return err
	}
	if !g.quiet {
		fmt.Fprintf(g.err, "profile %s is kept in %s; its secret key %s\n", name, file.path, where)
	}
	return nil
}

// askKeys asks on a terminal, where the secret key does not show, or reads lines.
func (g *globals) askKeys(ctx context.Context, p *profile) (key string, err error) {
	read := g.lineReader(ctx)
	ask := func(what string, hidden bool) (string, error) {
		line, err := read(what, hidden)
		if ctx.Err() != nil {
			return "", fmt.Errorf("nothing was kept: %w", context.Cause(ctx))
		}
		if line = strings.TrimSpace(line); line == "" {
			return "", usage("no %s was given: want the publishable key, the secret key and the site's UUID, a line each", what)
		}
		if errors.Is(err, io.EOF) { // a last line without its end
			err = nil
		}
		return line, err
	}
	if p.PublishableKey, err = ask("publishable key", false); err != nil {
		return "", err
	}
	if len(p.SecretCommand) > 0 {
		if key, err = g.ask(ctx, p.SecretCommand); err != nil {
			err = usage("--secret-command: %w", err)
		}
	} else {
		key, err = ask("secret key", true)
	}
	if err != nil {
		return "", err
	}
	p.SiteUUID, err = ask("site UUID", false)
	return key, err
}

// lineReader reads lines of standard input. On a terminal it says what it wants, and what is hidden
// does not show.
func (g *globals) lineReader(ctx context.Context) func(what string, hidden bool) (string, error) {
	terminal, isFile := g.in.(*os.File)
	if !isFile || !term.IsTerminal(int(terminal.Fd())) {
		lines := bufio.NewReader(io.LimitReader(interruptible(ctx, g.in), 3*maxSecret))
		return func(string, bool) (string, error) { return lines.ReadString('\n') }
	}
	return func(what string, hidden bool) (string, error) {
		fmt.Fprintf(g.err, "%s: ", what)
		defer fmt.Fprintln(g.err)
		return typed(ctx, terminal, hidden)
	}
}

// typed reads what is typed without its echo if it is hidden, and leaves the terminal as it was,
// also when ctx ends; the read itself ends with the next line, or with the process.
func typed(ctx context.Context, terminal *os.File, hidden bool) (string, error) {
	fd := int(terminal.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	type line struct {
		text string
		err  error
	}
	read := make(chan line, 1)
	go func() {
		if hidden {
			text, err := term.ReadPassword(fd)
			read <- line{string(text), err}
			return
		}
		text, err := bufio.NewReader(io.LimitReader(terminal, maxSecret)).ReadString('\n')
		read <- line{text, err}
	}()
	select {
	case l := <-read:
		return l.text, l.err
	case <-ctx.Done():
		for n := 0; hidden && n < 100 && echoes(fd, *before); n++ {
			time.Sleep(time.Millisecond)
		}
		return "", errors.Join(ctx.Err(), term.Restore(fd, before))
	}
}

// echoes reports whether the terminal is still as it was: who has just begun to read will turn its echo off.
func echoes(fd int, before term.State) bool {
	now, err := term.GetState(fd)
	return err == nil && *now == before
}

// tryKeys makes one read with the keys.
func tryKeys(ctx context.Context, p profile, key string) error {
	client, err := bento.New(bento.Config{
		PublishableKey: p.PublishableKey, SecretKey: key, SiteUUID: p.SiteUUID, BaseURL: p.BaseURL,
		UserAgent: cmp.Or(p.UserAgent, "bentoctl/"+strings.Trim(version(), "()")),
	}, bento.WithRetry(bento.RetryPolicy{MaxAttempts: 2}))
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	_, err = client.ListTags(ctx)
	return err
}

// keepSecret keeps the key in the keyring, or in the profile.
func keepSecret(p *profile, name, key, store string) (where string, err error) {
	if store != "file" {
		err := keyring.Set(keyringService, name, key)
		if err == nil {
			p.Keyring = true
			return "in the keyring", nil
		}
		if store == "keyring" {
			return "", errors.Join(errors.New("the keyring does not take the secret key"), err)
		}
	}
	p.SecretKey = key
	return "there too, for nobody else to read", nil
}
