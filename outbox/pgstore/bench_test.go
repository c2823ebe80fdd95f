package pgstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"example.com/bento-go/outbox"
	"example.com/bento-go/outbox/storetest"
)

func openBench(b *testing.B) outbox.Store {
	b.Helper()
	return open(b, fresh())
}

func BenchmarkPut(b *testing.B)      { storetest.BenchmarkPut(b, openBench) }
func BenchmarkDelivery(b *testing.B) { storetest.BenchmarkDelivery(b, openBench) }

// A million entries that wait make the next step of a lane no slower.
func BenchmarkStep(b *testing.B) {
	for _, waiting := range []int{1_000, 1_000_000} {
		s := open(b, fresh())
		entries := make([]outbox.Entry, 1000)
		for i := range entries {
			entries[i] = outbox.Entry{Lane: outbox.Events, Policy: outbox.AtLeastOnce, Record: make([]byte, 300)}
		}
		put := func(n int) {
			for range n / len(entries) {
				if _, err := s.Put(context.Background(), entries); err != nil {
					b.Fatal(err)
				}
			}
		}
		put(waiting)
		b.Run(fmt.Sprintf("%d wait", waiting), func(b *testing.B) {
			now := time.Now()
			lease, err := s.Acquire(context.Background(), outbox.Events, "me", now, time.Hour)
			if err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			for range b.N {
				due, _, err := s.Next(context.Background(), lease, len(entries), now)
				if err != nil || len(due) != len(entries) {
					b.Fatal(err)
				}
				ids, verdicts := make([]int64, len(due)), make([]outbox.Verdict, len(due))
				for i, e := range due {
					ids[i], verdicts[i] = e.ID, outbox.Verdict{ID: e.ID, State: outbox.Accepted}
				}
				if err := s.Begin(context.Background(), lease, ids, now); err != nil {
					b.Fatal(err)
				}
				if err := s.Settle(context.Background(), lease, verdicts, now); err != nil {
					b.Fatal(err)
				}
				if _, err := s.Idle(context.Background()); err != nil {
					b.Fatal(err)
				}
				put(len(entries))
			}
		})
	}
}
