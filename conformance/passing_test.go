package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

const tenMiB = 10 << 20

// A closer is a body that knows whether it was closed.
type closer struct {
	io.Reader
	err    error
	closed bool
}

func (c *closer) Close() error { c.closed = true; return c.err }

// verdictsOf sends one request through a transport that judges, and returns what it reported.
func verdictsOf(t *testing.T, next http.RoundTripper, req *http.Request, enforce bool) (*http.Response, []conformance.Verdict, error) {
	t.Helper()
	var verdicts []conformance.Verdict
	live := conformance.Live{Enforce: enforce, Report: func(v conformance.Verdict) { verdicts = append(verdicts, v) }}
	resp, err := conformance.NewTransport(next, newChecker(t), live).RoundTrip(req)
	if err == nil && resp.Body != nil {
		var body bytes.Buffer
		_, _ = body.ReadFrom(resp.Body)
		require.NoError(t, resp.Body.Close())
		resp.Body = io.NopCloser(&body)
	}
	return resp, verdicts, err
}

// What is stopped is reported as what passes is.
func TestWhatIsStoppedIsReported(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		sent, answer string
		stopped      bool
		findings     int
	}{
		"a request that breaks the contract": {`{"events":[{"type":"x"}]}`, `{}`, true, 1},
		"an answer that does":                {oneEvent, `{"results":"one"}`, true, 1},
		"neither":                            {oneEvent, `{"results":1}`, false, 0},
	} {
		_, verdicts, err := verdictsOf(t, answering(tc.answer), track(t, tc.sent), true)
		assert.Equal(t, tc.stopped, err != nil, name)
		require.Len(t, verdicts, 1, name)
		assert.Equal(t, "trackEvents", verdicts[0].Operation)
		assert.Len(t, verdicts[0].Findings, tc.findings, name)
	}
}

// A transport that answers without a body is judged too, and none is made up unless it has to be.
func TestAnAnswerWithoutABodyIsJudged(t *testing.T) {
	t.Parallel()
	bodiless := transport(func(req *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, req.Body)
		return &http.Response{StatusCode: 503, Header: http.Header{}}, nil
	})
	for _, enforce := range []bool{false, true} {
		resp, verdicts, err := verdictsOf(t, bodiless, track(t, oneEvent), enforce)
		require.NoError(t, err)
		assert.Equal(t, enforce, resp.Body != nil)
		assert.Len(t, verdicts, 1)
	}
}

// A request that is enforced goes out as it was, and may be sent again.
func TestARequestThatIsEnforcedGoesOutAsItWas(t *testing.T) {
	t.Parallel()
	again := transport(func(req *http.Request) (*http.Response, error) {
		first, _ := io.ReadAll(req.Body)
		assert.JSONEq(t, oneEvent, string(first))
		body, err := req.GetBody()
		require.NoError(t, err)
		second, _ := io.ReadAll(body)
		assert.Equal(t, first, second)
		return answering(`{"results":1}`)(req)
	})
	asked := &closer{Reader: strings.NewReader(oneEvent)}
	req := track(t, "")
	req.Body, req.GetBody, req.ContentLength = asked, nil, int64(len(oneEvent))
	_, verdicts, err := verdictsOf(t, again, req, true)
	require.NoError(t, err)
	assert.True(t, asked.closed)
	assert.Empty(t, verdicts[0].Findings)
	assert.False(t, verdicts[0].Unverifiable)

	get, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://app.bentonow.com/api/v1/fetch/tags?site_uuid=x", http.NoBody)
	require.NoError(t, err)
	get.SetBasicAuth("pk", "sk")
	get.Header.Set("User-Agent", "AcmeCRM/1.0")
	_, _, err = verdictsOf(t, transport(func(req *http.Request) (*http.Response, error) {
		assert.Equal(t, http.NoBody, req.Body)
		return answering(`{"data":[]}`)(req)
	}), get, true)
	require.NoError(t, err)
}

