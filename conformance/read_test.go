package conformance_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance"
)

const (
	utf8Mark = "\ufeff"
	harStart = `{"log":{"entries":[`
	harEnd   = `]}}`
	harEntry = `{"request":{"method":"GET","url":"/a"},"response":{"status":200}}`
	vcrStart = "---\nversion: 2\ninteractions:\n"
	vcrEntry = "    - id: 0\n      request:\n        method: GET\n        url: /a\n      response:\n        code: 200\n"
	line     = `{"request":{"method":"GET","url":"/a"},"response":{"status":200}}` + "\n"
)

// outline says in a line each what a sequence yields.
func outline(exchanges iter.Seq2[*conformance.Exchange, error]) []string {
	var lines []string
	for x, err := range exchanges {
		switch {
		case err == nil:
			lines = append(lines, fmt.Sprintf("entry %d at byte %d: %s %s", x.Source.Entry, x.Source.Offset, x.Request.Method, x.Request.URL))
		case x == nil:
			lines = append(lines, "end: "+err.Error())
		default:
			lines = append(lines, err.Error())
		}
	}
	return lines
}

func zipped(t testing.TB, content string) string {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, content)
	require.NoError(t, z.Close())
	return packed.String()
}

// A broken entry is an error by itself, which says where it stands, and what it is; the rest goes
// on. What makes the file unreadable ends it. Neither quotes what stands there.
func TestWhatIsWrongWithAFileIsSaidInFull(t *testing.T) {
	t.Parallel()
	const (
		noHAR  = "end: f: not a recording: want a JSON object with log.entries"
		noVCR  = "not an interaction of a cassette"
		noLine = "not an exchange: want an object with request.method and request.url"
	)
	request := func(member string) string { return `{"request":{"method":"GET","url":"/a",` + member + `}}` }
	response := func(member string) string {
		return `{"request":{"method":"GET","url":"/a"},"response":{` + member + `}}`
	}
	kind := func(at int, path, kind string) []string {
		if at == 0 { // a line
			return []string{fmt.Sprintf("f: entry 0 on line 1: %s is a JSON %s, which no recording has there", path, kind)}
		}
		return []string{fmt.Sprintf("f: entry 0 at byte %d: %s is a JSON %s, which no recording has there", at, path, kind)}
	}
	for name, tc := range map[string]struct {
		content string
		want    []string
	}{
		"nothing":         {"", []string{"end: f: not a recording: the file is empty"}},
		"nothing, marked": {utf8Mark, []string{"end: f: not a recording: the file is empty"}},
		"white space":     {" \r\n", []string{"end: f: not a recording: the file is empty"}},
		"another file":    {"GET / HTTP/1.1\r\n", []string{"end: f: not a recording: not JSON at byte 0: want HAR, a cassette of go-vcr, or NDJSON"}},
		"UTF-16":          {"\xff\xfe{\x00", []string{"end: f: not a recording: not JSON at byte 0: want HAR, a cassette of go-vcr, or NDJSON"}},
		"an array":        {`[1,2]`, []string{noHAR}},
		"a text":          {`"text"`, []string{noHAR}},
		"half a text":     {`"text`, []string{"end: f: the recording breaks off at byte 0: what came before was read; export it again"}},

		"20,000 levels":          {`{"x":` + strings.Repeat("[", 20_000), []string{"end: f: not a recording: not JSON at byte 10004: want HAR, a cassette of go-vcr, or NDJSON"}},
		"another object":         {`{"openapi":"3.0.3"}`, []string{"end: f: not a recording: it holds no log.entries"}},
		"log is an array":        {`{"log":[]}`, []string{noHAR}},
		"entries are null":       {`{"log":{"entries":null}}`, []string{"end: f: not a recording: it holds no log.entries"}},
		"entries in passing":     {`{"log":{"pages":[{"entries":[]}]},"entries":[{}]}`, []string{"end: f: not a recording: it holds no log.entries"}},
		"an odd log":             {`{"log":{1:2}}`, []string{"end: f: not a recording: not JSON at byte 8: want HAR, a cassette of go-vcr, or NDJSON"}},
		"a bracket of its own":   {harStart + `}]}}`, []string{"end: f: not JSON at byte 19: want a HAR recording"}},
		"a comma behind":         {harStart + `],}}`, []string{"end: f: not JSON at byte 20: want a HAR recording"}},
		"more in another file":   {harStart + harEnd + "\n{}", []string{"end: f: at byte 24: more follows the recording: give each file by itself"}},
		"more that is no JSON":   {harStart + harEnd + "x", []string{"end: f: at byte 22: more follows the recording: give each file by itself"}},
		"a name twice, half a é": {"{\"log\":{\"a\":\"\xc3\",\"a\":1," + harStart[8:] + harEntry + harEnd, []string{"entry 0 at byte 33: GET /a"}},
		"entries behind others":  {`{"x":[{}],"log":{"creator":null,"pages":[],"browser":{"name":"x"},"entries":[` + harEntry + `],"comment":"x"},"y":1}` + "\n", []string{"entry 0 at byte 77: GET /a"}},
		"entries behind a mark":  {utf8Mark + harStart + harEntry + harEnd, []string{"entry 0 at byte 22: GET /a"}},
		"entries that are none": {harStart + harEntry + `, {"request":{"method":7,"url":"/canary"}},{"request":null},{},42,null,"x",[{"a":"]"}],` + harEntry + harEnd, []string{
			"entry 0 at byte 19: GET /a",
			"f: entry 1 at byte 86: request.method is a JSON number, which no recording has there",
			"f: entry 2 at byte 127: no request.url",
			"f: entry 3 at byte 144: no request.url",
			"f: entry 4 at byte 147: not an entry of a HAR recording",
			"f: entry 5 at byte 150: not an entry of a HAR recording",
			"f: entry 6 at byte 155: not an entry of a HAR recording",
			"f: entry 7 at byte 159: not an entry of a HAR recording",
			"entry 8 at byte 171: GET /a",
		}},
		"numbers among entries": {harStart + "\t7\r,\tnull \n,\r" + harEntry + " ," + strings.Repeat("7", 100_000) + "\r\n," + harEntry + harEnd, []string{
			"f: entry 0 at byte 20: not an entry of a HAR recording",
			"f: entry 1 at byte 24: not an entry of a HAR recording",
			"entry 2 at byte 32: GET /a",
			"f: entry 3 at byte 99: not an entry of a HAR recording",
			"entry 4 at byte 100102: GET /a",
		}},
		"half of a number":  {harStart + harEntry + ",42", []string{"entry 0 at byte 19: GET /a", "f: entry 1 at byte 85: not an entry of a HAR recording", "end: f: the recording breaks off at byte 87: what came before was read; export it again"}},
		"a comma, and then": {harStart + harEntry + ", ", []string{"entry 0 at byte 19: GET /a", "end: f: the recording breaks off at byte 86: what came before was read; export it again"}},
		"an entry, half of it": {harStart + harEntry + "," + harEntry[:30], []string{
			"entry 0 at byte 19: GET /a", "end: f: the recording breaks off at byte 85: what came before was read; export it again",
		}},
		"an entry without a value":  {harStart + `{"request":{"url":"/a"},"x":}` + harEnd, []string{"f: entry 0 at byte 19: not JSON"}},
		"an entry without commas":   {harStart + `{"request":{"url":"/a" "method":"GET"}}` + harEnd, []string{"f: entry 0 at byte 19: not JSON"}},
		"a number of a million":     {harStart + strings.Repeat("1", 2<<20) + harEnd, []string{"end: f: at byte 19: not JSON"}},
		"startedDateTime":           {harStart + `{"startedDateTime":1}` + harEnd, kind(19, "startedDateTime", "number")},
		"time":                      {harStart + `{"time":{}}` + harEnd, kind(19, "time", "object")},
		"request":                   {harStart + `{"request":[]}` + harEnd, kind(19, "request", "array")},
		"request.url":               {harStart + `{"request":{"url":true}}` + harEnd, kind(19, "request.url", "bool")},
		"request.headers":           {harStart + request(`"headers":{}`) + harEnd, kind(19, "request.headers", "object")},
		"request.headers[]":         {harStart + request(`"headers":["a"]`) + harEnd, kind(19, "request.headers", "string")},
		"request.headers.name":      {harStart + request(`"headers":[{"name":1}]`) + harEnd, kind(19, "request.headers.name", "number")},
		"request.headers.value":     {harStart + request(`"headers":[{"name":"a","value":[]}]`) + harEnd, kind(19, "request.headers.value", "array")},
		"request.bodySize":          {harStart + request(`"bodySize":[]`) + harEnd, kind(19, "request.bodySize", "array")},
		"request.postData":          {harStart + request(`"postData":"a=b"`) + harEnd, kind(19, "request.postData", "string")},
		"request.postData.mimeType": {harStart + request(`"postData":{"mimeType":1}`) + harEnd, kind(19, "request.postData.mimeType", "number")},
		"request.postData.text":     {harStart + request(`"postData":{"text":{}}`) + harEnd, kind(19, "request.postData.text", "object")},
		"response":                  {harStart + `{"response":"none"}` + harEnd, kind(19, "response", "string")},
		"response.status":           {harStart + response(`"status":{}`) + harEnd, kind(19, "response.status", "object")},
		"response.headers":          {harStart + response(`"status":200,"headers":true`) + harEnd, kind(19, "response.headers", "bool")},
		"response.content":          {harStart + response(`"status":200,"content":[]`) + harEnd, kind(19, "response.content", "array")},
		"response.content.encoding": {harStart + response(`"content":{"encoding":1}`) + harEnd, kind(19, "response.content.encoding", "number")},
		"response.content.size":     {harStart + response(`"content":{"size":{}}`) + harEnd, kind(19, "response.content.size", "object")},

		"cassette: none in it":      {vcrStart, nil},
		"cassette: said to be none": {"---\nversion: 2\ninteractions: []\n", nil},
		"cassette: at the margin":   {"interactions: \t\r\n- request: {method: GET, url: /a}\r\n- request: {method: GET, url: /b}", []string{"entry 0 at byte 17: GET /a", "entry 1 at byte 52: GET /b"}},
		"cassette: two lists": {"interactions:\n- request: {method: GET, url: /a}\ninteractions:\n- request: {method: GET, url: /b}\n", []string{
			"entry 0 at byte 14: GET /a", "end: f: at byte 48: more follows the recording: give each file by itself",
		}},
		"cassette: two in one": {vcrStart + "- request: {method: GET, url: /a}\nversion: 2\ninteractions:\n- request: {method: GET, url: /b}\n", []string{
			"entry 0 at byte 29: GET /a", "end: f: at byte 74: more follows the recording: give each file by itself",
		}},
		"cassette: behind a mark":  {utf8Mark + "interactions:\n- request: {method: GET, url: /a}\n", []string{"entry 0 at byte 17: GET /a"}},
		"cassette: with a comment": {vcrStart + "\n  # by hand\n" + vcrEntry + "\n" + vcrEntry, []string{"entry 0 at byte 42: GET /a", "entry 1 at byte 140: GET /a"}},
		"cassette: entries that are none": {vcrStart + vcrEntry + "    - id: [canary\n    - canary\n    - id: 3\n    - request: {url: /a}\n    - request: {method: GET}\n" + vcrEntry, []string{
			"entry 0 at byte 29: GET /a",
			"f: entry 1 at byte 126: " + noVCR,
			"f: entry 2 at byte 144: " + noVCR,
			"f: entry 3 at byte 157: no request.method and request.url",
			"f: entry 4 at byte 169: no request.method and request.url",
			"f: entry 5 at byte 194: no request.method and request.url",
			"entry 6 at byte 223: GET /a",
		}},
		"cassette: a code of letters": {vcrStart + "- request: {method: GET, url: /a}\n  response: {code: canary}\n", []string{"f: entry 0 at byte 29: " + noVCR}},
		"cassette: no list":           {vcrStart + "  canary: x\n" + vcrEntry, []string{"f: entry 0 at byte 29: " + noVCR}},
		"cassette: a list of dashes":  {vcrStart + "  -\n    id: 0\n  -\n    id: 1\n", []string{"f: entry 0 at byte 29: " + noVCR}},

		"two of something else":  {`{"a":1}` + "\n" + `{"a":2}`, []string{"end: f: not a recording: it holds no log.entries"}},
		"a log of another kind":  {strings.TrimSuffix(harStart+harEntry+harEnd, "}") + `,"log":5}`, []string{"entry 0 at byte 19: GET /a", "end: f: at byte 94: not an object"}},
		"an empty cassette, and": {strings.TrimSpace(vcrStart) + " []\nversion: 2\nothers:\n" + vcrEntry, nil},
		"lines":                  {line + "\r\n\t\n\t" + line, []string{"entry 0 at byte 0: GET /a", "entry 1 at byte 70: GET /a"}},
		"lines behind a mark":    {utf8Mark + line + line, []string{"entry 0 at byte 3: GET /a", "entry 1 at byte 69: GET /a"}},
		"lines without an end":   {line + line[:len(line)-1], []string{"entry 0 at byte 0: GET /a", "entry 1 at byte 66: GET /a"}},
		"lines that are none": {line + "time=7 msg=canary null\n[{}]\n]\n{}\n" + `{"request":{"method":"GET"}}` + "\n" + `{"request":{"url":"/canary"}}` + "\n{\"request\":7}\n" + line, []string{
			"entry 0 at byte 0: GET /a",
			"f: entry 1 on line 2: " + noLine,
			"f: entry 2 on line 3: " + noLine,
			"f: entry 3 on line 4: " + noLine,
			"f: entry 4 on line 5: no request.method and request.url",
			"f: entry 5 on line 6: no request.method and request.url",
			"f: entry 6 on line 7: no request.method and request.url",
			"f: entry 7 on line 8: request is a JSON number, which no recording has there",
			"entry 8 at byte 172: GET /a",
		}},
		"lines and a large number": {line + strings.Repeat("7", 100_000) + "\n" + line, []string{"entry 0 at byte 0: GET /a", "f: entry 1 on line 2: " + noLine, "entry 2 at byte 100067: GET /a"}},
		"lines and a number":       {line + "12", []string{"entry 0 at byte 0: GET /a", "f: entry 1 on line 2: " + noLine}},
		"lines, one torn":          {line + line[:40] + "\n" + line, []string{"entry 0 at byte 0: GET /a", "f: entry 1 on line 2: an object that does not end: want one a line", "entry 2 at byte 107: GET /a"}},
		"lines, the last in half":  {line + line[:40], []string{"entry 0 at byte 0: GET /a", "f: entry 1 on line 2: an object that does not end: want one a line"}},
		"two on a line":            {strings.TrimSpace(line) + " " + line + line, []string{"f: entry 0 on line 1: more follows the object: want one a line", "entry 1 at byte 132: GET /a"}},
		"one on two lines":         {strings.Replace(line, ":", ":\n", 1) + line, []string{"f: entry 0 on line 1: an object that does not end: want one a line", "f: entry 1 on line 2: more follows the object: want one a line", "entry 2 at byte 67: GET /a"}},
		"a line in brackets":       {`{"request":{"method":"GET","url":"/a"]}`, []string{"f: entry 0 on line 1: not JSON"}},
		"100,000 levels":           {`{"request":` + strings.Repeat("[", 100_000), []string{"f: entry 0 on line 1: an object that does not end: want one a line"}},
		"100,000 levels, closed":   {`{"request":{"method":"GET","url":"/a","y":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}}`, []string{"entry 0 at byte 0: GET /a"}},

		"line: started":              {`{"started":1}`, kind(0, "started", "number")},
		"line: duration_ms":          {`{"duration_ms":{}}`, kind(0, "duration_ms", "object")},
		"line: request.method":       {`{"request":{"method":1}}`, kind(0, "request.method", "number")},
		"line: request.url":          {`{"request":{"url":[]}}`, kind(0, "request.url", "array")},
		"line: request.headers":      {request(`"headers":[]`), kind(0, "request.headers", "array")},
		"line: request.headers.A":    {request(`"headers":{"A":1}`), kind(0, "request.headers", "number")},
		"line: request.body":         {request(`"body":{}`), kind(0, "request.body", "object")},
		"line: request.body_base64":  {request(`"body_base64":"canary!"`), []string{"f: entry 0 on line 1: request.body_base64 is not base64"}},
		"line: response":             {`{"request":{},"response":[]}`, kind(0, "response", "array")},
		"line: response.status":      {response(`"status":true`), kind(0, "response.status", "bool")},
		"line: response.headers.A":   {response(`"status":"200","headers":{"A":["b",1]}`), kind(0, "response.headers", "number")},
		"line: response.body":        {response(`"body":7`), kind(0, "response.body", "number")},
		"line: response.body_base64": {response(`"body_base64":"e30"`), []string{"f: entry 0 on line 1: response.body_base64 is not base64"}},
		"line: without a value":      {`{"request":{"method":"GET","url":"/a"},"x":}`, []string{"f: entry 0 on line 1: not JSON"}},
		"line: response alone":       {`{"response":7}`, kind(0, "response", "number")},
		"line: without a comma":      {`{"request":{"method":"GET" "url":"/a"}}`, []string{"f: entry 0 on line 1: not JSON"}},

		"gzip that is none":    {"\x1f\x8b\x00", []string{"end: f: it begins like a gzip file, but is none: unexpected EOF"}},
		"gzip of another kind": {"\x1f\x8b\x00 and ten more bytes", []string{"end: f: it begins like a gzip file, but is none: gzip: invalid header"}},
		"half of a gzip":       {"\x1f", []string{"end: f: not a recording: not JSON at byte 0: want HAR, a cassette of go-vcr, or NDJSON"}},
	} {
		assert.Equal(t, tc.want, outline(conformance.Read(strings.NewReader(tc.content), "f")), name)
		if !strings.Contains(name, "gzip") && tc.content != "" {
			assert.Equal(t, tc.want, outline(conformance.Read(strings.NewReader(zipped(t, tc.content)), "f")), "%s, packed", name)
		}
	}
	assert.Equal(t, []string{"end: f: not a recording: want a cassette of go-vcr, with interactions"}, outline(conformance.ReadCassette(strings.NewReader(line), "f")))
	assert.Empty(t, outline(conformance.ReadNDJSON(strings.NewReader(""), "f")), "nobody asked anything")
}

