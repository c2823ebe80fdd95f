package main

import (
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	bento "example.com/bento-go/wrapper"
)

var update = flag.Bool("update", false, "accept what comes with the client")

func TestSomebodysProgramWorks(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path != "/api/v1/batch/events" || !strings.Contains(string(body), "ari@example.com") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"results":1,"failed":0}`)
	}))
	defer server.Close()
	client, err := bento.New(bento.Config{
		PublishableKey: "pk", SecretKey: "sk", SiteUUID: "site", UserAgent: "Consumer/1.0", BaseURL: server.URL + "/api/v1",
	})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := signUp(t.Context(), client, "ari@example.com", &out); err != nil || out.String() != "1 of 1 accepted\n" {
		t.Fatalf("%q, %v", out.String(), err)
	}
}

// What is compiled into somebody's program, and which modules they download and have in go.sum.
func TestTheClientStaysLight(t *testing.T) {
	t.Parallel()
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	var modules []string
	for line := range strings.Lines(string(sums)) {
		modules = append(modules, strings.Fields(line)[0])
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("the client needs more than its go.mod has: %v\n%s", err, out)
	}
	golden(t, "linked.txt", strings.Fields(string(out)))
	golden(t, "modules.txt", modules)
}

func golden(t *testing.T, file string, lines []string) {
	t.Helper()
	slices.Sort(lines)
	lines = slices.Compact(lines)
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Fields(string(content))
	for _, line := range lines {
		if !slices.Contains(known, line) {
			t.Errorf("the client alone now carries %s. If it must: go test . -update in checks/consumer", line)
		}
	}
	for _, line := range known {
		if !slices.Contains(lines, line) {
			t.Errorf("the client no longer carries %s, good: go test . -update in checks/consumer", line)
		}
	}
}
