package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"example.com/bento-go/cmd/bentoctl/internal/intake"
	bento "example.com/bento-go/wrapper"
)

// An importJob sends one file. It reads a chunk of rows, sends it, and notes in the checkpoint that
// it did: before a request, what is about to be in flight; after it, that it is not.
type importJob struct {
	*importer
	reader     *intake.Reader
	file       *intake.File
	checkpoint *checkpoint // nil if there is none, as of standard input
	state      *importState
	rejected   *aside
	withheld   *aside

	chunk chunk
}

// run sends what the checkpoint does not know as sent.
func (j *importJob) run(ctx context.Context) error {
	resumed := j.state.Rows
	for range resumed {
		if _, err := j.reader.Next(); err != nil {
			return fmt.Errorf("the %d rows that were sent before cannot be read again: %w", resumed, err)
		}
	}
	j.progress.start(resumed, j.file)
	j.chunk.reset()
	if err := j.settleFlight(ctx); err != nil {
		return err
	}
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := j.fill(j.mayRead(), maxChunk)
		if j.chunk.rows > 0 {
			if err := j.send(ctx); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF), err == nil && j.mayRead() == 0:
			return nil
		case err != nil:
			return err
		}
	}
}

// settleFlight deals with the rows whose request was begun when the import ended, and not answered:
// a person sent again is the same person, an event is not.
func (j *importJob) settleFlight(ctx context.Context) error {
	rows := j.state.InFlight
	if rows == 0 {
		return nil
	}
	if err := j.fill(rows, math.MaxInt); err != nil {
		return err
	}
	if j.harmless() || j.unknown == "send" {
		return j.send(ctx)
	}
	first, last := j.chunk.lines[0], j.chunk.lines[len(j.chunk.lines)-1]
	if j.unknown != "skip" {
		return usage("%s: whether the events of lines %d to %d arrived is not known, since the import was cut off while it sent them, "+
			"and not all of them have a unique key: look in Bento, then say --unknown send or --unknown skip", j.file.Name, first, last)
	}
	if err := j.judge(); err != nil { // what is wrong was not sent
		return err
	}
	j.chunk.tally.Unknown += len(j.chunk.records)
	j.chunk.tally.tell("lines %d to %d: the import was cut off while it sent them; skipped, as you said", first, last)
	return j.done()
}

// mayRead is how many rows of the file are still to be read, by --limit.
func (j *importJob) mayRead() int {
	if j.limit == 0 {
		return math.MaxInt
	}
	return max(0, j.limit-j.state.Rows)
}

// stopped ends the import: the chunk is not dealt with. If surely nothing of it arrived, the checkpoint
// says so, and the next run need not ask.
func (j *importJob) stopped(result *bento.Result, why error) error {
	if result.Accepted+result.Unknown > 0 {
		return why
	}
	j.state.InFlight = 0
	return errors.Join(why, j.checkpoint.save())
}

// begin notes that the chunk is in flight, if that matters.
func (j *importJob) begin() error {
	if j.harmless() {
		return nil
	}
	j.state.InFlight = j.chunk.rows
	return j.checkpoint.save()
}

// done notes that the chunk has been dealt with.
func (j *importJob) done() error {
	if err := errors.Join(j.rejected.settle(), j.withheld.settle()); err != nil {
		return err
	}
	j.state.Rejected, j.state.Withheld = j.rejected.state, j.withheld.state
	j.state.Tally.add(j.chunk.tally)
	j.state.Rows += j.chunk.rows
	j.state.InFlight = 0
	j.chunk.reset()
	j.progress.update(j.state, j.file)
	return j.checkpoint.save()
}
