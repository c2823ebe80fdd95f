package outbox

import (
	"context"
	"log/slog"
	"maps"
	"time"
)

// reportEvery is how often what waits is logged.
const reportEvery = time.Minute

// report logs what waits, until the sender ends.
func (s *Sender) report(ctx context.Context) {
	every := time.NewTicker(reportEvery)
	defer every.Stop()
	for {
		select {
		case <-every.C:
		case <-s.stop:
			return
		case <-ctx.Done():
			return
		}
		if !s.logger.Enabled(ctx, slog.LevelInfo) {
			continue
		}
		stats, err := s.Stats(ctx)
		if err != nil {
			continue // the lanes tell
		}
		for _, lane := range Lanes {
			if of := stats.Lanes[lane]; of.Depth()+of.States[Parked] > 0 || of.Rate > 0 {
				s.logger.LogAttrs(ctx, slog.LevelInfo, "outbox", slog.String("lane", string(lane)), slog.Any("stats", of))
			}
		}
	}
}

// Stats counts what is in the store, and adds what only this sender knows: rates and refusals.
func (s *Sender) Stats(ctx context.Context) (Stats, error) {
	stats, err := s.store.Stats(ctx)
	if err != nil {
		return stats, err
	}
	now := time.Now()
	for lane, of := range stats.Lanes {
		of.Rate = s.meters[lane].rate(now)
		stats.Lanes[lane] = of
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stats.Refused = maps.Clone(s.refused)
	return stats, nil
}
