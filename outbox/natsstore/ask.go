package natsstore

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"example.com/bento-go/outbox"
)

// askAgain is after how long without any answer a question is put again: a server that was killed never
// answers, and one that has lost the lead of a stream does not either. Its followers lead after 4 to 9
// seconds.
const askAgain = time.Second

// errSilence says that nothing came for askAgain.
var errSilence = errors.New("nothing comes")

// askAll puts questions all at once, again those that are not answered, and hands over the first answer
// to each. It is for what may be asked twice.
func (s *Store) askAll(ctx context.Context, api string, questions []any, take func(i int, answer *nats.Msg) error) error {
	ctx, cancel := s.link.bound(ctx)
	defer cancel()
	h, err := s.hear(2 * len(questions))
	if err != nil {
		return s.why(ctx, err)
	}
	defer h.end()
	answered, left := make([]bool, len(questions)), len(questions)
	for left > 0 {
		for i, question := range questions {
			if !answered[i] {
				if err := h.put(api, i, question); err != nil {
					return s.why(ctx, err)
				}
			}
		}
		for left > 0 {
			msg, err := h.next(ctx)
			if errors.Is(err, errSilence) {
				break
			}
			if err != nil {
				return err
			}
			i, err := strconv.Atoi(msg.Subject[strings.LastIndexByte(msg.Subject, '.')+1:])
			if err != nil || i < 0 || i >= len(questions) || answered[i] {
				continue // to a question that was put twice
			}
			if err := take(i, msg); err != nil {
				return err
			}
			answered[i], left = true, left-1
		}
	}
	return nil
}

// askFor puts one question that is answered by several messages, and hands them over until one of them
// ends it, or no more come: what has come until then is good. A question to which nothing comes is put
// again.
func (s *Store) askFor(ctx context.Context, api string, question any, most int, take func(*nats.Msg) (ended bool, err error)) error {
	ctx, cancel := s.link.bound(ctx)
	defer cancel()
	for {
		some, err := s.askForOnce(ctx, api, question, most, take)
		if some || !errors.Is(err, errSilence) {
			if errors.Is(err, errSilence) {
				err = nil
			}
			return err
		}
	}
}

func (s *Store) askForOnce(ctx context.Context, api string, question any, most int, take func(*nats.Msg) (bool, error)) (some bool, err error) {
	h, err := s.hear(most)
	if err != nil {
		return false, s.why(ctx, err)
	}
	defer h.end()
	if err := h.put(api, 0, question); err != nil {
		return false, s.why(ctx, err)
	}
	for {
		msg, err := h.next(ctx)
		if err != nil {
			return some, err
		}
		if ended, err := take(msg); err != nil || ended {
			return some, err
		}
		some = true
	}
}

// A hearing is where answers come.
type hearing struct {
	*Store
	inbox        string
	came         chan *nats.Msg
	sub          *nats.Subscription
	noResponders bool // is what came last
}

func (s *Store) hear(most int) (*hearing, error) {
	h := &hearing{Store: s, inbox: s.conn.NewInbox(), came: make(chan *nats.Msg, most)}
	var err error
	h.sub, err = s.conn.ChanSubscribe(h.inbox+".*", h.came)
	return h, err
}

func (h *hearing) end() { _ = h.sub.Unsubscribe() }

func (h *hearing) put(api string, i int, question any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	return h.conn.PublishRequest(api, h.inbox+"."+strconv.Itoa(i), body)
}

// next is the next answer to come, or errSilence. That nobody is there to answer is silence, too: servers
// hear of a stream that is new, or of its new leader, one after the other.
func (h *hearing) next(ctx context.Context) (*nats.Msg, error) {
	silence := time.NewTimer(askAgain)
	defer silence.Stop()
	for {
		select {
		case msg := <-h.came:
			if h.noResponders = msg.Header.Get("Status") == statusNobody; h.noResponders {
				continue
			}
			return msg, nil
		case <-silence.C:
			return nil, errSilence
		case <-h.ended:
			return nil, outbox.ErrClosed
		case <-ctx.Done():
			if h.noResponders {
				return nil, h.why(ctx, nats.ErrNoResponders)
			}
			return nil, h.why(ctx, ctx.Err())
		}
	}
}
