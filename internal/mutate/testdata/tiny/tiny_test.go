package tiny_test

import (
	"testing"
	"time"

	"example.com/bento-go/internal/mutate/testdata/tiny"
)

func TestTested(t *testing.T) {
	for _, tc := range []struct {
		n      int
		urgent bool
		wait   time.Duration
		fails  bool
	}{
		{0, false, 0, false}, {10, false, 10 * time.Second, false}, {11, false, 0, true}, {11, true, 11 * time.Second, false},
		{-1, true, 0, true}, {1, true, time.Second, false}, {7, false, 67 * time.Second, false},
	} {
		wait, err := tiny.Tested(tc.n, tc.urgent)
		if wait != tc.wait || (err != nil) != tc.fails {
			t.Error(tc, wait, err)
		}
	}
}

func TestHalves(t *testing.T) {
	if left, right := tiny.Halves(4); left != 2 || right != 2 {
		t.Error(left, right)
	}
}

func TestForever(t *testing.T) {
	steps := 0
	tiny.Forever(8, func() {
		steps++
		time.Sleep(time.Millisecond) // one that never ends leaves the machine to others
	})
	if steps != 3 {
		t.Error(steps)
	}
}
