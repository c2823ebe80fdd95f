package main

import (
	"encoding/json"
	"flag"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"example.com/bento-go/conformance/fake"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

var update = flag.Bool("update", false, "write the scripts' golden texts anew")

// The scripts of testdata/script are sessions of a person at a shell. Beside testscript's own
// commands they have
//
//	bentoctl ARG...        the program
//	exits CODE ARG...      the program, which ends with this code
//	fake [FAULTS]          a Bento, which the environment names from here on
//	saw REGEXP             what the fake has counted, as JSON
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("NO_COLOR", "1")
			env.Setenv(asProgram, "1")
			env.Values[fakeKey{}] = &scripted{}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"bentoctl": func(ts *testscript.TestScript, neg bool, args []string) { runProgram(ts, boolToCode(neg), args) },
			"exits": func(ts *testscript.TestScript, _ bool, args []string) {
				code, err := strconv.Atoi(args[0])
				ts.Check(err)
				runProgram(ts, code, args[1:])
			},
			"fake": startScriptedFake,
			"saw": func(ts *testscript.TestScript, neg bool, args []string) {
				counts, err := json.Marshal(ts.Value(fakeKey{}).(*scripted).fake.Counts())
				ts.Check(err)
				if regexp.MustCompile(args[0]).Match(counts) == neg {
					ts.Fatalf("the fake counted %s", counts)
				}
			},
		},
	})
}

type fakeKey struct{}

// scripted is what the commands of one script share.
type scripted struct{ fake *fake.Server }

const anyFailure = -1

func boolToCode(neg bool) int {
	if neg {
		return anyFailure
	}
	return 0
}

func runProgram(ts *testscript.TestScript, want int, args []string) {
	self, err := os.Executable()
	ts.Check(err)
	code := 0
	if err := ts.Exec(self, args...); err != nil {
		exit, ok := err.(*exec.ExitError) //nolint:errorlint // as testscript returns it
		if !ok {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if code != want && (want != anyFailure || code == 0) {
		ts.Fatalf("it ended with %d, not %d", code, want)
	}
}

func startScriptedFake(ts *testscript.TestScript, _ bool, args []string) {
	var opts []fake.Option
	for _, spec := range args {
		armed, err := fake.ParseFaults(spec)
		ts.Check(err)
		opts = append(opts, fake.WithFaults(armed...))
	}
	server, err := fake.New(opts...)
	ts.Check(err)
	listening := httptest.NewServer(server)
	ts.Defer(listening.Close)
	ts.Setenv(bento.EnvBaseURL, listening.URL+gen.BasePath)
	ts.Setenv(bento.EnvPublishableKey, "pk_script")
	ts.Setenv(bento.EnvSecretKey, "sk_script")
	ts.Setenv(bento.EnvSiteUUID, "site_script")
	ts.Setenv(bento.EnvUserAgent, "AcmeCRM/1.0")
	ts.Value(fakeKey{}).(*scripted).fake = server
}
