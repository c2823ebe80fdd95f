package conformance_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

// What is taken over of an entry.
type taken struct {
	why, entry string
	want       conformance.Exchange
}

// takesOver reads the entries as one file, in small pieces, and looks at them when all are read:
// none may share memory with the next. Lots of white space makes sure that it is used again.
func takesOver(t *testing.T, before, between, after string, rows []taken) {
	t.Helper()
	var file strings.Builder
	file.WriteString(before)
	pieces := []io.Reader{iotest.OneByteReader(strings.NewReader(before))}
	for i, row := range rows {
		if i > 0 {
			file.WriteString(between)
			pieces = append(pieces, strings.NewReader(between))
		}
		pieces = append(pieces, iotest.OneByteReader(strings.NewReader(row.entry)))
		rows[i].want.Source = conformance.Source{File: "f", Entry: i, Offset: int64(file.Len()), Line: 1 + strings.Count(file.String(), "\n")}
		file.WriteString(row.entry)
	}
	pieces = append(pieces, iotest.OneByteReader(strings.NewReader(after)))
	exchanges, errs := readFrom(io.MultiReader(pieces...), "f")
	require.Empty(t, errs)
	require.Len(t, exchanges, len(rows))
	for i, row := range rows {
		exchanges[i].Started = exchanges[i].Started.UTC()
		assert.Equal(t, &row.want, exchanges[i], row.why)
	}
}

// get is an exchange that holds no more than it has to, but for what change makes of it.
func get(change func(*conformance.Exchange)) conformance.Exchange {
	x := conformance.Exchange{Request: conformance.Request{Method: "GET", URL: "/a"}, Response: &conformance.Response{Status: 200}}
	change(&x)
	return x
}

