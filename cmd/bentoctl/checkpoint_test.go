package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/bento-go/conformance/fake"
)

// An import that is cut off, however often and however hard, goes on where it was: everybody
// arrives, and of what was acknowledged nothing is sent again.
func TestAnImportThatIsKilledGoesOn(t *testing.T) {
	const rows = 20_000
	server, err := fake.New(faultsOf(t, "importSubscribers=delay:10ms"))
	require.NoError(t, err)
	var begun atomic.Int64
	point(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		begun.Add(1)
		server.ServeHTTP(w, req)
	}))
	file := write(t, "people.csv", crowd(rows)+"nobody,,\n")
	kills := 0
	for round := 0; ; round++ {
		cmd := program(t, "import", "subscribers", file, "--yes", "--limits", "off", "-q")
		require.NoError(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		var failed error
		if from := begun.Load(); round < 4 {
			for begun.Load() < from+3 {
				select {
				case failed = <-ended:
					t.Fatal("it ended by itself: ", failed)
				case <-time.After(time.Millisecond):
				}
			}
			require.NoError(t, cmd.Process.Kill())
			<-ended
			kills++
			continue
		}
		failed = <-ended
		var exit *exec.ExitError
		require.ErrorAs(t, failed, &exit)
		assert.Equal(t, 1, exit.ExitCode(), "a row is left out")
		break
	}
	counts := server.Counts()
	assert.Equal(t, rows, counts.People, "everybody arrived")
	assert.LessOrEqual(t, counts.Subscribers.Repeated, kills*1000, "at most what was in flight")
	rejected, err := os.ReadFile(filepath.Join(filepath.Dir(file), "people.rejected.csv"))
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(string(rejected), "nobody"))
}

// Events without a unique key may count twice: whether those that were in flight are sent again
// is for a person to say.
func TestEventsThatWereInFlightAreNotGuessed(t *testing.T) {
	for _, answer := range []string{"skip", "send"} {
		server, err := fake.New()
		require.NoError(t, err)
		var broken atomic.Bool
		broken.Store(true)
		point(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if server.Counts().Events.Accepted >= 1000 && broken.Load() {
				server.ServeHTTP(httptest.NewRecorder(), req)
				panic(http.ErrAbortHandler)
			}
			server.ServeHTTP(w, req)
		}))
		var lines strings.Builder
		for i := range 2500 {
			fmt.Fprintf(&lines, `{"type":"x","email":"person%d@example.com"}`+"\n", i)
		}
		file := write(t, "events.ndjson", lines.String())
		r := bentoctl(t.Context(), "", "import", "events", file, "--yes", "--limits", "off")
		assert.Equal(t, 4, r.code, r.err)
		assert.Contains(t, r.err, "goes on from there")
		broken.Store(false)
		r = bentoctl(t.Context(), "", "import", "events", file, "--yes", "--limits", "off")
		assert.Equal(t, 2, r.code)
		assert.Contains(t, r.err, "whether the events of lines 1001 to 2000 arrived is not known")
		r = bentoctl(t.Context(), "", "import", "events", file, "--yes", "--limits", "off", "--unknown", answer)
		if answer == "skip" {
			assert.Equal(t, 1, r.code)
			assert.Contains(t, r.out, "1,000 unknown")
			assert.Equal(t, 2500, server.Counts().Events.Accepted, "they had arrived")
			continue
		}
		assert.Equal(t, 0, r.code, r.err)
		assert.Equal(t, 3500, server.Counts().Events.Accepted)
	}
}

// Of events that were surely refused nobody needs to be asked.
func TestEventsThatWereRefusedAreSentByTheNextRun(t *testing.T) {
	server := serving(t, faultsOf(t, "trackEvents#2=401"))
	file := write(t, "events.ndjson", strings.Repeat(`{"type":"x","email":"ari@example.com"}`+"\n", 1500))
	r := bentoctl(t.Context(), "", "import", "events", file, "--yes", "--limits", "off")
	assert.Equal(t, 3, r.code, r.err)
	assert.Contains(t, r.err, "401")
	r = bentoctl(t.Context(), "", "import", "events", file, "--yes", "--limits", "off")
	assert.Equal(t, 0, r.code, r.err)
	assert.Contains(t, r.out, "1,500 accepted")
	assert.Equal(t, 1500, server.Counts().Events.Accepted)
}

