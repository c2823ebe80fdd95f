package together_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/internal/together"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A desk notes what goes together, and serves it when it is told to.
type desk struct {
	*together.Group
	serve chan struct{}
	calls sync.WaitGroup

	mu   sync.Mutex
	seen []string // what went together, "a b"
	told map[string]error
}

func newDesk(limit together.Limit) *desk {
	d := &desk{serve: make(chan struct{}), told: map[string]error{}}
	d.Group = together.New(limit, func(calls []*together.Call) {
		var names []string
		for _, c := range calls {
			names = append(names, c.Entries[0].Key)
		}
		d.mu.Lock()
		d.seen = append(d.seen, strings.Join(names, " "))
		d.mu.Unlock()
		<-d.serve
		for _, c := range calls {
			c.Results = []outbox.PutResult{{ID: int64(c.Entries[0].Key[0])}}
		}
	})
	return d
}

// call is one whose result, or error, is looked at when it ends. Those before it wait already.
func (d *desk) call(ctx context.Context, name string, count, bytes int) {
	d.calls.Go(func() {
		results, err := d.Put(ctx, []outbox.Entry{{Key: name, Record: make([]byte, bytes)}}, count)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.told[name] = err
		if err == nil && (len(results) != 1 || results[0].ID != int64(name[0])) {
			d.told[name] = fmt.Errorf("another's results: %v", results)
		}
	})
	synctest.Wait()
}

func (d *desk) served() []string {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen
}

func (d *desk) requireTold(t *testing.T, want map[string]error) {
	t.Helper()
	d.calls.Wait()
	require.Len(t, d.told, len(want))
	for name, err := range want {
		require.ErrorIs(t, d.told[name], err, name)
	}
}

func TestCallsThatComeWhileOthersWaitGoTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(together.Limit{Turns: 1, Entries: 10, Bytes: 100})
		d.call(t.Context(), "a", 1, 1)
		d.call(t.Context(), "b", 6, 1)
		d.call(t.Context(), "c", 4, 1)  // fits to the last
		d.call(t.Context(), "d", 1, 60) // would be too many
		d.call(t.Context(), "e", 1, 40)
		d.call(t.Context(), "f", 1, 1)   // would be too long
		d.call(t.Context(), "g", 11, 1)  // is too many by itself
		d.call(t.Context(), "h", 1, 101) // and this too long
		d.call(t.Context(), "i", 1, 1)
		require.Equal(t, []string{"a"}, d.served())
		close(d.serve)
		require.Equal(t, []string{"a", "b c", "d e", "f", "g", "h", "i"}, d.served())
		d.requireTold(t, map[string]error{"a": nil, "b": nil, "c": nil, "d": nil, "e": nil, "f": nil, "g": nil, "h": nil, "i": nil})
	})
}

func TestAsManyTurnsAreTakenAsThereAre(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(together.Limit{Turns: 2, Entries: 10, Bytes: 100})
		for _, name := range []string{"a", "b", "c", "d"} {
			d.call(t.Context(), name, 1, 1)
		}
		require.Equal(t, []string{"a", "b"}, d.served())
		d.serve <- struct{}{}
		require.Equal(t, []string{"a", "b", "c d"}, d.served(), "the turn is another's")
		close(d.serve)
		d.requireTold(t, map[string]error{"a": nil, "b": nil, "c": nil, "d": nil})
	})
}

func TestACallThatEndsIsWithdrawnUnlessItIsTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(together.Limit{Turns: 1, Entries: 10, Bytes: 100})
		ctx, cancel := context.WithCancel(t.Context())
		d.call(ctx, "a", 1, 1)
		d.call(t.Context(), "b", 1, 1)
		d.call(ctx, "c", 1, 1)
		cancel()
		synctest.Wait()
		require.Equal(t, map[string]error{"c": context.Canceled}, d.told, "the first is under way: its outcome counts")
		d.call(ctx, "d", 1, 1)
		close(d.serve)
		require.Equal(t, []string{"a", "b"}, d.served())
		d.requireTold(t, map[string]error{"a": nil, "b": nil, "c": context.Canceled, "d": context.Canceled})
		for range 100 { // though a turn is free
			d.call(ctx, "e", 1, 1)
		}
		require.Equal(t, []string{"a", "b"}, d.served())
	})
}

func TestAPanicHarmsNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turn, second := make(chan struct{}), errors.New("the second of them")
		n := 0
		g := together.New(together.Limit{Turns: 1, Entries: 10, Bytes: 100}, func(calls []*together.Call) {
			if n++; n == 1 {
				<-turn
				calls[0].Results = make([]outbox.PutResult, 1)
				panic("planted")
			}
			calls[0].Err = second
		})
		var calls sync.WaitGroup
		calls.Go(func() {
			assert.PanicsWithValue(t, "planted", func() { _, _ = g.Put(t.Context(), make([]outbox.Entry, 1), 1) })
		})
		synctest.Wait()
		calls.Go(func() {
			_, err := g.Put(t.Context(), make([]outbox.Entry, 1), 1)
			assert.Equal(t, second, err)
		})
		synctest.Wait()
		close(turn)
		calls.Wait()
		assert.Equal(t, 2, n)
	})
}

// Those that went along with the call that panicked are not told that all is well.
func TestAPanicIsNoSuccess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turn, n, failed, panicked := make(chan struct{}), 0, 0, 0
		g := together.New(together.Limit{Turns: 1, Entries: 10, Bytes: 100}, func(calls []*together.Call) {
			if n++; n == 1 {
				<-turn
				return
			}
			panic("planted")
		})
		var mu sync.Mutex
		var calls sync.WaitGroup
		for range 3 {
			calls.Go(func() {
				defer func() {
					if recover() != nil {
						panicked++
					}
				}()
				if _, err := g.Put(t.Context(), make([]outbox.Entry, 1), 1); err != nil {
					mu.Lock()
					defer mu.Unlock()
					failed++
				}
			})
			synctest.Wait()
		}
		close(turn)
		calls.Wait()
		assert.Equal(t, []int{2, 1, 1}, []int{n, panicked, failed})
	})
}

var (
	errRefused = errors.New("refused")
	errBroken  = errors.New("broken")
)

func TestWhatIsRefusedTogetherGoesAlone(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		together error  // what the first attempt says
		puts     string // how many entries go at a time
		told     []error
	}{
		"taken":   {nil, "[3]", []error{nil, nil}},
		"refused": {errRefused, "[3 1 2]", []error{nil, errRefused}},
		"broken":  {errBroken, "[3]", []error{errBroken, errBroken}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := []*together.Call{{Entries: make([]outbox.Entry, 1)}, {Entries: make([]outbox.Entry, 2)}}
			var puts []int
			together.AtOnce(t.Context(), calls, func(_ context.Context, entries []outbox.Entry) ([]outbox.PutResult, error) {
				puts = append(puts, len(entries))
				switch {
				case len(entries) == 3 && tc.together != nil:
					return nil, tc.together
				case len(entries) == 2:
					return nil, errRefused
				}
				return []outbox.PutResult{{ID: 7}, {ID: 8}, {ID: 9}}[:len(entries)], nil
			}, func(err error) bool { return errors.Is(err, errRefused) })
			assert.Equal(t, tc.puts, fmt.Sprint(puts))
			for i, c := range calls {
				require.ErrorIs(t, c.Err, tc.told[i])
				if c.Err == nil {
					assert.Len(t, c.Results, len(c.Entries))
				}
			}
			if name == "taken" {
				assert.Equal(t, int64(8), calls[1].Results[0].ID)
			}
		})
	}
}