func TestWhatIsTakenOverOfAHAREntry(t *testing.T) {
	t.Parallel()
	request := func(members string) string {
		return `{"request":{"method":"GET","url":"/a"` + members + `},"response":{"status":200,"content":{"size":0}}}`
	}
	response := func(members string) string {
		return `{"request":{"method":"GET","url":"/a"},"response":{"status":200` + members + `}}`
	}
	method := func(method, members string) string {
		return strings.Replace(request(members), "GET", method, 1)
	}
	// sent is an exchange with this body of the request.
	sent := func(method, body string, state conformance.BodyState) conformance.Exchange {
		return get(func(x *conformance.Exchange) {
			x.Request.Method, x.Request.BodyState = method, state
			if body != "" {
				x.Request.Body = []byte(body)
			}
		})
	}
	answer := func(body string, state conformance.BodyState, header http.Header) conformance.Exchange {
		return get(func(x *conformance.Exchange) {
			x.Response.BodyState, x.Response.Header = state, header
			if body != "" {
				x.Response.Body = []byte(body)
			}
		})
	}
	unanswered := get(func(x *conformance.Exchange) { x.Response = nil })
	const known, missing = conformance.BodyKnown, conformance.BodyMissing

	takesOver(t, harStart, ","+strings.Repeat(" ", 70_000), harEnd, []taken{
		{
			"all there is",
			`{"pageref":"p","startedDateTime":"2026-06-10T11:30:00.123+02:00","time":1500.5,"_priority":"High",
				"request":{"method":"post","url":"https://a.example/?q=1","httpVersion":"h2","cookies":[{}],"headersSize":-1,
				 "headers":[{"name":":authority","value":"a.example"},{"name":"user-agent","value":"AcmeCRM/1.0","comment":"x"},{"name":"X","value":"1"},{"name":"x","value":"2"},{"name":"","value":"3"}],
				 "postData":{"mimeType":"application/json","params":[],"text":"{\"a\":\"\u00e9\"}"},"bodySize":9},
				"response":{"status":200.0,"statusText":"OK","headers":[{"name":"content-type","value":"text/plain; charset=utf-8"},{"name":"A","value":""}],
				 "content":{"size":2,"mimeType":"text/plain","text":"ok","comment":"x"}},"cache":{},"timings":{"wait":1}}`,
			conformance.Exchange{
				Started: time.Date(2026, 6, 10, 9, 30, 0, 123e6, time.UTC), Duration: 1500500 * time.Microsecond,
				Request: conformance.Request{
					Method: "POST", URL: "https://a.example/?q=1", Body: []byte(`{"a":"é"}`),
					Header: http.Header{"User-Agent": {"AcmeCRM/1.0"}, "X": {"1", "2"}, "Content-Type": {"application/json"}},
				},
				Response: &conformance.Response{
					Status: 200, Body: []byte("ok"), Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "A": {""}},
				},
			},
		},
		{"a time in quotes, and none", `{"time":"12.5","startedDateTime":"yesterday","request":{"method":"GET","url":"/a"},"response":{"status":"200","content":{"size":0}}}`, get(func(x *conformance.Exchange) { x.Duration = 12500 * time.Microsecond })},
		{"nothing but null", `{"time":null,"startedDateTime":null,"request":{"url":"/a","method":null,"headers":null,"postData":null,"bodySize":null},"response":null}`, get(func(x *conformance.Exchange) {
			x.Request.Method, x.Request.BodyState, x.Response = "", missing, nil
		})},

		{"no answer came", `{"request":{"method":"GET","url":"/a"}}`, unanswered},
		{"none, says Chrome", `{"request":{"method":"GET","url":"/a"},"response":{"status":0,"headers":[{"name":"a","value":"b"}],"content":{"size":0,"mimeType":"x-unknown"}}}`, unanswered},
		{"none, says another", `{"request":{"method":"GET","url":"/a"},"response":{"status":-1}}`, unanswered},
		{"none, says null", `{"request":{"method":"GET","url":"/a"},"response":{"status":null}}`, unanswered},

		{"no headers but HTTP/2's", request(`,"headers":[{"name":":method","value":"GET"}]`), sent("GET", "", known)},
		{"a type and no headers", request(`,"postData":{"mimeType":"text/plain","text":"x"}`), sent("GET", "x", known)},
		{"a GET of unknown size", request(`,"bodySize":-1`), sent("GET", "", known)},
		{"a GET with a body", request(`,"bodySize":1`), sent("GET", "", missing)},
		{"a POST without one", method("POST", `,"bodySize":0`), sent("POST", "", known)},
		{"a POST of unknown size", method("POST", `,"bodySize":-1`), sent("POST", "", missing)},
		{"a POST of no size", method("POST", ``), sent("POST", "", missing)},
		{"a POST whose size is null", method("POST", `,"bodySize":null`), sent("POST", "", missing)},
		{"a POST of two bytes", method("POST", `,"bodySize":2`), sent("POST", "", missing)},
		{"a form as its parameters", method("POST", `,"postData":{"mimeType":"x","params":[{"name":"a","value":"b"}]}`), sent("POST", "", missing)},
		{"a form of no size", method("POST", `,"bodySize":0,"postData":{"mimeType":""}`), sent("POST", "", known)},
		{"a body in base64", method("POST", `,"postData":{"encoding":"base64","text":"AP8="}`), sent("POST", "\x00\xff", known)},
		{"a body that is no base64", method("POST", `,"postData":{"text":"{}","encoding":"base64"}`), sent("POST", "{}", known)},
		{"a body in what is not base64", method("POST", `,"postData":{"text":"AP8=","encoding":"br"}`), sent("POST", "AP8=", known)},

		{"no content", response(``), answer("", missing, nil)},
		{"content of null", response(`,"content":null`), answer("", missing, nil)},
		{"content of no size", response(`,"content":{"mimeType":"text/html"}`), answer("", missing, http.Header{"Content-Type": {"text/html"}})},
		{"content whose size is null", response(`,"content":{"size":null}`), answer("", missing, nil)},
		{"content left out", response(`,"content":{"size":1}`), answer("", missing, nil)},
		{"content of nothing", response(`,"content":{"size":0}`), answer("", known, nil)},
		{"text of null", response(`,"content":{"size":9,"text":null}`), answer("", missing, nil)},
		{"text that says so", response(`,"content":{"text":"a\u0000\"\\\ud83d\ude00"}`), answer("a\x00\"\\😀", known, nil)},
		{"a type declared twice", response(`,"headers":[{"name":"Content-Type","value":"a/b"}],"content":{"size":0,"mimeType":"c/d"}`), answer("", known, http.Header{"Content-Type": {"a/b"}})},
		{"a type that none declares", response(`,"headers":[{"name":"B","value":"1"}],"content":{"size":0,"mimeType":""}`), answer("", known, http.Header{"B": {"1"}})},
		{"a type beside other headers", response(`,"headers":[{"name":"B","value":"1"}],"content":{"size":0,"mimeType":"a/b"}`), answer("", known, http.Header{"B": {"1"}, "Content-Type": {"a/b"}})},
		{
			"the size of what HEAD does not get", strings.Replace(response(`,"content":{"size":99}`), `"GET"`, `"HEAD","bodySize":0`, 1),
			get(func(x *conformance.Exchange) { x.Request.Method = "HEAD" }),
		},
	})
}

