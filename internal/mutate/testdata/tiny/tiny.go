// Package tiny is what mutate is tried on: some of it is tested well, some of it not.
package tiny

import (
	"errors"
	"time"
)

const limit = 10

var errFull = errors.New("full")

// Tested is tested in all that it does.
func Tested(n int, urgent bool) (time.Duration, error) {
	if n < 0 || n > limit && !urgent {
		return 0, errFull
	}
	wait := time.Duration(n) * time.Second
	switch n {
	case 7:
		wait = wait + time.Minute
	}
	return wait, nil
}

// Halves is tested but at its edge.
func Halves(n int) (left, right int) {
	left = n / 2
	right = n - left
	if left > right {
		left, right = right, left
	}
	return left, right
}

// Forever ends only if its condition is met.
func Forever(n int, step func()) {
	for n != 1 {
		n /= 2
		step()
	}
}

// Untested is called by nobody.
func Untested(ok bool) bool { return ok || limit == 10 }