// The format is found out by the first member that only one of them has, wherever it stands.
func TestTheFirstMemberSaysWhichFormatItIs(t *testing.T) {
	t.Parallel()
	const of = `"request":{"method":"GET","url":"/a"}`
	for content, want := range map[string]string{
		`{` + of + `}`: "entry 0 at byte 0: GET /a",
		`{"id":{"log":[1]} , "x" : "a,b",` + of + `}`:    "entry 0 at byte 0: GET /a",
		`{"response":null,` + of + `}`:                   "entry 0 at byte 0: GET /a",
		`{"started":null,` + of + `}`:                    "entry 0 at byte 0: GET /a",
		`{"duration_ms":1,` + of + `}`:                   "entry 0 at byte 0: GET /a",
		" \t\r\n{" + of + `}`:                            "entry 0 at byte 4: GET /a",
		`{"id":1,"log":{"entries":[{` + of + `}]}}`:      "entry 0 at byte 26: GET /a",
		`{"log":{"entries":[{` + of + `}]},"request":1}`: "entry 0 at byte 19: GET /a",
		`{"id";1,"request":1}`:                           "end: f: not a recording: not JSON at byte 5: want HAR, a cassette of go-vcr, or NDJSON",
		`["request":1]`:                                  "end: f: not a recording: want a JSON object with log.entries",
		`{"a\`:                                           "end: f: the recording breaks off at byte 1: what came before was read; export it again",
		`{"id":1 ;"request":1}`:                          "end: f: not a recording: not JSON at byte 8: want HAR, a cassette of go-vcr, or NDJSON",
		`{"id":1;"request":1}`:                           "end: f: not a recording: not JSON at byte 7: want HAR, a cassette of go-vcr, or NDJSON",
		`{"id":,"request":1}`:                            "end: f: not a recording: not JSON at byte 6: want HAR, a cassette of go-vcr, or NDJSON",
		"{\"log\":1,\"x\":\"\\\ninteractions:\n\"}":      "end: f: not a recording: want a JSON object with log.entries",
		`interactions:x`:                                 "end: f: not a recording: not JSON at byte 0: want HAR, a cassette of go-vcr, or NDJSON",
	} {
		assert.Equal(t, []string{want}, outline(conformance.Read(strings.NewReader(content), "f")), content)
	}
}

// An entry is found by the line on which it begins, wherever the file is broken into lines.
func TestAnEntryIsFoundByItsLine(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("\n ", 5000) // more than is read at a time
	for content, want := range map[string][]int{
		"{\"log\":\n{\"creator\":{},\n\n\"entries\":[\n" + harEntry + ",\r\n\r\n" + harEntry + "," + harEntry + "]}}":      {5, 7, 7},
		"{" + long + "\"log\":{\"entries\":[" + strings.Replace(harEntry, ",", ",\n", 1) + long + "," + harEntry + "]}}\n": {5001, 10002},
		"\n\n" + line + "\n" + line:                   {3, 5},
		vcrStart + vcrEntry + "# canary\n" + vcrEntry: {4, 11},
	} {
		var lines []int
		for x, err := range conformance.Read(strings.NewReader(content), "f") {
			require.NoError(t, err)
			lines = append(lines, x.Source.Line)
		}
		assert.Equal(t, want, lines, content[:40])
	}
}

// recordings are the same three entries, of which the second is broken, in each format.
func recordings() map[string]string {
	return map[string]string{
		"har":      `{"log":{"creator":{"version":1,"name":"x"},"entries":[` + harEntry + ",\n {} , " + harEntry + `],"pages":[]},"x":"y"}` + "\n",
		"cassette": vcrStart + vcrEntry + "    - id: 1\n" + vcrEntry,
		"lines":    line + "{}\n" + line,
	}
}

// Whoever has a part of a recording gets what is whole in it, and is told that it is a part.
func TestWhatComesBeforeTheCutIsRead(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"har", "lines"} {
		whole := recordings()[name]
		all := outline(conformance.Read(strings.NewReader(whole), "f"))
		for n := 1; n < len(strings.TrimSpace(whole)); n++ {
			got := outline(conformance.Read(strings.NewReader(whole[:n]), "f"))
			if end := len(got) - 1; strings.HasPrefix(got[end], "end: f: the recording breaks off at byte ") || strings.HasSuffix(got[end], "an object that does not end: want one a line") {
				got = got[:end]
			} else {
				require.True(t, name == "lines" && strings.HasSuffix(strings.TrimSpace(whole[:n]), "}"), "%s, cut at %d: %q", name, n, got)
			}
			require.Equal(t, all[:len(got)], got, "%s, cut at %d", name, n)
			require.Len(t, got, strings.Count(whole[:n], harEntry)+strings.Count(whole[:n], "{}"), "%s, cut at %d", name, n)
		}
	}
}

var errDisk = errors.New("the disk is broken")

// A file that cannot be read is no file that breaks off: its error is handed on.
func TestAReaderThatFailsIsNotTakenForTheEnd(t *testing.T) {
	t.Parallel()
	for name, whole := range recordings() {
		for n := range len(whole) + 1 {
			if name == "cassette" && n < len(vcrStart) { // it is known by its content
				continue
			}
			var last error
			for x, err := range conformance.Read(io.MultiReader(strings.NewReader(whole[:n]), iotest.ErrReader(errDisk)), "f") {
				require.NotErrorIs(t, last, errDisk, "%s: nothing follows", name)
				require.Equal(t, errors.Is(err, errDisk), x == nil, "%s, up to %d: %v", name, n, err)
				last = err
			}
			require.ErrorIs(t, last, errDisk, "%s, up to %d", name, n)
		}
	}
	for content, want := range map[string][]string{
		line + "12":                              {"entry 0 at byte 0: GET /a", "end: f: at byte 66: the disk is broken"},
		line + line[:9]:                          {"entry 0 at byte 0: GET /a", "end: f: at byte 66: the disk is broken"},
		harStart + harEntry + ",42":              {"entry 0 at byte 19: GET /a", "end: f: at byte 85: the disk is broken"},
		harStart + harEntry + "," + harEntry[:9]: {"entry 0 at byte 19: GET /a", "end: f: at byte 85: the disk is broken"},
		vcrStart + vcrEntry + vcrEntry[:39]:      {"entry 0 at byte 29: GET /a", "end: f: at byte 153: the disk is broken"},
	} {
		assert.Equal(t, want, outline(conformance.Read(io.MultiReader(strings.NewReader(content), iotest.ErrReader(errDisk)), "f")), content)
	}
	assert.Equal(t, []string{"end: f: at byte 0: multiple Read calls return no data or error"},
		outline(conformance.ReadNDJSON(iotest.ErrReader(nil), "f")), "a reader that reads nothing")
	assert.Equal(t, []string{"entry 0 at byte 19: GET /a", "end: f: at byte 85: multiple Read calls return no data or error"},
		outline(conformance.ReadHAR(io.MultiReader(strings.NewReader(harStart+harEntry+","), iotest.ErrReader(nil)), "f")))
}

// A reader may tell of the end, or of what went wrong, beside the last bytes.
func TestTheEndMayComeWithTheLastBytes(t *testing.T) {
	t.Parallel()
	whole := strings.Repeat(line, 100)
	assert.Len(t, outline(conformance.ReadNDJSON(iotest.DataErrReader(strings.NewReader(whole)), "f")), 100)
	failing := iotest.DataErrReader(io.MultiReader(strings.NewReader(whole), iotest.ErrReader(errDisk)))
	got := outline(conformance.ReadNDJSON(failing, "f"))
	assert.Contains(t, got[len(got)-1], "the disk is broken")
}

// A packed file that was damaged on its way is not taken for one that was recorded so.
func TestADamagedGzipFileIsNamed(t *testing.T) {
	t.Parallel()
	for name, whole := range recordings() {
		packed := []byte(zipped(t, whole))
		last := func(content []byte) string {
			lines := outline(conformance.Read(bytes.NewReader(content), "f"))
			return lines[len(lines)-1]
		}
		sum := slices.Clone(packed)
		sum[len(sum)-6]++
		assert.Regexp(t, `^end: f: at byte \d+: (jsontext: read error: )?the gzip file is damaged: gzip: invalid checksum$`, last(sum), name)
		assert.Regexp(t, `^end: f: at byte \d+: (jsontext: read error: )?the gzip file is damaged: gzip: invalid header$`, last(append(slices.Clone(packed), "more than a header"...)), name)
		block := slices.Clone(packed)
		block[10] |= 6 // a block of no type
		assert.Regexp(t, `^end: f: at byte 0: (jsontext: read error: )?the gzip file is damaged: flate: corrupt input before offset 1$`, last(block), name)
		assert.Regexp(t, `^end: f: the recording breaks off at byte \d+: what came before was read; export it again$`, last(packed[:len(packed)-4]), name)
	}
}

// Whoever has seen enough is left alone, at whatever comes next.
func TestNobodyIsReadFurtherThanWanted(t *testing.T) {
	t.Parallel()
	for name, whole := range recordings() {
		for _, content := range []string{whole, whole[:len(whole)-10], "\x1f\x8b", "canary"} {
			all := len(outline(conformance.Read(strings.NewReader(content), "f")))
			for enough := 1; enough <= all; enough++ {
				n := 0
				for range conformance.Read(strings.NewReader(content), "f") {
					if n++; n == enough {
						break
					}
				}
				assert.Equal(t, enough, n, name)
			}
		}
	}
}

// An endless text, of which nothing is kept; it ends all the same, so that a mistake costs no more
// than a little memory.
type endless struct {
	text  string
	block string // the text, again and again
	read  int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.read > 80<<20 {
		return 0, io.EOF
	}
	if e.block == "" {
		e.block = strings.Repeat(e.text, 2+(64<<10)/len(e.text))
	}
	n := copy(p, e.block[e.read%len(e.text):])
	e.read += n
	return n, nil
}

// No entry fills the memory, and nothing else that stands in a file does.
func TestWhatDoesNotEndIsNotReadForEver(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ before, again, want string }{
		"an entry":             {harStart + `{"comment":"`, "x", "end: f: an entry around byte 19 is larger than 64 MiB: record with smaller bodies"},
		"before the entries":   {`{"log":{"comment":"`, "x", "end: f: not a recording: it holds no log.entries in its first 64 MiB"},
		"behind the entries":   {harStart + harEntry + `],"comment":"`, "x", `^end: f: an entry around byte \d+ is larger than 64 MiB: record with smaller bodies$`},
		"behind the end":       {harStart + harEntry + harEnd, " ", `^end: f: an entry around byte \d+ is larger than 64 MiB: record with smaller bodies$`},
		"a line":               {line + `{"request":"`, "x", "end: f: an entry around byte 66 is larger than 64 MiB: record with smaller bodies"},
		"a line of a cassette": {vcrStart + vcrEntry + "    - id: ", "x", "end: f: an entry around byte 126 is larger than 64 MiB: record with smaller bodies"},
		"lines of a cassette":  {vcrStart + vcrEntry + "    - id: 0\n", "      canary: " + strings.Repeat("x", 10_000) + "\n", "end: f: an entry around byte 126 is larger than 64 MiB: record with smaller bodies"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := &endless{text: tc.again}
			got := outline(conformance.Read(io.MultiReader(strings.NewReader(tc.before), source), "f"))
			if strings.HasPrefix(tc.want, "^") {
				assert.Regexp(t, tc.want, got[len(got)-1])
			} else {
				assert.Equal(t, tc.want, got[len(got)-1])
			}
			assert.Less(t, source.read, 65<<20)
		})
	}
}

