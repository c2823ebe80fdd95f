package outbox

import (
	"cmp"
	"log/slog"
	"time"
)

type settings struct {
	name      string
	logger    *slog.Logger
	linger    time.Duration
	poll      time.Duration
	retention time.Duration
	leaseFor  time.Duration
}

// An Option adjusts a Sender at [New].
type Option func(*settings)

// WithLogger logs what is parked, failed and paused, and each minute what waits: ids, counts and
// reasons, never records. By default, or if l is nil, nothing is logged.
func WithLogger(l *slog.Logger) Option {
	return func(s *settings) { s.logger = cmp.Or(l, slog.New(slog.DiscardHandler)) }
}

// WithName names the sender in leases and histories; the default is the host's name and the
// process's number.
func WithName(name string) Option { return func(s *settings) { s.name = name } }

// WithLinger makes a batch that is not full wait so long for more; the default is 100 ms. Zero, and less,
// sends at once what there is. Emails never wait: each is a batch.
func WithLinger(d time.Duration) Option { return func(s *settings) { s.linger = max(d, 0) } }

// WithLease sets how long a lane stays a sender's that does not renew its lease, as it does after a third of
// it; the default is 10 s. It is how long nothing is sent after a sender was killed, and how long a sender may
// stall. Less than 30 ms is 30 ms.
func WithLease(d time.Duration) Option {
	return func(s *settings) { s.leaseFor = max(d, minLease) }
}

// minLease is below what any store could renew in time.
const minLease = 30 * time.Millisecond

// WithRetention keeps what is settled, and its keys, for so long and up to an hour longer; the default is 7
// days. Zero, and less, keeps it until somebody looks, each hour. What is parked is kept until a person decides.
func WithRetention(d time.Duration) Option { return func(s *settings) { s.retention = max(d, 0) } }
