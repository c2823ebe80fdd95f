//go:build !linux

package scratch

import "errors"

func lockedIn(string) (string, error) { return "", errors.ErrUnsupported }