func TestWhatIsTakenOverOfALine(t *testing.T) {
	t.Parallel()
	request := func(members string) string {
		return `{"request":{"method":"GET","url":"/a"` + members + `},"response":{"status":200}}`
	}
	response := func(members string) string {
		return `{"request":{"method":"GET","url":"/a"},"response":{` + members + `}}`
	}
	unanswered := get(func(x *conformance.Exchange) { x.Response = nil })
	takesOver(t, utf8Mark, strings.Repeat("\n", 70_000), "", []taken{
		{
			"all there is",
			`{"started":"2026-06-10T11:30:00.123+02:00","duration_ms":12.5,"note":[1],` +
				`"request":{"method":"post","url":"/a?b","proto":"h2","headers":{"x":["1","2"],"X":"3","user-agent":"AcmeCRM/1.0","none":[]},"body":"ab"},` +
				`"response":{"status":201,"headers":{"A":""},"trailer":{},"body_base64":"AP8="}}`,
			conformance.Exchange{
				Started: time.Date(2026, 6, 10, 9, 30, 0, 123e6, time.UTC), Duration: 12500 * time.Microsecond,
				Request:  conformance.Request{Method: "POST", URL: "/a?b", Body: []byte("ab"), Header: http.Header{"X": {"1", "2", "3"}, "User-Agent": {"AcmeCRM/1.0"}}},
				Response: &conformance.Response{Status: 201, Body: []byte("\x00\xff"), Header: http.Header{"A": {""}}},
			},
		},
		{"a body that nobody kept", request(`,"body":null`), get(func(x *conformance.Exchange) { x.Request.BodyState = conformance.BodyMissing })},
		{"an answer that nobody kept", response(`"status":200,"body_base64":null`), get(func(x *conformance.Exchange) { x.Response.BodyState = conformance.BodyMissing })},
		{"no headers", request(`,"headers":{}`), get(func(*conformance.Exchange) {})},
		{"headers of null", request(`,"headers":null`), get(func(*conformance.Exchange) {})},
		{"bodies of nothing", `{"request":{"method":"GET","url":"/a","body":""},"response":{"status":200,"body_base64":""}}`, get(func(x *conformance.Exchange) { x.Response.Body = []byte{} })},
		{"no answer", `{"request":{"method":"GET","url":"/a"}}`, unanswered},
		{"an answer of null", `{"response":null,"request":{"method":"GET","url":"/a"}}`, unanswered},
		{"an answer without a status", response(`"body":"x"`), unanswered},
		{"an answer of status 0", response(`"status":0,"headers":{"A":"b"}`), unanswered},
	})
}

func TestWhatIsTakenOverOfAnInteraction(t *testing.T) {
	t.Parallel()
	rows := func() []taken {
		return []taken{
			{
				"all there is",
				"    - id: 0\n      request:\n        host: a.example\n        body: '{\"a\":\"é\"}'\n        form: {}\n" +
					"        headers:\n            x:\n                - \"1\"\n                - \"2\"\n            User-Agent: [AcmeCRM/1.0]\n" +
					"        url: https://a.example/?q=1\n        method: post\n" +
					"      response:\n        body: |-\n            - a\n\n            # b\n        headers:\n            content-type:\n                - text/plain\n" +
					"        status: 200 OK\n        code: 200\n        duration: 41.5ms\n",
				conformance.Exchange{
					Duration: 41500 * time.Microsecond,
					Request:  conformance.Request{Method: "POST", URL: "https://a.example/?q=1", Body: []byte(`{"a":"é"}`), Header: http.Header{"X": {"1", "2"}, "User-Agent": {"AcmeCRM/1.0"}}},
					Response: &conformance.Response{Status: 200, Body: []byte("- a\n\n# b"), Header: http.Header{"Content-Type": {"text/plain"}}},
				},
			},
			{"bytes that are no text", "    - request: {method: GET, url: /a, body: !!binary AP8=, headers: {}}\n      response: {code: 200, body: \"\\0\", duration: ages}\n", get(func(x *conformance.Exchange) {
				x.Request.Body, x.Response.Body = []byte("\x00\xff"), []byte("\x00")
			})},
			{"no answer", "    - request: {method: GET, url: /a}\n", get(func(x *conformance.Exchange) { x.Request.Body, x.Response = []byte{}, nil })},
			{"an answer of code 0", "    - request: {method: GET, url: /a}\n      response: {code: 0, body: x}\n\n", get(func(x *conformance.Exchange) { x.Request.Body, x.Response = []byte{}, nil })},
			{"a line longer than a buffer", "    - request: {method: GET, url: /a, body: " + strings.Repeat("x", 200_000) + "}\n      response: {code: 200}", get(func(x *conformance.Exchange) {
				x.Request.Body, x.Response.Body = []byte(strings.Repeat("x", 200_000)), []byte{}
			})},
		}
	}
	takesOver(t, vcrStart, "", "", rows())
	windows := rows()
	for i := range windows {
		windows[i].entry = strings.ReplaceAll(windows[i].entry, "\n", "\r\n")
	}
	takesOver(t, utf8Mark+strings.ReplaceAll(vcrStart, "\n", "\r\n"), "", "", windows)
}

// Chrome names itself, and leaves credentials out; whatever else a creator is, it is no Chrome.
func TestChromeIsKnownByItsName(t *testing.T) {
	t.Parallel()
	for creator, sanitized := range map[string]bool{
		`{"name":"WebInspector","version":"537.36"}`:          true,
		`{"version":{"name":"x"},"name":"Web\u0049nspector"}`: true,
		`{"name":"Firefox","version":"WebInspector"}`:         false,
		`{"name":["WebInspector"]}`:                           false,
		`{"name":null}`:                                       false,
		`"WebInspector"`:                                      false,
		`null`:                                                false,
		`[{"name":"WebInspector"}]`:                           false,
	} {
		exchanges, errs := readAll(`{"log":{"creator":` + creator + `,"entries":[` + harEntry + harEnd)
		require.Empty(t, errs, creator)
		require.Len(t, exchanges, 1, creator)
		assert.Equal(t, sanitized, exchanges[0].Request.Sanitized, creator)
	}
}
