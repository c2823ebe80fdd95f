package conformance

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"example.com/bento-go/internal/jsonscan"
)

type harHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A harBody is a body as a recording holds it.
type harBody struct {
	mimeType string
	text     []byte // in memory of its own
	hasText  bool
	base64   bool
	size     float64 // negative: nobody knows
}

// A harEntry is what matters of an entry.
type harEntry struct {
	jsonscan.Cursor
	x       Exchange
	posted  bool // request.postData is there
	post    harBody
	content harBody
	status  float64
}

// parseEntry reads an entry. Its errors quote no value.
func parseEntry(raw []byte) (*Exchange, error) {
	e := harEntry{Cursor: jsonscan.Cursor{Body: raw}, post: harBody{size: -1}, content: harBody{size: -1}}
	if kind := e.Kind(); kind != "object" {
		return nil, errNoEntry
	}
	if err := e.Members("entry", e.member); err != nil {
		return nil, err
	}
	if e.x.Request.URL == "" {
		return nil, errNoURL
	}
	e.finishRequest()
	if e.status > 0 {
		e.finishResponse()
	} else {
		e.x.Response = nil
	}
	return &e.x, nil
}

func (e *harEntry) member(name []byte) error {
	switch string(name) {
	case "startedDateTime":
		text, _, err := e.Text("startedDateTime")
		e.x.Started, _ = time.Parse(time.RFC3339Nano, string(text))
		return err
	case "time":
		n, _, err := e.Number("time")
		e.x.Duration = time.Duration(n * float64(time.Millisecond))
		return err
	case "request":
		return e.Members("request", e.requestMember)
	case "response":
		e.x.Response = &Response{}
		return e.Members("response", e.responseMember)
	}
	return e.Skip()
}

func (e *harEntry) requestMember(name []byte) error {
	var err error
	var text []byte
	switch string(name) {
	case "method":
		text, _, err = e.Text("request.method")
		e.x.Request.Method = strings.ToUpper(string(text))
	case "url":
		text, _, err = e.Text("request.url")
		e.x.Request.URL = string(text)
	case "headers":
		e.x.Request.Header, err = e.headers("request.headers")
	case "bodySize":
		var given bool
		if e.post.size, given, err = e.Number("request.bodySize"); !given {
			e.post.size = -1
		}
	case "postData":
		e.posted = e.Next() == '{'
		err = e.Members("request.postData", func(name []byte) error { return e.bodyMember(&e.post, "request.postData", name) })
	default:
		err = e.Skip()
	}
	return err
}

func (e *harEntry) responseMember(name []byte) error {
	var err error
	switch string(name) {
	case "status":
		e.status, _, err = e.Number("response.status")
	case "headers":
		e.x.Response.Header, err = e.headers("response.headers")
	case "content":
		err = e.Members("response.content", func(name []byte) error { return e.bodyMember(&e.content, "response.content", name) })
	default:
		err = e.Skip()
	}
	return err
}

func (e *harEntry) bodyMember(b *harBody, path string, name []byte) error {
	var err error
	var text []byte
	switch string(name) {
	case "mimeType":
		text, _, err = e.Text(path + ".mimeType")
		b.mimeType = string(text)
	case "text":
		b.text, b.hasText, err = e.Text(path + ".text")
		if !e.Own {
			b.text = bytes.Clone(b.text)
		}
	case "encoding":
		text, _, err = e.Text(path + ".encoding")
		b.base64 = string(text) == "base64"
	case "size":
		var given bool
		if b.size, given, err = e.Number(path + ".size"); !given {
			b.size = -1
		}
	default:
		err = e.Skip()
	}
	return err
}

// headers returns nil for no headers at all: the recording then says nothing of them.
func (e *harEntry) headers(path string) (http.Header, error) {
	h := http.Header{}
	err := e.Items(path, func() error {
		var name, value []byte
		err := e.Members(path, func(member []byte) (err error) {
			switch string(member) {
			case "name":
				name, _, err = e.Text(path + ".name")
			case "value":
				value, _, err = e.Text(path + ".value")
			default:
				err = e.Skip()
			}
			return err
		})
		if len(name) > 0 && name[0] != ':' { // HTTP/2's own are not headers
			h.Add(string(name), string(value))
		}
		return err
	})
	if len(h) == 0 {
		return nil, err
	}
	return h, err
}

func (e *harEntry) finishRequest() {
	r := &e.x.Request
	switch {
	case e.posted:
		// A form may be recorded as params only, which each browser escapes in its own way.
		r.Body, r.BodyState = e.post.read()
		declareType(r.Header, e.post.mimeType)
	case e.post.size > 0, e.post.size < 0 && r.Method != http.MethodGet:
		r.BodyState = BodyMissing
	}
}

func (e *harEntry) finishResponse() {
	r := e.x.Response
	r.Status = int(e.status)
	if e.x.Request.Method != http.MethodHead { // its size is that of the body it would have
		r.Body, r.BodyState = e.content.read()
	}
	if r.Header == nil && e.content.mimeType != "" {
		r.Header = http.Header{}
	}
	declareType(r.Header, e.content.mimeType)
}

func declareType(h http.Header, mimeType string) {
	if h != nil && h.Get("Content-Type") == "" && mimeType != "" {
		h.Set("Content-Type", mimeType)
	}
}

// read returns the body.
func (b *harBody) read() ([]byte, BodyState) {
	switch {
	case !b.hasText && b.size != 0:
		return nil, BodyMissing
	case b.base64:
		decoded := make([]byte, base64.StdEncoding.DecodedLen(len(b.text)))
		if n, err := base64.StdEncoding.Decode(decoded, b.text); err == nil {
			return decoded[:n], BodyKnown
		}
	}
	return b.text, BodyKnown
}
