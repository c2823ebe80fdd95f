package bento_test

import (
	"testing"

	"go.uber.org/goleak"
)

// A client starts no goroutine that outlives its calls.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