// A small file may hold a large entry, packed; it is bounded all the same.
func TestABombIsNotReadForEver(t *testing.T) {
	t.Parallel()
	bomb := zipped(t, line+`{"request":"`) + strings.Repeat(zipped(t, strings.Repeat("x", 1<<20)), 65)
	assert.Less(t, len(bomb), 1<<20)
	assert.Equal(t, []string{"entry 0 at byte 0: GET /a", "end: f: an entry around byte 66 is larger than 64 MiB: record with smaller bodies"},
		outline(conformance.Read(strings.NewReader(bomb), "f")))
}

// A body that was recorded as it travelled, compressed, cannot be judged, and is not taken for wrong; one that
// was unpacked is judged, though the header still says otherwise.
func TestABodyThatWasRecordedCompressed(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]conformance.BodyState{"H4sIAAAAAAAA": conformance.BodyMissing, "e30=": conformance.BodyKnown} {
		for format, text := range map[string]string{
			"cassette": vcrStart + "- request: {method: POST, url: /a, headers: {Content-Encoding: [gzip]}, body: !!binary " + body + "}\n  response: {code: 200, headers: {Content-Encoding: [gzip]}, body: !!binary " + body + "}\n",
			"lines": `{"request":{"method":"POST","url":"/a","headers":{"Content-Encoding":"gzip"},"body_base64":"` + body + `"},` +
				`"response":{"status":200,"headers":{"Content-Encoding":"gzip"},"body_base64":"` + body + `"}}`,
		} {
			read := 0
			for x, err := range conformance.Read(strings.NewReader(text), "f") {
				require.NoError(t, err, format)
				assert.Equal(t, want, x.Request.BodyState, format)
				assert.Equal(t, want, x.Response.BodyState, format)
				read++
			}
			assert.Equal(t, 1, read, format)
		}
	}
}

// Only an entry is bounded: a recording may be of any length.
func TestARecordingMayBeLargerThanAnEntry(t *testing.T) {
	t.Parallel()
	entry := `{"comment":"` + strings.Repeat("x", 1<<20) + `",` + harEntry[1:]
	for before, after := range map[string]string{harStart: harEnd + "\n", "": ""} {
		parts := []io.Reader{strings.NewReader(before + harEntry)}
		for range 64 {
			parts = append(parts, strings.NewReader(",\n"), strings.NewReader(entry))
		}
		got := outline(conformance.Read(io.MultiReader(append(parts, strings.NewReader(after))...), "f"))
		require.Len(t, got, 65)
		assert.Equal(t, fmt.Sprintf("entry 64 at byte %d: GET /a", len(before)+len(harEntry)+63*len(entry)+64*2), got[64])
	}
}
