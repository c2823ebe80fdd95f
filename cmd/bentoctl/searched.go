package main

import (
	"errors"
	"fmt"
	"strings"

	"example.com/bento-go/conformance"
)

// A traffic is a file to read exchanges from.
type traffic struct {
	name string
	in   string // the directory that it was found in; "" if it was named itself
}

// isOther reports whether a file is none of what its directory was searched for, by what its reader said:
// package.json is none, or a report of check. One that is called a HAR is a broken one.
func (f traffic) isOther(err error) bool {
	return f.in != "" && errors.Is(err, conformance.ErrNotARecording) && !strings.HasSuffix(strings.TrimSuffix(strings.ToLower(f.name), ".gz"), ".har")
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
