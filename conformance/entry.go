package conformance

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A recording is one exchange under way.
type recording struct {
	redactor redactor
	request  *http.Request
	started  time.Time
}

// The entry as it is written; member order is that of the HAR specification.
type harRecord struct {
	StartedDateTime string      `json:"startedDateTime"`
	Time            float64     `json:"time"`
	Request         harRequest  `json:"request"`
	Response        harResponse `json:"response"`
	Cache           struct{}    `json:"cache"`
	Timings         harTimings  `json:"timings"`
	Comment         string      `json:"comment,omitempty"`
}

type harRequest struct {
	Method      string       `json:"method"`
	URL         string       `json:"url"`
	HTTPVersion string       `json:"httpVersion"`
	Cookies     []struct{}   `json:"cookies"`
	Headers     []harHeader  `json:"headers"`
	QueryString []harHeader  `json:"queryString"`
	PostData    *harPostData `json:"postData,omitempty"`
	HeadersSize int          `json:"headersSize"`
	BodySize    int64        `json:"bodySize"`
}

type harResponse struct {
	Status      int         `json:"status"`
	StatusText  string      `json:"statusText"`
	HTTPVersion string      `json:"httpVersion"`
	Cookies     []struct{}  `json:"cookies"`
	Headers     []harHeader `json:"headers"`
	Content     harContent  `json:"content"`
	RedirectURL string      `json:"redirectURL"`
	HeadersSize int         `json:"headersSize"`
	BodySize    int64       `json:"bodySize"`
	Error       string      `json:"_error,omitempty"` // where browsers have it
}

type harContent struct {
	Size     int64   `json:"size"`
	MimeType string  `json:"mimeType"`
	Text     *string `json:"text,omitempty"`
	Encoding string  `json:"encoding,omitempty"`
}

type harPostData struct {
	MimeType string  `json:"mimeType"`
	Text     *string `json:"text,omitempty"`
	Encoding string  `json:"encoding,omitempty"`
}

type harTimings struct {
	Send    float64 `json:"send"`
	Wait    float64 `json:"wait"`
	Receive float64 `json:"receive"`
}

func (rec recording) entry(sent *capture, resp *http.Response, answer *capture) harRecord {
	elapsed := float64(time.Since(rec.started).Microseconds()) / 1000
	req := rec.request
	url := rec.redactor.url(req.URL)
	e := harRecord{
		StartedDateTime: rec.started.UTC().Format("2006-01-02T15:04:05.000Z07:00"),
		Time:            elapsed, Timings: harTimings{Wait: elapsed},
		Request: harRequest{
			Method: req.Method, URL: url, HTTPVersion: "HTTP/1.1", Cookies: []struct{}{},
			Headers: rec.redactor.headers(req.Header), QueryString: queryOf(url), HeadersSize: -1,
		},
		Response: harResponse{Cookies: []struct{}{}, Headers: []harHeader{}, HeadersSize: -1, BodySize: -1},
	}
	if resp != nil {
		rec.redactor = rec.redactor.knowing(valuesOf(resp.Cookies())...)
	}
	if body, size, _ := sent.take(); size != 0 {
		rec.redactor = rec.redactor.knowing(sitesIn(body)...)
		content := rec.content(body, size, req.Header)
		e.Request.PostData = &harPostData{content.MimeType, content.Text, content.Encoding}
		e.Request.BodySize = size
	}
	body, size, broken := answer.take()
	if broken != nil {
		e.Response.Error = errorKind(broken)
		e.Comment = "the answer broke off: " + e.Response.Error
	}
	if resp == nil {
		e.Comment = "no answer came: " + e.Response.Error
		return e
	}
	e.Response.Status, e.Response.StatusText, e.Response.HTTPVersion = resp.StatusCode, http.StatusText(resp.StatusCode), resp.Proto
	e.Response.Headers = rec.redactor.headers(resp.Header)
	e.Response.Content = rec.content(body, size, resp.Header)
	e.Response.BodySize = size
	return e
}

// content records a body; nil is one that is left out.
func (rec recording) content(body []byte, size int64, h http.Header) harContent {
	c := harContent{Size: size, MimeType: rec.redactor.text(h.Get("Content-Type"))}
	if body == nil || compressed(h) {
		return c
	}
	body = rec.redactor.body(body)
	text := string(body)
	if !utf8.Valid(body) {
		text, c.Encoding = base64.StdEncoding.EncodeToString(body), "base64"
	}
	c.Text = &text
	return c
}

func compressed(h http.Header) bool {
	encoding := h.Get("Content-Encoding")
	return encoding != "" && !strings.EqualFold(encoding, "identity")
}

func queryOf(raw string) []harHeader {
	list := []harHeader{}
	_, query, _ := strings.Cut(raw, "?")
	for part := range strings.SplitSeq(query, "&") {
		if name, value, _ := strings.Cut(part, "="); name != "" {
			list = append(list, harHeader{name, value})
		}
	}
	return list
}

func sortHeaders(list []harHeader) {
	slices.SortFunc(list, func(a, b harHeader) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
	})
}
