package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"example.com/bento-go/cmd/bentoctl/internal/intake"
	"example.com/bento-go/outbox"
)

// newTrouble tells of trouble in the line of progress where there is one, for it goes away with it.
func (im *importer) newTrouble() func(trouble string, first bool) {
	inALine := im.globals.newTrouble()
	return func(trouble string, first bool) {
		if im.progress.terminal {
			im.progress.show(trouble)
			return
		}
		inALine(trouble, first)
	}
}

func (im *importer) run(ctx context.Context, names []string) error {
	if err := im.prepare(ctx, names); err != nil {
		return err
	}
	defer debug.SetGCPercent(debug.SetGCPercent(300)) // a batch after the other is garbage, and the heap is small
	if im.client != nil {
		defer im.client.CloseIdleConnections()
	}
	if im.outbox != "" && !im.dryRun {
		store, err := im.openOutbox(ctx, im.outbox)
		if err != nil {
			return err
		}
		defer func() { _ = store.Close() }()
		im.spool = outbox.New(nil, store)
	}
	var files []*intake.File
	defer func() {
		for _, f := range files {
			_ = f.Close()
		}
	}()
	for _, name := range names {
		opened, err := im.open(ctx, name)
		if err != nil {
			return err
		}
		files = append(files, opened...)
	}
	if err := im.preview(files); err != nil {
		return err
	}
	if !im.dryRun {
		about := "This imports them to your site, which may trigger automations."
		if im.spool != nil {
			about = "This keeps them in the outbox, from where bentoctl relay imports them to your site."
		}
		if err := im.confirm(ctx, im.yes, about); err != nil {
			return err
		}
	}
	reports, err := im.each(ctx, files)
	return im.conclude(ctx, reports, err)
}

// each imports the files, one after the other. Their checkpoints stay until all are done.
func (im *importer) each(ctx context.Context, files []*intake.File) ([]importReport, error) {
	var reports []importReport
	for _, f := range files {
		report, err := im.one(ctx, f)
		reports = append(reports, report)
		if err != nil {
			return reports, err
		}
	}
	var failed error
	for _, r := range reports {
		if r.checkpoint == "" {
			continue
		}
		if err := os.Remove(r.checkpoint); !errors.Is(err, os.ErrNotExist) { // a file may be given twice
			failed = errors.Join(failed, err)
		}
	}
	return reports, failed
}

// open opens a file, or those that a ZIP holds; - is standard input.
func (im *importer) open(ctx context.Context, name string) ([]*intake.File, error) {
	var stdin io.Reader
	if name == "-" {
		stdin = interruptible(ctx, im.in)
	}
	files, err := intake.Open(name, stdin)
	if err != nil {
		return nil, usage("%w", err)
	}
	return files, nil
}

// one imports a file.
func (im *importer) one(ctx context.Context, f *intake.File) (importReport, error) {
	report := importReport{File: f.Name}
	reader, err := intake.NewReader(f, im.optionsOf(f))
	if err != nil {
		return report, usage("%w", err)
	}
	state := &importState{Version: importVersion, Size: f.Size, Options: im.digest(f), Run: rand.Text()}
	job := &importJob{importer: im, reader: reader, file: f, state: state}
	im.progress = im.newProgress(filepath.Base(f.Name), im.attempts)
	path := im.beside(f)
	if path != "" && !im.dryRun {
		if info, err := os.Stat(f.Path); err == nil {
			state.Changed = info.ModTime()
		}
		if job.checkpoint, err = openCheckpoint(checkpointOf(path, f), *state, im.kind == intake.Events); err != nil {
			return report, usage("%s: %w", f.Name, err)
		}
		report.checkpoint, job.state = job.checkpoint.path, &job.checkpoint.state
		im.tellResumed(f, job.state)
	}
	if path == "" {
		path = filepath.Join(im.outputDir, "standard-input")
	}
	job.rejected = newAside(filepath.Dir(path), path, rejected, reader.Header(), job.state.Rejected)
	job.withheld = newAside(filepath.Dir(path), path, suppressed, reader.Header(), job.state.Withheld)
	job.rejected.dry, job.withheld.dry = im.dryRun, im.dryRun
	var took time.Duration
	if !job.state.Done {
		began := time.Now()
		err = job.run(ctx)
		im.progress.end()
		took = time.Since(began)
	}
	err = errors.Join(err, job.rejected.close(), job.withheld.close())
	if job.checkpoint != nil {
		err = errors.Join(err, job.checkpoint.close(err == nil))
	}
	return job.report(report, took), err
}

// tellResumed says what was done before.
func (im *importer) tellResumed(f *intake.File, state *importState) {
	switch {
	case im.quiet:
	case state.Done:
		fmt.Fprintf(im.err, "%s: done before, %s\n", f.Name, plural(state.Rows, "row"))
	case state.Rows > 0:
		fmt.Fprintf(im.err, "%s: going on after row %s\n", f.Name, thousands(state.Rows))
	}
}

// optionsOf are those of a file: of a ZIP's members each says by its name who its people are, whatever is said
// of the others.
func (im *importer) optionsOf(f *intake.File) intake.Options {
	options := im.intake
	if im.kind == intake.Subscribers && f.Path != "" && f.Name != f.Path {
		options.As = cmp.Or(intake.StandingOfName(f.Name), options.As)
	}
	return options
}

// beside is the path that checkpoints and set-aside rows are named after; "" if the file has none.
func (im *importer) beside(f *intake.File) string {
	switch {
	case f.Path == "":
		return ""
	case im.outputDir != "":
		return filepath.Join(im.outputDir, strings.ReplaceAll(strings.TrimPrefix(f.Name, filepath.Dir(f.Path)), "/", "-"))
	case f.Path != f.Name: // a ZIP's member
		return f.Path + "-" + filepath.Base(f.Name)
	}
	return f.Path
}

// checkpointOf is the path of a file's checkpoint: where files of one name would share it, by more than the name.
func checkpointOf(path string, f *intake.File) string {
	if where, err := filepath.Abs(f.Name); err == nil && path != f.Path {
		path += "." + fmt.Sprintf("%x", sha256.Sum256([]byte(where)))[:8]
	}
	return path + ".bentoctl-import"
}

// digest tells imports with other flags apart.
func (im *importer) digest(f *intake.File) string {
	encoded, _ := json.Marshal([]any{f.Name, im.kind, im.intake, im.suppress, im.limit, im.outbox})
	return fmt.Sprintf("%x", sha256.Sum256(encoded))[:16]
}