func TestACheckpointIsOfItsOwnFileAndFlags(t *testing.T) {
	serving(t, faultsOf(t, "importSubscribers#2=401"))
	file := write(t, "people.csv", crowd(2500))
	r := bentoctl(t.Context(), "", "import", "subscribers", file, "--yes", "--limits", "off")
	assert.Equal(t, 3, r.code)
	assert.Contains(t, r.out, "1,000 accepted")
	r = bentoctl(t.Context(), "", "import", "subscribers", file, "--yes", "--limits", "off", "--tag", "other")
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.err, "with other flags")
	info, err := os.Stat(file)
	require.NoError(t, err)
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(whole, "new@example.com,,\n"...), 0o600))
	r = bentoctl(t.Context(), "", "import", "subscribers", file, "--yes", "--limits", "off")
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.err, "has changed since its import was interrupted at row 1000")
	require.NoError(t, os.WriteFile(file, whole, 0o600))
	require.NoError(t, os.Chtimes(file, info.ModTime(), info.ModTime()))
	r = bentoctl(t.Context(), "", "import", "subscribers", file, "--yes", "--limits", "off")
	assert.Equal(t, 0, r.code, r.err)
	assert.Contains(t, r.err, "going on after row 1,000")
	assert.Contains(t, r.out, "2,500 accepted")
}

// Interrupted, an import says in a line what was accepted in all, and how to go on if there is anything to go
// on with.
func TestCtrlCKeepsWhatIsDone(t *testing.T) {
	people := write(t, "people.csv", crowd(2500))
	events := write(t, "events.ndjson", strings.Repeat(`{"type":"x","email":"ari@example.com"}`+"\n", 2500))
	for name, tc := range map[string]struct {
		answered int // requests before it is interrupted
		args     []string
		says     string
	}{
		"at once":             {0, []string{"subscribers", write(t, "none.csv", crowd(10))}, "interrupted: 0 records accepted"},
		"people":              {1, []string{"subscribers", people}, "interrupted: 1,000 records accepted; the same command goes on from there"},
		"from standard input": {1, []string{"subscribers", "-", "--output-dir", t.TempDir()}, "interrupted: 1,000 records accepted"},
		"events without a key": {
			1, []string{"events", events}, "interrupted: 1,000 records accepted, and whether 1,000 more arrived is not known; the same command goes on from there",
		},
		"the second of two files": {
			4, []string{"subscribers", write(t, "first.csv", crowd(2500)), write(t, "second.csv", crowd(2500))},
			"interrupted: 3,500 records accepted; the same command goes on from there",
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		server, err := fake.New()
		require.NoError(t, err)
		point(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if server.Counts().Requests == tc.answered {
				_ = readAllOf(req.Body)
				cancel()
				<-req.Context().Done()
				return
			}
			server.ServeHTTP(w, req)
		}))
		r := bentoctl(ctx, crowd(2500), slices.Concat([]string{"import"}, tc.args, []string{"--yes", "--limits", "off"})...)
		assert.Equal(t, 130, r.code, "%s: %s", name, r.err)
		_, after, _ := strings.Cut(r.err, "\n\n")
		said := strings.Split(after, "\n\n") // behind the previews
		assert.Equal(t, "bentoctl: "+tc.says+"\n", said[len(said)-1], name)
	}
	serving(t)
	r := bentoctl(t.Context(), "", "import", "subscribers", people, "--yes", "--limits", "off")
	assert.Equal(t, 0, r.code)
	assert.Contains(t, r.err, "going on after row 1,000")
}

// Of several files, those that were done are not sent again; when all are, the same command imports them anew.
func TestAFileThatWasDoneIsNotSentAgain(t *testing.T) {
	server := serving(t, faultsOf(t, "trackEvents#5=401"))
	files := []string{write(t, "first.ndjson", strings.Repeat(`{"type":"x","email":"ari@example.com"}`+"\n", 2500)), write(t, "second.ndjson", strings.Repeat(`{"type":"y","email":"ari@example.com"}`+"\n", 2500))}
	args := slices.Concat([]string{"import", "events"}, files, []string{"--yes", "--limits", "off"})
	r := bentoctl(t.Context(), "", args...)
	assert.Equal(t, exitRefused, r.code, r.err)
	assert.Contains(t, r.err, "the same command goes on from there")
	r = bentoctl(t.Context(), "", args...)
	assert.Equal(t, 0, r.code, r.err)
	assert.Contains(t, r.err, files[0]+": done before, 2,500 rows\n"+files[1]+": going on after row 1,000\n")
	assert.Equal(t, 2, strings.Count(r.out, "2,500 accepted"), r.out)
	assert.Equal(t, 5000, server.Counts().Events.Accepted)
	left, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(files[0])), "*", "*.bentoctl-import"))
	require.NoError(t, err)
	assert.Empty(t, left)
	r = bentoctl(t.Context(), "", args...)
	assert.Equal(t, 0, r.code, r.err)
	assert.Equal(t, 10_000, server.Counts().Events.Accepted)
}

// Files of one name whose checkpoints go to one folder are each imported; one that is given twice is imported once.
func TestFilesOfOneNameAreEachImported(t *testing.T) {
	server := serving(t)
	one, other := write(t, "people.csv", crowd(10)), write(t, "people.csv", "email\nari@acme.example\n")
	r := bentoctl(t.Context(), "", "import", "subscribers", one, other, other, "--yes", "--limits", "off", "--output-dir", t.TempDir())
	assert.Equal(t, 0, r.code, r.err)
	assert.Contains(t, r.err, other+": done before, 1 row\n")
	assert.Equal(t, 11, server.Counts().Subscribers.Accepted)
}

