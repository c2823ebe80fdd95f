package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/zalando/go-keyring"
)

// keyringService is what the keyring's entries are filed under.
const keyringService = "bentoctl"

// A secret command has this long to print this much.
const (
	secretPatience = 10 * time.Second
	maxSecret      = 4 << 10
)

// secret finds the secret key of a profile.
func (g *globals) secret(ctx context.Context, name string, p profile) (string, error) {
	switch {
	case p.Keyring:
		key, err := keyring.Get(keyringService, name)
		if err != nil {
			return "", usage("the keyring has no secret key for the profile %s (%w): bentoctl login --profile %s", name, err, name)
		}
		return key, nil
	case len(p.SecretCommand) > 0:
		key, err := g.ask(ctx, p.SecretCommand)
		if err != nil {
			return "", usage("secret_command of the profile %s, %s: %w", name, p.SecretCommand[0], err)
		}
		return key, nil
	}
	return p.SecretKey, nil
}

// ask runs a command, without a shell, and returns what it prints.
func (g *globals) ask(ctx context.Context, command []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, secretPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stderr = g.err
	cmd.WaitDelay = time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	said, readErr := io.ReadAll(io.LimitReader(out, maxSecret+1))
	if len(said) > maxSecret {
		cancel()
	}
	switch err := cmd.Wait(); {
	case len(said) > maxSecret:
		return "", fmt.Errorf("it printed more than %d bytes, which is no key", maxSecret)
	case ctx.Err() != nil:
		return "", fmt.Errorf("it did not end within %v", secretPatience)
	case err != nil || readErr != nil:
		return "", errors.Join(err, readErr)
	}
	key, _, _ := strings.Cut(string(said), "\n")
	if key = strings.TrimSpace(key); key == "" {
		return "", errors.New("it printed nothing")
	}
	return key, nil
}
