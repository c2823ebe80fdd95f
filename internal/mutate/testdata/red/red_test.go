package red_test

import (
	"testing"

	"example.com/bento-go/internal/mutate/testdata/red"
)

func TestRed(t *testing.T) {
	if red.One() != 2 {
		t.Error("as it should")
	}
}
