package bento

import "fmt"

// A BatchOption adjusts one call that sends records in batches. Every [CallOption] is one.
type BatchOption interface {
	applyBatch(s *batchSettings) error
}

type batchSettings struct {
	callSettings
	concurrency int
	maxBytes    int
	strict      bool
	bisect      bool
	progress    func(Result)
}

const (
	// defaultBatchBytes bounds the body of a request. Nobody says how much Bento takes; a full
	// batch of events is about a quarter of a megabyte.
	defaultBatchBytes = 4 << 20
	maxBatchBytes     = 64 << 20
	maxConcurrency    = 64
)

func batchSettingsOf(operation string, opts []BatchOption) (batchSettings, error) {
	s := batchSettings{concurrency: 1, maxBytes: defaultBatchBytes}
	for _, opt := range opts {
		if opt == nil {
			return s, invalid(operation, errNilOption)
		}
		if err := opt.applyBatch(&s); err != nil {
			return s, invalid(operation, err)
		}
	}
	return s, nil
}

type batchOption func(*batchSettings) error

func (f batchOption) applyBatch(s *batchSettings) error { return f(s) }

// WithConcurrency sends up to n batches at a time, 1 to 64; the default is one after the other.
// The [Result] is in the order of the records all the same. It helps where answers take long;
// the pace stays what it is.
func WithConcurrency(n int) BatchOption {
	return batchOption(func(s *batchSettings) error {
		if n < 1 || n > maxConcurrency {
			return fmt.Errorf("WithConcurrency: %d batches at a time: want 1 to %d", n, maxConcurrency)
		}
		s.concurrency = n
		return nil
	})
}

// WithBatchBytes cuts batches also by the size of their body, n bytes at most, 1 to 64
// MiB; the default is 4 MiB. A single record that does not fit is refused.
func WithBatchBytes(n int) BatchOption {
	return batchOption(func(s *batchSettings) error {
		if n < 1 || n > maxBatchBytes {
			return fmt.Errorf("WithBatchBytes: %d: want 1 to %d", n, maxBatchBytes)
		}
		s.maxBytes = n
		return nil
	})
}

// WithStrict sends nothing of a slice that holds an invalid record, instead of setting the
// record aside. A sequence, which cannot be read twice, ends at its first invalid record; the
// batches before it have been sent.
func WithStrict() BatchOption {
	return batchOption(func(s *batchSettings) error { s.strict = true; return nil })
}

// WithBisection finds the records for which Bento refuses a batch (400, 413, 422), or a transport
// stops it ([WithHTTPClient]): it sends the halves of the batch one by one, and theirs, until the
// refused ones stand alone. That costs requests, at most [MaxBisections] a batch; what is left over
// then counts as failed together.
func WithBisection() BatchOption {
	return batchOption(func(s *batchSettings) error { s.bisect = true; return nil })
}

// WithProgress calls report after every batch with the counts so far, without the problems, in
// the order of the records and from the calling goroutine.
func WithProgress(report func(Result)) BatchOption {
	return batchOption(func(s *batchSettings) error { s.progress = report; return nil })
}
