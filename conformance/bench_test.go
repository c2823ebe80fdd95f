package conformance_test

import (
	"bytes"
	"os/exec"
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
