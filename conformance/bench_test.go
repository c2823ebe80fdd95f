package conformance_test

import (
	"bytes"
	"io"
	"os/exec"
	"strings"
	"testing"

	"example.com/bento-go/conformance"
)

// The mixed recording of internal/mixhar, read and judged.
func BenchmarkMixedRecording(b *testing.B) {
	recording, err := exec.Command("go", "run", "../internal/mixhar").Output()
	if err != nil {
		b.Fatal(err)
	}
	checker, err := conformance.New()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(recording)))
	b.ReportAllocs()
	for b.Loop() {
		report := conformance.NewReport(checker)
		for x, err := range conformance.ReadHAR(bytes.NewReader(recording), "mixed.har") {
			if err != nil {
				b.Fatal(err)
			}
			report.Add(x)
		}
		if s := report.Summary(); s.Checked != 2000 || s.Errors+s.Warnings+s.Drift > 0 {
			b.Fatalf("%+v", s)
		}
	}
}

// crumbs gives a page of memory at a time, as a pipe may.
type crumbs struct{ io.Reader }

func (c crumbs) Read(p []byte) (int, error) { return c.Reader.Read(p[:min(len(p), 4<<10)]) }

// A value of 60 MiB before the entries, in crumbs and in one piece.
func BenchmarkLargeValue(b *testing.B) {
	file := `{"log":{"comment":"` + strings.Repeat("x", 60<<20) + `","entries":[]}}`
	for name, of := range map[string]func(io.Reader) io.Reader{
		"crumbs": func(r io.Reader) io.Reader { return crumbs{r} },
		"whole":  func(r io.Reader) io.Reader { return r },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			for b.Loop() {
				for _, err := range conformance.ReadHAR(of(strings.NewReader(file)), "f") {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
