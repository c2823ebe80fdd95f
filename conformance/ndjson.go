package conformance

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"example.com/bento-go/internal/jsonscan"
)

// ReadNDJSON reads exchanges, one JSON object a line, here in three for reading:
//
//	{"started":"2026-06-10T09:30:00Z","duration_ms":12.5,
//	 "request":{"method":"POST","url":"https://app.bentonow.com/api/v1/…","headers":{"User-Agent":"AcmeCRM/1.0"},"body":"{…}"},
//	 "response":{"status":200,"headers":{"Content-Type":["application/json"]},"body":"{…}"}}
//
// Only request.method and request.url have to be there. A header is a text, or a list of them;
// without headers they are not judged. A body is a text, or base64 in body_base64; null says
// that there was one, which nobody kept. Without a response, or its status, none came. Errors
// are as with [ReadHAR]: a line that holds no exchange is one, and the next is read.
func ReadNDJSON(r io.Reader, file string) iter.Seq2[*Exchange, error] {
	return func(yield func(*Exchange, error) bool) {
		lines := newLineReader(r)
		for number := 0; ; {
			at := Source{File: file, Entry: number, Offset: lines.offset, Line: lines.number + 1}
			line, err := lines.next()
			switch {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(nil, brokenAt(file, at.Offset, err))
				return
			case len(bytes.TrimSpace(line)) == 0:
				continue
			}
			x, err := parseLine(line)
			if err != nil {
				x, err = &Exchange{}, fmt.Errorf("%s: entry %d on line %d: %w", file, at.Entry, at.Line, err)
			}
			x.Source = at
			if !yield(x, err) {
				return
			}
			number++
		}
	}
}

// parseLine reads an exchange. Its errors quote no value.
func parseLine(raw []byte) (*Exchange, error) {
	x, err := exchangeIn(raw)
	if c := (jsonscan.Cursor{Body: raw}); err != nil && c.Kind() == "object" && c.Skip() != nil {
		err = errTorn
	}
	return x, err
}

var errTorn = errors.New("an object that does not end: want one a line")

func exchangeIn(raw []byte) (*Exchange, error) {
	c := jsonscan.Cursor{Body: raw}
	x := &Exchange{}
	if c.Kind() != "object" {
		return nil, errors.New("not an exchange: want an object with request.method and request.url")
	}
	err := c.Members("exchange", func(name []byte) error {
		switch string(name) {
		case "started":
			text, _, err := c.Text("started")
			x.Started, _ = time.Parse(time.RFC3339Nano, string(text))
			return err
		case "duration_ms":
			n, _, err := c.Number("duration_ms")
			x.Duration = time.Duration(n * float64(time.Millisecond))
			return err
		case "request":
			return c.Members("request", func(name []byte) error { return lineRequest(&c, &x.Request, name) })
		case "response":
			x.Response = &Response{}
			return c.Members("response", func(name []byte) error { return lineResponse(&c, x.Response, name) })
		}
		return c.Skip()
	})
	if c.Next(); err == nil && c.At < len(raw) {
		err = errors.New("more follows the object: want one a line")
	}
	if x.Response != nil && x.Response.Status <= 0 {
		x.Response = nil
	}
	x.dropPacked()
	if err == nil && (x.Request.URL == "" || x.Request.Method == "") {
		err = errors.New("no request.method and request.url")
	}
	return x, err
}

func lineRequest(c *jsonscan.Cursor, r *Request, name []byte) error {
	var text []byte
	var err error
	switch string(name) {
	case "method":
		text, _, err = c.Text("request.method")
		r.Method = strings.ToUpper(string(text))
	case "url":
		text, _, err = c.Text("request.url")
		r.URL = string(text)
	case "headers":
		r.Header, err = lineHeaders(c, "request.headers")
	case "body", "body_base64":
		r.Body, r.BodyState, err = lineBody(c, "request."+string(name))
	default:
		err = c.Skip()
	}
	return err
}

func lineResponse(c *jsonscan.Cursor, r *Response, name []byte) error {
	var err error
	switch string(name) {
	case "status":
		var n float64
		n, _, err = c.Number("response.status")
		r.Status = int(n)
	case "headers":
		r.Header, err = lineHeaders(c, "response.headers")
	case "body", "body_base64":
		r.Body, r.BodyState, err = lineBody(c, "response."+string(name))
	default:
		err = c.Skip()
	}
	return err
}

func lineHeaders(c *jsonscan.Cursor, path string) (http.Header, error) {
	h := http.Header{}
	err := c.Members(path, func(name []byte) error {
		add := func() error {
			value, _, err := c.Text(path)
			h.Add(string(name), string(value))
			return err
		}
		if c.Next() == '[' {
			return c.Items(path, add)
		}
		return add()
	})
	if len(h) == 0 {
		return nil, err
	}
	return h, err
}

func lineBody(c *jsonscan.Cursor, path string) ([]byte, BodyState, error) {
	text, given, err := c.Text(path)
	switch {
	case err != nil:
		return nil, BodyMissing, err
	case !given:
		return nil, BodyMissing, nil
	case strings.HasSuffix(path, "_base64"):
		decoded, err := base64.StdEncoding.DecodeString(string(text))
		if err != nil {
			return nil, BodyMissing, fmt.Errorf("%s is not base64", path)
		}
		return decoded, BodyKnown, nil
	}
	return append([]byte(nil), text...), BodyKnown, nil
}