// Up to 10 MiB a request is judged before it is sent; a larger one is not sent, and one that
// cannot be read is neither.
func TestALargerRequestThanCanBeJudgedIsNotSent(t *testing.T) {
	t.Parallel()
	pad := func(n int) io.Reader { return strings.NewReader(oneEvent + strings.Repeat(" ", n-len(oneEvent))) }
	for name, tc := range map[string]struct {
		body io.Reader
		want string
	}{
		"as large as may be": {pad(tenMiB), ""}, "a byte larger": {pad(tenMiB + 1), "larger than 10 MiB"}, "unreadable": {iotest.ErrReader(errors.New("no disk")), "no disk"},
	} {
		sent := 0
		asked := &closer{Reader: tc.body}
		req := track(t, "")
		req.Body, req.GetBody, req.ContentLength = asked, nil, -1
		_, verdicts, err := verdictsOf(t, transport(func(req *http.Request) (*http.Response, error) { sent++; return answering(`{"results":1}`)(req) }), req, true)
		assert.True(t, asked.closed, name)
		if tc.want != "" {
			require.ErrorContains(t, err, tc.want, name)
			assert.Zero(t, sent, name)
			var stopped interface{ Unsent() bool }
			var blamed interface{ BlamesBody() bool }
			assert.Equal(t, strings.HasPrefix(tc.want, "larger"), errors.As(err, &stopped) && stopped.Unsent(), name)
			assert.Equal(t, strings.HasPrefix(tc.want, "larger"), errors.As(err, &blamed) && blamed.BlamesBody(), name)
			continue
		}
		require.NoError(t, err, name)
		assert.Equal(t, 1, sent)
		assert.False(t, verdicts[0].Unverifiable, name)
	}
}

// Up to 10 MiB an answer is judged before it is handed out; a larger one passes unjudged, and one
// that breaks off is an error.
func TestALargerAnswerThanCanBeJudgedPasses(t *testing.T) {
	t.Parallel()
	pad := func(n int) io.Reader { return strings.NewReader(`{"results":""}` + strings.Repeat(" ", n-14)) }
	for name, tc := range map[string]struct {
		body io.Reader
		want string
		size int
	}{
		"as large as may be": {pad(tenMiB), "breaks the contract", 0}, "a byte larger": {pad(tenMiB + 1), "", tenMiB + 1}, "broken off": {iotest.ErrReader(errReset), "connection reset", 0},
	} {
		told := &closer{Reader: tc.body}
		resp, verdicts, err := verdictsOf(t, transport(func(req *http.Request) (*http.Response, error) {
			_, _ = io.Copy(io.Discard, req.Body)
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: told}, nil
		}), track(t, oneEvent), true)
		assert.True(t, told.closed, name)
		if tc.want != "" {
			require.ErrorContains(t, err, tc.want, name)
			continue
		}
		require.NoError(t, err, name)
		body, _ := io.ReadAll(resp.Body)
		assert.Len(t, body, tc.size, name)
		assert.Empty(t, verdicts)
	}
}

var errReset = errors.New("connection reset")

// A compressed answer is judged as far as it can be.
func TestACompressedAnswerIsJudgedInPart(t *testing.T) {
	t.Parallel()
	packed := transport(func(req *http.Request) (*http.Response, error) {
		resp, err := answering("\x1f\x8b packed")(req)
		resp.Header.Set("Content-Encoding", "gzip")
		return resp, err
	})
	_, verdicts, err := verdictsOf(t, packed, track(t, oneEvent), false)
	require.NoError(t, err)
	assert.Empty(t, verdicts[0].Findings)
	assert.True(t, verdicts[0].Unverifiable)
}

// Up to 10 MiB an answer is judged as it streams through; of a larger one nothing is known, and
// of one that was left half read its length, if somebody said it.
func TestALongAnswerIsJudgedAsFarAsItWasKept(t *testing.T) {
	t.Parallel()
	long := `{"results":1}` + strings.Repeat(" ", tenMiB)
	for n, unknown := range map[int]bool{tenMiB: false, tenMiB + 1: true} {
		_, verdicts, err := verdictsOf(t, answering(long[:n]), track(t, oneEvent), false)
		require.NoError(t, err)
		assert.Empty(t, verdicts[0].Findings)
		assert.Equal(t, unknown, verdicts[0].Unverifiable, n)
	}
	for length, size := range map[int64]string{0: `"bodySize":-1`, 1: `"bodySize":1`} {
		var har bytes.Buffer
		recorder := conformance.NewRecorder(transport(func(req *http.Request) (*http.Response, error) {
			resp, err := answering("xyz")(req)
			resp.ContentLength = length
			return resp, err
		}), &har)
		resp, err := recorder.RoundTrip(request(t, "POST", "https://app.bentonow.com/api/v1/batch/events", oneEvent))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.NoError(t, recorder.Close())
		assert.Contains(t, har.String(), size)
	}
}

