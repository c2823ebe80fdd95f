package main

import (
	"context"
	"errors"
	"fmt"

	bento "example.com/bento-go/wrapper"
)

// Exit codes; scripts rely on them.
const (
	exitDone        = 0   // done, conformant
	exitFailures    = 1   // the job ran and found or left failures
	exitUsage       = 2   // usage, or input that cannot be read
	exitRefused     = 3   // credentials or account refused
	exitGaveUp      = 4   // gave up after retries: rate limit, server, network
	exitInterrupted = 130 // Ctrl-C; what was done is kept and told
)

// An exitError ends the program with a code. An empty one has been explained already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// exitCode finds the code for what ended a command.
func exitCode(err error) int {
	var explicit *exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &explicit):
		return explicit.code
	case errors.Is(err, errTimeout):
		return exitGaveUp
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, bento.ErrUnauthorized), errors.Is(err, bento.ErrForbidden):
		return exitRefused
	case errors.Is(err, bento.ErrRateLimited), errors.Is(err, bento.ErrServer), errors.Is(err, bento.ErrNetwork), errors.Is(err, bento.ErrTimeout),
		errors.Is(err, bento.ErrPaced): // its turn would have come after --timeout
		return exitGaveUp
	case errors.Is(err, bento.ErrInvalid):
		return exitUsage
	default:
		return exitFailures
	}
}
