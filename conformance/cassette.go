package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

var (
	interactionsLine = regexp.MustCompile(`^interactions:[ \t]*(\[\][ \t]*)?\r?$`) // [] says that there are none
	interactionsHead = regexp.MustCompile(`(?m)` + interactionsLine.String())      // anywhere in several lines
	itemLine         = regexp.MustCompile(`^([ \t]*)- `)
	keyLine          = regexp.MustCompile(`^[^ \t#\r\n-]`) // of what is beside the interactions
	idleLine         = regexp.MustCompile(`^[ \t]*(#.*)?\r?\n?$`)
)

// ReadCassette reads a cassette of go-vcr, versions 3 and 4. It cuts the file at its
// interactions, so that one of them is in memory at a time. Errors are as with [ReadHAR].
func ReadCassette(r io.Reader, file string) iter.Seq2[*Exchange, error] {
	return func(yield func(*Exchange, error) bool) {
		c := cassette{lineReader: newLineReader(r), file: file}
		if err := c.read(yield); err != nil {
			yield(nil, err)
		}
	}
}

type cassette struct {
	*lineReader
	file    string
	entries int // that were yielded
}

// read yields what is in the file. A nil error means that it was read to its end, or that nobody
// wanted more.
func (c *cassette) read(yield func(*Exchange, error) bool) error {
	var item []byte // the interaction at hand
	var at Source
	var more error // what follows the cassette
	indent, inside, over := "", false, false
	for {
		before := c.offset
		line, err := c.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return brokenAt(c.file, before, err)
		}
		begins := interactionsLine.Match(bytes.TrimRight(line, "\r\n"))
		if inside && begins {
			more = brokenAt(c.file, before, errMore)
			break
		}
		if !inside || over {
			inside = inside || begins
			continue
		}
		if over = keyLine.Match(line); over {
			continue
		}
		if len(item) == 0 && idleLine.Match(line) {
			continue
		}
		dash := itemLine.FindSubmatch(line)
		if len(item) > 0 && dash != nil && string(dash[1]) == indent {
			if !c.yield(item, at, yield) {
				return nil
			}
			item = item[:0]
		}
		if len(item) == 0 {
			at = Source{File: c.file, Entry: c.entries, Offset: before, Line: c.number}
			if dash != nil {
				indent = string(dash[1])
			}
		}
		if item = append(item, line...); len(item) > maxEntry {
			return brokenAt(c.file, at.Offset, errTooLarge)
		}
	}
	if !inside {
		return fmt.Errorf("%s: %w: want a cassette of go-vcr, with interactions", c.file, ErrNotARecording)
	}
	if len(item) > 0 && !c.yield(item, at, yield) {
		return nil
	}
	return more
}

// yield hands on an interaction, and reports whether more is wanted.
func (c *cassette) yield(item []byte, at Source, yield func(*Exchange, error) bool) bool {
	c.entries++
	x, err := parseInteraction(item)
	if err != nil {
		x = &Exchange{}
		err = at.error(err)
	}
	x.Source = at
	return yield(x, err)
}

// An interaction is what matters of one.
type interaction struct {
	Request struct {
		Method  string      `yaml:"method"`
		URL     string      `yaml:"url"`
		Body    string      `yaml:"body"`
		Headers http.Header `yaml:"headers"`
	} `yaml:"request"`
	Response struct {
		Code     int         `yaml:"code"`
		Body     string      `yaml:"body"`
		Headers  http.Header `yaml:"headers"`
		Duration string      `yaml:"duration"`
	} `yaml:"response"`
}

func parseInteraction(item []byte) (*Exchange, error) {
	var list []interaction
	if err := yaml.Unmarshal(item, &list); err != nil || len(list) != 1 {
		return nil, errors.New("not an interaction of a cassette") // the error of YAML quotes it
	}
	i := list[0]
	if i.Request.URL == "" || i.Request.Method == "" {
		return nil, errors.New("no request.method and request.url")
	}
	x := &Exchange{Request: Request{
		Method: strings.ToUpper(i.Request.Method), URL: i.Request.URL, Header: canonical(i.Request.Headers), Body: []byte(i.Request.Body),
	}}
	x.Duration, _ = time.ParseDuration(i.Response.Duration)
	if i.Response.Code > 0 {
		x.Response = &Response{Status: i.Response.Code, Header: canonical(i.Response.Headers), Body: []byte(i.Response.Body)}
	}
	x.dropPacked()
	return x, nil
}

// canonical is nil for no headers at all: the recording then says nothing of them.
func canonical(h http.Header) http.Header {
	if len(h) == 0 {
		return nil
	}
	clean := http.Header{}
	for name, values := range h {
		for _, value := range values {
			clean.Add(name, value)
		}
	}
	return clean
}