// A body passed whole if it was read to its length, whatever it is, and if there was none.
func TestABodyThatWasReadToItsLengthPassedWhole(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body   io.ReadCloser
		length int64
		want   string
	}{
		"no JSON": {io.NopCloser(strings.NewReader("abc")), 3, "abc"}, "none": {http.NoBody, -1, ""},
	} {
		var har bytes.Buffer
		recorder := conformance.NewRecorder(transport(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: tc.body, ContentLength: tc.length}, nil
		}), &har)
		resp, err := recorder.RoundTrip(request(t, "GET", "https://app.bentonow.com/api/v1/fetch/tags", ""))
		require.NoError(t, err)
		_, _ = io.ReadFull(resp.Body, make([]byte, len(tc.want)))
		require.NoError(t, resp.Body.Close())
		require.NoError(t, recorder.Close())
		exchanges, _ := readAll(har.String())
		assert.Equal(t, conformance.BodyKnown, exchanges[0].Response.BodyState, name)
		assert.Equal(t, tc.want, string(exchanges[0].Response.Body), name)
	}
}

// A transport may go on sending when its answer has been judged.
func TestWhatIsSentAfterTheAnswerHindersNobody(t *testing.T) {
	t.Parallel()
	var early *http.Request
	_, verdicts, err := verdictsOf(t, transport(func(req *http.Request) (*http.Response, error) {
		early = req
		return answering(`{"results":1}`)(&http.Request{})
	}), track(t, oneEvent), false)
	require.NoError(t, err)
	assert.True(t, verdicts[0].Unverifiable)
	rest, err := io.ReadAll(early.Body)
	require.NoError(t, err)
	assert.JSONEq(t, oneEvent, string(rest))
}

// A request that was sent once more, and then in part, is none that somebody sent so.
func TestARequestThatIsSentAgainInPartIsLeftOut(t *testing.T) {
	t.Parallel()
	_, verdicts, err := verdictsOf(t, transport(func(req *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, req.Body)
		again, err := req.GetBody()
		require.NoError(t, err)
		_, _ = io.CopyN(io.Discard, again, 5)
		req.Body = nil
		return answering(`{"results":1}`)(req)
	}), track(t, oneEvent), false)
	require.NoError(t, err)
	assert.True(t, verdicts[0].Unverifiable)
}

// What the body says to being closed is handed on.
func TestWhatABodySaysToBeingClosedIsHandedOn(t *testing.T) {
	t.Parallel()
	resp, err := conformance.NewTransport(transport(func(req *http.Request) (*http.Response, error) {
		resp, err := answering(`{"results":1}`)(req)
		resp.Body = &closer{Reader: resp.Body, err: errReset}
		return resp, err
	}), newChecker(t), conformance.Live{}).RoundTrip(track(t, oneEvent))
	require.NoError(t, err)
	require.ErrorIs(t, resp.Body.Close(), errReset)
}

// Who names no transport gets net/http's.
func TestWhatIsJudgedIsSentThroughTheDefault(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/v1/fetch/tags", nil)
	require.NoError(t, err)
	req.Close = true
	resp, err := conformance.NewTransport(nil, newChecker(t), conformance.Live{}).RoundTrip(req)
	require.NoError(t, err)
	_ = resp.Body.Close()
	assert.Equal(t, 404, resp.StatusCode)
}

// An entry is written once, and none after the end.
func TestNothingIsRecordedAfterTheEnd(t *testing.T) {
	t.Parallel()
	var har bytes.Buffer
	recorder := conformance.NewRecorder(answering(`{"results":1}`), &har)
	resp, err := recorder.RoundTrip(request(t, "POST", "https://app.bentonow.com/api/v1/batch/events", oneEvent))
	require.NoError(t, err)
	require.NoError(t, recorder.Close())
	before := har.String()
	_, _ = io.Copy(io.Discard, resp.Body)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, before, har.String())
}

type slow struct{ error }

func (slow) Timeout() bool   { return true }
func (slow) Temporary() bool { return false }

