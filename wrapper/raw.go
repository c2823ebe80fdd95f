package bento

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"example.com/bento-go/gen"
)

// SendRaw sends records that are JSON already, by the batch operation trackEvents,
// importSubscribers, sendEmails or runCommands (gen.OpTrackEvents and so on): what was read from a
// file or kept in a queue need not be taken apart and put together again. It is as the method
// of that operation in all but this: of a record it sees only that it is one JSON object. Whether it
// is what the contract describes is for the caller to know, and whether a repeat of it changes
// nothing ([WithHarmlessRepeat]).
func (c *Client) SendRaw(ctx context.Context, operation string, records []json.RawMessage, opts ...BatchOption) (*Result, error) {
	send, known := rawSenders[operation]
	if !known {
		err := fmt.Errorf("SendRaw: %q is no operation that takes records: want trackEvents, importSubscribers, sendEmails or runCommands", operation)
		return &Result{Read: len(records), NotSent: len(records)}, invalid(operation, err)
	}
	b := batcher[json.RawMessage]{
		client: c, operation: operation, check: checkObject, send: send,
		encode: func(_ []byte, record json.RawMessage) ([]byte, error) { return record, nil },
	}
	return b.all(ctx, records, opts)
}

var rawSenders = map[string]batchSender{
	gen.OpTrackEvents:       (*gen.Client).TrackEventsWithBody,
	gen.OpImportSubscribers: (*gen.Client).ImportSubscribersWithBody,
	gen.OpSendEmails:        (*gen.Client).SendEmailsWithBody,
	gen.OpRunCommands:       (*gen.Client).RunCommandsWithBody,
}

var errNoObject = errors.New("the record is not one JSON object: it would spoil its neighbours")

// checkObject makes sure that a record ends where it ends, and opens nothing that it does not close.
func checkObject(record json.RawMessage) error {
	if isFlat(record) || bytes.HasPrefix(bytes.TrimLeft(record, blank), []byte{'{'}) && json.Valid(record) {
		return nil
	}
	return errNoObject
}

// isFlat reports whether a record surely is one object: with nothing nested in it, nothing escaped, and no
// blanks around what it holds. Most are, and this tells it faster than reading them.
func isFlat(record []byte) bool {
	if len(record) < 2 || record[0] != '{' || record[len(record)-1] != '}' {
		return false
	}
	rest, more := record[1:len(record)-1], len(record) > 2
	for more {
		var ok bool
		if rest, ok = afterText(rest); !ok || len(rest) == 0 || rest[0] != ':' {
			return false
		}
		if rest, ok = afterFlat(rest[1:]); !ok {
			return false
		}
		if more = len(rest) > 0; more {
			if rest[0] != ',' {
				return false
			}
			rest = rest[1:]
		}
	}
	return true
}

// afterText is what follows a string without escapes.
func afterText(rest []byte) ([]byte, bool) {
	if len(rest) == 0 || rest[0] != '"' {
		return nil, false
	}
	end := bytes.IndexByte(rest[1:], '"')
	if end < 0 {
		return nil, false
	}
	for _, b := range rest[1 : end+1] {
		if b == '\\' || b < ' ' {
			return nil, false
		}
	}
	return rest[end+2:], true
}

// afterFlat is what follows a string, a number, or a word.
func afterFlat(rest []byte) ([]byte, bool) {
	if len(rest) > 0 && rest[0] == '"' {
		return afterText(rest)
	}
	end := bytes.IndexByte(rest, ',')
	if end < 0 {
		end = len(rest)
	}
	return rest[end:], json.Valid(rest[:end])
}

// A Record is one that a batch operation takes.
type Record interface {
	Event | SubscriberRecord | Email | Command
}

// EncodeRecord checks a record as the method of its operation does, and writes it as
// [Client.SendRaw] takes it.
func EncodeRecord[T Record](record T) (json.RawMessage, error) {
	var err error
	switch r := any(record).(type) {
	case Event:
		err = checkEvent(r)
	case SubscriberRecord:
		err = checkSubscriber(r)
	case Email:
		err = checkEmail(r)
	case Command:
		err = checkAddress("email", r.Email)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	encoded, err := newEncoder[T]().append(nil, record)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return encoded, nil
}

// CheckRecord checks a record that is JSON already as [EncodeRecord] checks one of a type, and says
// whether Bento drops a repeat of it, which is what [WithHarmlessRepeat] is about. The operation is
// one that [Client.SendRaw] takes; the error is [ErrInvalid].
func CheckRecord(operation string, record json.RawMessage) (harmless bool, err error) {
	if err := checkObject(record); err != nil {
		return false, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	switch operation {
	case gen.OpTrackEvents:
		event, err := decoded[Event](record)
		return event.Details.Repeatable(), err
	case gen.OpImportSubscribers:
		_, err := decoded[SubscriberRecord](record)
		return true, err
	case gen.OpRunCommands:
		command, err := decoded[Command](record)
		return command.Command.Repeatable(), err
	case gen.OpSendEmails:
		_, err := decoded[Email](record)
		return false, err
	}
	return false, fmt.Errorf("%w: %q is no operation that takes records", ErrInvalid, operation)
}

func decoded[T Record](raw json.RawMessage) (record T, err error) {
	if err := json.Unmarshal(raw, &record); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return record, fmt.Errorf("%w: %s is a %s where the contract has another type", ErrInvalid, wrong.Field, wrong.Value)
		}
		return record, fmt.Errorf("%w: it cannot be read as the contract describes it", ErrInvalid) // the error may quote the record
	}
	_, err = EncodeRecord(record)
	return record, err
}
