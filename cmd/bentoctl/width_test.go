package main

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/sqlitestore"
	bento "example.com/bento-go/wrapper"
)

// onTerminal runs bentoctl with its results on a terminal that is so wide.
func onTerminal(t *testing.T, columns uint16, args ...string) result {
	t.Helper()
	screen, terminal, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal on this machine: %v", err)
	}
	require.NoError(t, pty.Setsize(terminal, &pty.Winsize{Rows: 24, Cols: columns}))
	var seen, errs bytes.Buffer
	read := make(chan struct{})
	go func() {
		_, _ = io.Copy(&seen, screen) // ends when the terminal is closed
		close(read)
	}()
	code := run(t.Context(), args, streams{strings.NewReader(""), terminal, &errs})
	require.NoError(t, terminal.Close())
	<-read
	require.NoError(t, screen.Close())
	return result{code, strings.ReplaceAll(seen.String(), "\r\n", "\n"), errs.String()}
}

func widest(text string) (columns int) {
	for line := range strings.SplitSeq(text, "\n") {
		columns = max(columns, columnsOf(line))
	}
	return columns
}

const (
	longAddress = "ari.with.a.name.that.takes.more.than.a.narrow.column@example.com"
	longReason  = "no answer came within the time that a call may take: nobody knows whether the email arrived, so look in Bento first"
)

var parkedAt = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// parkedEntry is an outbox whose entry 1 is in doubt.
func parkedEntry(t *testing.T) (dir string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	dir = t.TempDir()
	store, err := sqlitestore.Open(ctx, filepath.Join(dir, outboxFile))
	require.NoError(t, err)
	sender := outbox.New(nil, store)
	_, err = sender.Enqueue(ctx, outbox.Email(bento.Email{To: longAddress, From: "team@acme.example", Subject: "Hello", HTMLBody: "x"}))
	require.NoError(t, err)
	lease, err := store.Acquire(ctx, outbox.Emails, "a relay", parkedAt, time.Second)
	require.NoError(t, err)
	require.NoError(t, store.Begin(ctx, lease, []int64{1}, parkedAt))
	require.NoError(t, store.Settle(ctx, lease, []outbox.Verdict{{ID: 1, State: outbox.Parked, Reason: longReason}}, parkedAt))
	require.NoError(t, store.Release(ctx, lease))
	require.NoError(t, store.Close())
	return dir
}

// A table takes what the terminal has, and never cuts a time.
func TestTablesAreAsWideAsTheTerminal(t *testing.T) {
	list := []string{"outbox", "list", "--store", parkedEntry(t)}
	const minute = "2026-03-04 05:06Z"
	t.Setenv("COLUMNS", "")
	for columns, whole := range map[uint16][]string{66: {minute}, 80: {minute}, 130: {minute, longAddress[:30]}, 240: {minute, longAddress, longReason}, 0: {minute}} {
		r := onTerminal(t, columns, list...)
		assert.Equal(t, 0, r.code, r.err)
		assert.LessOrEqual(t, widest(r.out), map[bool]int{true: 80, false: int(columns)}[columns == 0])
		for _, text := range whole {
			assert.Contains(t, r.out, text, "%d columns", columns)
		}
	}
	assert.Equal(t, 80, widest(onTerminal(t, 0, list...).out), "a terminal that does not say")

	r := bentoctl(t.Context(), "", list...)
	assert.Contains(t, r.out, longAddress)
	assert.Contains(t, r.out, longReason, "where nobody looks, nothing is cut")

	t.Setenv("COLUMNS", "100")
	assert.Equal(t, 100, widest(onTerminal(t, 240, list...).out), "COLUMNS comes first")
	assert.Contains(t, bentoctl(t.Context(), "", list...).out, longReason)
}

// Whoever asks for one entry sees all of it, however narrow the terminal is.
func TestAnEntryIsShownWhole(t *testing.T) {
	show := []string{"outbox", "show", "1", "--store", parkedEntry(t)}
	t.Setenv("COLUMNS", "")
	r := onTerminal(t, 50, show...)
	assert.Equal(t, 0, r.code, r.err)
	assert.NotContains(t, r.out, "…")
	entry, history, _ := strings.Cut(r.out, "\n\n")
	assert.LessOrEqual(t, widest(entry), 50)
	unwrapped := strings.Join(strings.Fields(entry), " ")
	assert.Contains(t, unwrapped, "reason "+longReason)
	assert.Contains(t, strings.ReplaceAll(unwrapped, " ", ""), longAddress, "what has no space is broken, not cut")
	assert.Contains(t, history, longReason)
	assert.Contains(t, history, parkedAt.Format(time.RFC3339), "with its seconds")
}

// Whatever get reads fits the terminal.
func TestWhatIsReadFitsTheTerminal(t *testing.T) {
	serving(t, fake.WithBroadcasts(60))
	fakeASite(t)
	t.Setenv("COLUMNS", "")
	for _, args := range everyRead {
		r := onTerminal(t, 80, append([]string{"get", "--format", "table"}, strings.Fields(args)...)...)
		require.Equal(t, 0, r.code, "%s: %s", args, r.err)
		assert.LessOrEqual(t, widest(r.out), 80, args)
	}
}