// They go on, each where it was.
func TestFilesOfOneNameGoOn(t *testing.T) {
	server := serving(t, faultsOf(t, "trackEvents#4=401"))
	event := `{"type":"x","email":"ari@example.com"}` + "\n"
	args := []string{"import", "events", write(t, "orders.ndjson", strings.Repeat(event, 1500)), write(t, "orders.ndjson", strings.Repeat(event, 2500)), "--yes", "--limits", "off", "--output-dir", t.TempDir()}
	assert.Equal(t, exitRefused, bentoctl(t.Context(), "", args...).code)
	r := bentoctl(t.Context(), "", args...)
	assert.Equal(t, 0, r.code, r.err)
	assert.Contains(t, r.err, "done before, 1,500 rows\n")
	assert.Equal(t, 4000, server.Counts().Events.Accepted)
}

// An import that got nowhere goes on as the same: what an outbox has of it already is known by its run.
func TestAnImportThatGotNowhereIsTheSame(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	for _, tc := range []struct {
		begin importState
		run   string
	}{
		{importState{Version: importVersion, Size: 7, Run: "a"}, "a"},
		{importState{Version: importVersion, Size: 7, Run: "b"}, "a"},
		{importState{Version: importVersion, Size: 8, Run: "c"}, "c"},
		{importState{Version: importVersion, Size: 8, Run: "d"}, "c"},
	} {
		c, err := openCheckpoint(path, tc.begin, false)
		require.NoError(t, err)
		assert.Equal(t, tc.run, c.state.Run)
		require.NoError(t, c.close(false))
	}
}

// A file that breaks in the middle says what was done, and promises nothing of the same command.
func TestAFileThatBreaksInTheMiddle(t *testing.T) {
	server := serving(t)
	file := write(t, "people.csv", crowd(1500)+"\"bo@example.com,Bo,pro\ncy@example.com,Cy,pro\n")
	r := bentoctl(t.Context(), "", "import", "subscribers", file, "--yes", "--limits", "off")
	assert.Equal(t, exitUsage, r.code)
	assert.Contains(t, r.err, "is not closed in its place: nothing behind it can be read: the 1,500 rows before it are dealt with; mend what follows them, and import it as a file of its own")
	assert.NotContains(t, r.err, "same command")
	assert.Equal(t, 1500, server.Counts().Subscribers.Accepted)
}

// The pace holds back what would come after the end: that is the time's being over, too.
func TestATimeoutThatThePaceForesees(t *testing.T) {
	file := write(t, "people.csv", crowd(5000))
	inNoTime(t, func(t *testing.T, _ *fake.Server) {
		r := bentoctl(t.Context(), "", "import", "subscribers", file, "--yes", "--timeout", "2500ms")
		assert.Equal(t, exitGaveUp, r.code)
		assert.Contains(t, r.err, "\nbentoctl: --timeout is over: 3,000 records accepted; the same command goes on from there\n")
	})
}

// A time that is over is an end of the same kind.
func TestATimeoutOfAnImportSaysWhatItCameTo(t *testing.T) {
	file := write(t, "people.csv", crowd(2500))
	inNoTime(t, func(t *testing.T, _ *fake.Server) {
		r := bentoctl(t.Context(), "", "import", "subscribers", file, "--yes", "--timeout", "5s")
		assert.Equal(t, exitGaveUp, r.code)
		assert.True(t, strings.HasSuffix(r.err, "\nbentoctl: --timeout is over: 1,000 records accepted; the same command goes on from there\n"), r.err)
	}, faultsOf(t, "importSubscribers#2=delay:5m"))
}

// What ends an import is said without what one batch came to, and that something is noted only if it is.
func TestWhatEndsAnImportIsSaidOnce(t *testing.T) {
	serving(t, faultsOf(t, "importSubscribers=401"))
	r := bentoctl(t.Context(), "", "import", "subscribers", write(t, "people.csv", crowd(2500)), "--yes", "--limits", "off")
	assert.Equal(t, exitRefused, r.code)
	assert.Contains(t, r.err, "\n\nbentoctl: bento: importSubscribers: 401 Unauthorized")
	assert.NotContains(t, r.err, "records accepted")
	assert.NotContains(t, r.err, "noted")
}

// A disk that is full when somebody interrupts is told, and nothing is promised.
func TestAnInterruptHidesNothingElse(t *testing.T) {
	t.Parallel()
	why := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	lost := errors.New("people.csv.bentoctl: no space left on device")
	assert.True(t, wasInterrupted(ctx, errors.Join(context.Canceled, fmt.Errorf("row 7: %w", why))))
	assert.False(t, wasInterrupted(ctx, errors.Join(context.Canceled, lost)))
	assert.False(t, wasInterrupted(ctx, errors.Join(errors.Join(lost), context.Canceled)))
}
