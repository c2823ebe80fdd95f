package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A traffic is a file to read exchanges from.
type traffic struct {
	name string
	in   string // the directory that it was found in; "" if it was named itself
}

// isOther reports whether a file that cannot be read is none of what its directory was searched for, as
// package.json is none, or a report of check.
func (f traffic) isOther() bool { return f.in != "" && !claimsToRecord(f.name) }

// members are those of HAR and of an exchange of NDJSON, by which conformance knows them too.
var (
	members      = []string{"log", "request", "response", "duration_ms", "started"}
	interactions = regexp.MustCompile(`(?m)^interactions:`)
)

// claimsToRecord reports whether a file says that it is a recording, by its name or by how it begins: if it
// cannot be read, it is broken.
func claimsToRecord(name string) bool {
	file, err := openFile(name)
	if err != nil || strings.HasSuffix(strings.TrimSuffix(strings.ToLower(name), ".gz"), ".har") {
		return true
	}
	defer func() { _ = file.Close() }()
	in := bufio.NewReaderSize(file, 32<<10)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return true
		}
		in = bufio.NewReaderSize(unpacked, 32<<10)
	}
	if head, _ := in.Peek(32 << 10); interactions.Match(head) {
		return true
	}
	return slices.ContainsFunc(firstMembers(in), func(name string) bool { return slices.Contains(members, name) })
}

// firstMembers are the names of what a JSON object holds, as far as it can be read.
func firstMembers(in io.Reader) (names []string) {
	d := jsontext.NewDecoder(in)
	if begin, err := d.ReadToken(); err != nil || begin.Kind() != '{' {
		return nil
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return names
		}
		names = append(names, name.String())
		if d.SkipValue() != nil {
			return names
		}
	}
	return names
}

// tellOthers says which files were left out, for whoever expected them in the report.
func tellOthers(others []traffic) string {
	var names []string
	for _, f := range others[:min(len(others), 3)] {
		names = append(names, f.name)
	}
	if len(others) > len(names) {
		names = append(names, "…")
	}
	verb := " is no recording: "
	if len(others) > 1 {
		verb = "s are no recording: "
	}
	return thousands(len(others)) + " file" + verb + strings.Join(names, ", ")
}

// withoutRecordings are the directories that hold nothing but others, each as an error.
func withoutRecordings(files, others []traffic) (errs []error) {
	looked := map[string]int{}
	for _, f := range files {
		looked[f.in]++
	}
	for _, f := range others {
		if looked[f.in]--; looked[f.in] == 0 {
			errs = append(errs, fmt.Errorf("%s holds no recording: no file in it is HAR, a cassette of go-vcr or NDJSON of exchanges", f.in))
		}
	}
	return errs
}
