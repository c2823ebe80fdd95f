package natsstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"example.com/bento-go/outbox"
)

// Headers of JetStream (ADR-50 has those of a batch).
const (
	headerExpected = "Nats-Expected-Last-Subject-Sequence"
	headerTTL      = "Nats-TTL"
	headerBatch    = "Nats-Batch-Id"
	headerNumber   = "Nats-Batch-Sequence"
	headerCommit   = "Nats-Batch-Commit"
)

// Error codes of JetStream that its package does not name.
const (
	codeAccountResources = 10002
	codeInsufficient     = 10023
	codeNoSequence       = 10043
	codeStorage          = 10047
	codeNoPeers          = 10005
	codeNotRemoved       = 10057
	codeIncompleteBatch  = 10176
	codeStoreFailed      = 10077
	codeTooLargeBatch    = 10199
	codeTooManyBatches   = 10210
)

// requestFor bounds one request, within what the caller's context leaves. changeFor bounds a transaction
// that is looked for if its answer does not come.
const requestFor, changeFor = 10 * time.Second, 3 * time.Second

// errConflict says that a subject does not end with what it was expected to, or that a transaction came
// in the way of others: nothing is kept, and it may be tried again.
var errConflict = errors.New("natsstore: changed by another meanwhile")

// An answer is JetStream's.
type answer struct {
	Error    *jetstream.APIError `json:"error"`
	Sequence int64               `json:"seq"`
	Success  bool                `json:"success"`
	Purged   int                 `json:"purged"`
	Created  time.Time           `json:"created"`
	Time     time.Time           `json:"ts"`
	Message  *struct {
		Subject  string `json:"subject"`
		Sequence int64  `json:"seq"`
		Data     []byte `json:"data"`
	} `json:"message"`
	State *struct {
		Last     int64          `json:"last_seq"`
		Bytes    int64          `json:"bytes"`
		Subjects map[string]int `json:"subjects"`
	} `json:"state"`
	Config *struct {
		MaxBytes int64 `json:"max_bytes"`
	} `json:"config"`
}

// err is what JetStream says is wrong, by the names it has here.
func (a *answer) err() error {
	if a.Error == nil {
		return nil
	}
	switch a.Error.ErrorCode {
	case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant,
		codeTooManyBatches, codeIncompleteBatch: // of which nothing is kept
		return fmt.Errorf("%w: %w", errConflict, a.Error)
	case codeAccountResources, codeInsufficient, codeStorage:
		return fmt.Errorf("%w: %w", outbox.ErrFull, a.Error)
	case codeStoreFailed:
		if strings.Contains(a.Error.Description, "maximum bytes") {
			return fmt.Errorf("%w: %w", outbox.ErrFull, a.Error)
		}
	}
	return a.Error
}

// missing reports whether JetStream says that there is no such message.
func (a *answer) missing() bool {
	return a.Error != nil && a.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound
}

// absent reports whether JetStream says that what was to be removed is not there.
func (a *answer) absent() bool {
	return a.Error != nil && (a.Error.ErrorCode == codeNoSequence || a.Error.ErrorCode == codeNotRemoved && strings.Contains(a.Error.Description, "no message found"))
}

// ask sends a message once, and waits for the answer.
func (s *Store) ask(ctx context.Context, msg *nats.Msg) (*answer, error) {
	bounded, cancel := s.link.bound(ctx)
	defer cancel()
	got, err := s.conn.RequestMsgWithContext(bounded, msg)
	if err != nil {
		return nil, s.why(bounded, err)
	}
	a := &answer{}
	if err := json.Unmarshal(got.Data, a); err != nil {
		return nil, fmt.Errorf("natsstore: an answer that is not JetStream's: %w", err)
	}
	return a, nil
}

// why explains a request that had no answer: what the server does not permit, it tells apart from it.
func (s *Store) why(ctx context.Context, err error) error {
	switch {
	case s.closed.Load():
		return outbox.ErrClosed
	case errors.Is(context.Cause(ctx), errDisconnected) || errors.Is(err, nats.ErrReconnectBufExceeded):
		return fmt.Errorf("natsstore: %w", errDisconnected)
	}
	if told := s.refusal.Load(); told != nil && ctx.Err() != nil && time.Since(told.at) < 2*requestFor {
		return fmt.Errorf("natsstore: %w: %w", told.err, err)
	}
	return fmt.Errorf("natsstore: %w", err)
}

// call calls JetStream's API for something that may be asked twice.
func (s *Store) call(ctx context.Context, what string, request any) (*answer, error) {
	a := &answer{}
	err := s.askAll(ctx, "$JS.API."+what, []any{request}, func(_ int, msg *nats.Msg) error {
		if err := json.Unmarshal(msg.Data, a); err != nil {
			return fmt.Errorf("natsstore: an answer that is not JetStream's: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// publish stores messages, all or none, and returns the sequence of the last; the others have those
// before it.
func (s *Store) publish(ctx context.Context, all []*nats.Msg) (last int64, err error) {
	if len(all) > 1 {
		batch := nuid.Next()
		for i, msg := range all {
			if msg.Header == nil {
				msg.Header = nats.Header{}
			}
			msg.Header.Set(headerBatch, batch)
			msg.Header.Set(headerNumber, strconv.Itoa(i+1))
		}
		all[len(all)-1].Header.Set(headerCommit, "1")
	}
	for _, msg := range all[:len(all)-1] {
		if err := s.conn.PublishMsg(msg); err != nil {
			return 0, s.why(ctx, err)
		}
	}
	a, err := s.ask(ctx, all[len(all)-1])
	if err != nil {
		return 0, err
	}
	return a.Sequence, a.err()
}

// next is the first message at or after a sequence, as the leader of the stream has it; nil if there
// is none.
func (s *Store) next(ctx context.Context, stream, subject string, from int64) (*stored, error) {
	return s.get(ctx, stream, map[string]any{"seq": from, "next_by_subj": subject})
}

// get gets one message from the leader of the stream; nil if there is none.
func (s *Store) get(ctx context.Context, stream string, request any) (*stored, error) {
	a, err := s.call(ctx, "STREAM.MSG.GET."+stream, request)
	switch {
	case err != nil:
		return nil, err
	case a.missing():
		return nil, nil //nolint:nilnil // none is no error
	case a.err() != nil:
		return nil, fmt.Errorf("natsstore: read the stream %s: %w", stream, a.err())
	case a.Message == nil:
		return nil, fmt.Errorf("natsstore: read the stream %s: an answer without a message", stream)
	}
	return &stored{seq: a.Message.Sequence, subject: a.Message.Subject, data: a.Message.Data}, nil
}

// purge removes the messages of a subject up to a sequence, itself included, and tells how many it were.
func (s *Store) purge(ctx context.Context, subject string, through int64) (int, error) {
	a, err := s.call(ctx, "STREAM.PURGE."+s.streams.entries, map[string]any{"filter": subject, "seq": through + 1})
	if err != nil {
		return 0, err
	}
	return a.Purged, a.err()
}