// Every error has its kind, whoever wraps it.
func TestEveryKindOfErrorHasItsName(t *testing.T) {
	t.Parallel()
	var _ net.Error = slow{}
	for want, errs := range map[string][]error{
		"timeout":           {slow{errReset}, os.ErrDeadlineExceeded, context.DeadlineExceeded},
		"connection reset":  {syscall.ECONNRESET, syscall.EPIPE},
		"connection closed": {io.EOF, io.ErrUnexpectedEOF},
		"other":             {errReset},
	} {
		for _, err := range errs {
			var har bytes.Buffer
			recorder := conformance.NewRecorder(transport(func(*http.Request) (*http.Response, error) { return nil, fmt.Errorf("x: %w", err) }), &har)
			_, _ = recorder.RoundTrip(request(t, "GET", "https://app.bentonow.com/api/v1/fetch/tags", ""))
			require.NoError(t, recorder.Close())
			assert.Contains(t, har.String(), `"_error":"`+want+`"`, err)
		}
	}
}

// failing takes n bytes and no more.
type failing struct{ left int }

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errReset
	}
	return len(p), nil
}

// A report that cannot be written says so, wherever it breaks off.
func TestAReportThatCannotBeWrittenSaysSo(t *testing.T) {
	t.Parallel()
	report := broken(t)
	for name, write := range map[string]func(io.Writer) error{
		"github": report.WriteGitHub, "csv": report.WriteCSV, "junit": report.WriteJUnit, "sarif": report.WriteSARIF, "html": report.WriteHTML, "json": report.WriteJSON, "grouped json": report.WriteGroupedJSON,
		"text": func(w io.Writer) error { return report.WriteText(w, conformance.TextOptions{}) },
	} {
		var whole bytes.Buffer
		require.NoError(t, write(&whole), name)
		for _, room := range []int{0, 100, whole.Len() - 1} {
			require.ErrorIs(t, write(&failing{room}), errReset, name)
		}
	}
}

// No cell of a table begins as a formula does, of whichever kind.
func TestNoCellBeginsAsAFormulaDoes(t *testing.T) {
	t.Parallel()
	report := conformance.NewReport(newChecker(t))
	for _, file := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\tx", "", "plain=1"} {
		x := good("POST", "/batch/events", `{"events":[{"type":"x"}]}`, `{"results":1}`)
		x.Source.File = file
		report.Add(x)
	}
	var out strings.Builder
	require.NoError(t, report.WriteCSV(&out))
	for _, cell := range []string{",'=1+1,", ",'+1,", ",'-1,", ",'@SUM(A1),", ",'\tx,", ",plain=1,"} {
		assert.Contains(t, out.String(), cell)
	}
}

// Headers that the contract does not know are drift, by their families; those that servers and
// edges send of their own accord are not.
func TestHeadersThatTheContractDoesNotKnowAreDrift(t *testing.T) {
	t.Parallel()
	x := good("POST", "/batch/events", oneEvent, `{"results":1}`)
	for _, name := range []string{"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Rate-Limit-Reset", "X-Rate-Limit-Reset-After", "X-New", "date", "Cf-Ray", "X-Content-Type-Options", "Agent", "odd name!"} {
		x.Response.Header[name] = []string{canary}
	}
	var messages []string
	for _, f := range newChecker(t).Check(x).Findings {
		assert.Equal(t, conformance.RuleResponseHeader, f.Rule)
		messages = append(messages, strings.TrimPrefix(f.Message, "the contract knows no headers "))
	}
	assert.Equal(t, []string{"Agent", "X-New", "X-Rate-*", "X-Ratelimit-*", "of such names"}, messages)
}

// Of a long recording every other moment is drawn, from its beginning to its end.
func TestOfALongRecordingSomeMomentsAreDrawn(t *testing.T) {
	t.Parallel()
	report := conformance.NewReport(newChecker(t))
	began := time.Date(2026, 6, 10, 9, 30, 0, 0, time.UTC)
	for i := range 4101 {
		x := good("GET", "/fetch/tags", "", `{"data":[]}`)
		x.Started, x.Duration = began.Add(time.Duration(i)*time.Second), time.Millisecond
		report.Add(x)
		if i == 0 {
			x.Started = time.Time{} // one of which nobody knows when
			report.Add(x)
		}
	}
	var out strings.Builder
	require.NoError(t, report.WriteHTML(&out))
	assert.Equal(t, 2000+51, strings.Count(out.String(), "<circle"), "every other one of 4000, and of the 101 after them")
	assert.Contains(t, out.String(), "2026-06-10T09:30:02Z: 200")
	assert.NotContains(t, out.String(), "2026-06-10T09:30:03Z: 200")
	assert.Contains(t, out.String(), "2026-06-10 09:30:00")
	assert.Contains(t, out.String(), "2026-06-10 10:38:20")
}
