package bento

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"example.com/bento-go/gen"
)

const (
	// defaultMaxAnswer bounds the body of an answer, as it is after decompression. The largest real
	// one, a list of tags, is well below a megabyte.
	defaultMaxAnswer = 10 << 20
	// maxErrorBody is how much of an error's body is kept.
	maxErrorBody = 64 << 10
)

// callState is what the layers of one call tell each other. It travels in the context.
type callState struct {
	callSettings
	attempts  int
	answered  bool  // an attempt was answered, whatever it said
	doubtful  bool  // an attempt may have taken effect: no answer to it came, or only a 5xx
	records   int   // of a batch
	limit     int64 // bytes of an answer; 0: nobody said
	operation gen.Operation
}

type callStateKey struct{}

func withCallState(ctx context.Context, s *callState) context.Context {
	return context.WithValue(ctx, callStateKey{}, s)
}

// callStateOf never returns nil: a transport used below a bare generated client has no call.
func callStateOf(ctx context.Context) *callState {
	if s, ok := ctx.Value(callStateKey{}).(*callState); ok {
		return s
	}
	return &callState{}
}

// operationOf returns the operation that a request is for.
func operationOf(req *http.Request) (gen.Operation, bool) {
	if s := callStateOf(req.Context()); s.operation.ID != "" {
		return s.operation, true
	}
	return gen.MatchOperation(req.Method, req.URL.Path)
}

// harmless reports whether a repeat changes nothing, so that it does not matter whether the
// request happened.
func (s *callState) harmless() bool { return s.repeatable || s.operation.Retry == gen.RetrySafe }

// call performs the operation as its options have it.
func call[T any](ctx context.Context, c *Client, operation string, opts []CallOption, send sender) (T, error) {
	s, err := settingsOf(operation, opts)
	if err != nil {
		var none T
		return none, err
	}
	return perform[T](ctx, c, operation, &callState{callSettings: s}, send)
}

// perform performs the operation through send, a method of the generated client, and decodes the
// answer. It is the one place where a status and a body become a T or an *Error.
func perform[T any](ctx context.Context, c *Client, operation string, state *callState, send sender) (T, error) {
	var answer T
	if c == nil || c.api == nil || ctx == nil {
		return answer, invalid(operation, errNoClient)
	}
	state.operation, _ = gen.OperationByID(operation)
	state.limit = c.limit
	resp, err := send(withCallState(ctx, state))
	f := failure{c: c, operation: operation, state: state, resp: resp}
	if err != nil {
		return answer, f.unanswered(err)
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusOK, http.StatusCreated, http.StatusAccepted:
	default:
		return answer, f.refused()
	}
	body, err := content(resp, c.limit)
	state.keep(resp, body)
	if err != nil {
		return answer, f.truncated(err)
	}
	if int64(len(body)) > c.limit {
		return answer, f.unreadable(body, fmt.Errorf("the answer is larger than %d bytes", c.limit))
	}
	reason := decode(resp.Header.Get("Content-Type"), body, &answer)
	if reason == nil && !changes(operation) && isStrange(body, &answer) {
		reason = errors.New("the answer has members, and none that the contract names")
	}
	if reason != nil {
		return answer, f.unreadable(body, reason)
	}
	return answer, nil
}

var errNoClient = errors.New("there is no client or no context: make the one with New, and pass the other")

// keep hands out the raw answer, if somebody asked for it.
func (s *callState) keep(resp *http.Response, body []byte) {
	if s.response != nil {
		*s.response = Response{resp.StatusCode, resp.Header, body}
	}
}

// decode reads an answer that claims success. Its errors say nothing of the values.
func decode(contentType string, body []byte, into any) error {
	media, _, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil || media != "application/json" && !strings.HasSuffix(media, "+json"):
		return errors.New("the answer is not declared as JSON")
	case len(body) == 0:
		return errors.New("the answer is empty")
	}
	if string(bytes.TrimSpace(body)) == "[]" { // as PHP writes an empty object; no answer is a list
		body = []byte("{}")
	}
	if err := json.Unmarshal(body, into); err != nil {
		var wrongType *json.UnmarshalTypeError
		if errors.As(err, &wrongType) {
			return fmt.Errorf("%s is a JSON %s, not what the contract says", wrongType.Field, wrongType.Value)
		}
		if missing := gen.MissingError(""); errors.As(err, &missing) {
			return missing
		}
		return errors.New("the answer is not the JSON that the contract describes")
	}
	return checkText(body)
}

// isStrange reports whether what was read has members, and none that its type knows: an error that calls itself
// a success is no empty list. A type that decodes itself has seen to that.
func isStrange(body []byte, into any) bool {
	value := reflect.ValueOf(into).Elem()
	if _, itself := into.(json.Unmarshaler); itself || value.Kind() != reflect.Struct || !value.IsZero() {
		return false
	}
	var members map[string]json.RawMessage
	_ = json.Unmarshal(body, &members) // it is an object, or nothing
	for field := range value.Type().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if _, given := members[name]; given {
			return false
		}
	}
	return len(members) > 0
}

// pathOf is the path of the operation in the contract, for error texts: never the URL, whose
// query holds the site and perhaps an address.
func pathOf(operation string) (method, path string) {
	op, _ := gen.OperationByID(operation)
	return op.Method, op.Path
}

// withoutURL strips what net/http, and perhaps a transport of the user's, wraps around an error:
// the whole URL, query and all.
func withoutURL(err error) error {
	for wrapped := (*url.Error)(nil); errors.As(err, &wrapped) && wrapped.Err != nil; {
		err = wrapped.Err
	}
	return err
}
