package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"example.com/bento-go/cmd/bentoctl/internal/intake"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// An importTally counts what became of the rows of a file.
type importTally struct {
	Read     int                     `json:"read"`
	Accepted int                     `json:"accepted"`
	Withheld map[intake.Standing]int `json:"withheld,omitempty"` // not to be written to, by standing
	LeftOut  int                     `json:"left_out,omitempty"` // wrong, and not sent
	Failed   int                     `json:"failed,omitempty"`   // refused by Bento
	Unknown  int                     `json:"unknown,omitempty"`  // sent, and nobody knows
	Told     []string                `json:"problems,omitempty"` // at most maxProblems, in words
}

const maxProblems = 20

func (t *importTally) tell(format string, args ...any) {
	if len(t.Told) < maxProblems {
		t.Told = append(t.Told, fmt.Sprintf(format, args...))
	}
}

func (t *importTally) add(other importTally) {
	t.Read += other.Read
	t.Accepted += other.Accepted
	t.LeftOut += other.LeftOut
	t.Failed += other.Failed
	t.Unknown += other.Unknown
	for standing, n := range other.Withheld {
		if t.Withheld == nil {
			t.Withheld = map[intake.Standing]int{}
		}
		t.Withheld[standing] += n
	}
	t.Told = append(t.Told, other.Told[:min(len(other.Told), maxProblems-len(t.Told))]...)
}

func (t *importTally) withheld() int {
	n := 0
	for _, of := range t.Withheld {
		n += of
	}
	return n
}

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
	progress   *progress

	chunk chunk
}

// A chunk is rows that follow one another, as many as a request holds.
type chunk struct {
	rows     int // of the file, whatever became of them
	tally    importTally
	memory   []byte
	records  []json.RawMessage
	lines    []int
	keyed    bool // each is an event whose repeat Bento drops
	unsubbed []json.RawMessage
}

func (c *chunk) reset() {
	*c = chunk{memory: c.memory[:0], records: c.records[:0], lines: c.lines[:0], unsubbed: c.unsubbed[:0], keyed: true}
}

// keep copies a record into the chunk's memory.
func (c *chunk) keep(record []byte) json.RawMessage {
	from := len(c.memory)
	c.memory = append(c.memory, record...)
	return c.memory[from:len(c.memory):len(c.memory)]
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
		err := j.fill(j.mayRead())
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
	if err := j.fill(rows); err != nil {
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

// fill reads rows into the chunk until it is full, or has so many.
func (j *importJob) fill(rows int) error {
	op, _ := gen.OperationByID(j.operation())
	for len(j.chunk.records) < op.BatchMax && len(j.chunk.unsubbed) < op.BatchMax && j.chunk.rows < rows {
		row, err := j.reader.Next()
		if err != nil {
			return err
		}
		j.chunk.rows++
		if err := j.take(&row); err != nil {
			return err
		}
		if len(j.chunk.memory) > j.chunkBytes {
			break
		}
	}
	return nil
}

// take puts a row where it belongs.
func (j *importJob) take(row *intake.Row) error {
	t := &j.chunk.tally
	t.Read++
	switch {
	case row.Reason != "":
		t.LeftOut++
		t.tell("line %d: %s", row.Line, row.Reason)
		return j.rejected.put(row, row.Reason)
	case row.Standing != intake.Active:
		if t.Withheld == nil {
			t.Withheld = map[intake.Standing]int{}
		}
		t.Withheld[row.Standing]++
		if j.suppress == suppressByCommand {
			command, err := json.Marshal(bento.Unsubscribe(row.Email))
			j.chunk.unsubbed = append(j.chunk.unsubbed, command)
			return err
		}
		return j.withheld.put(row, string(row.Standing))
	}
	j.chunk.records = append(j.chunk.records, j.chunk.keep(row.Record))
	j.chunk.lines = append(j.chunk.lines, row.Line)
	j.chunk.keyed = j.chunk.keyed && row.Keyed
	return nil
}

// send sends the chunk: who must not be written to first, then the others.
func (j *importJob) send(ctx context.Context) error {
	if err := j.judge(); err != nil {
		return err
	}
	if j.dryRun || len(j.chunk.records)+len(j.chunk.unsubbed) == 0 {
		return j.done()
	}
	if err := j.begin(); err != nil {
		return err
	}
	if len(j.chunk.unsubbed) > 0 {
		result, err := j.client.SendRaw(ctx, gen.OpRunCommands, j.chunk.unsubbed)
		if err := j.count(result, err, nil); err != nil {
			return err
		}
	}
	if len(j.chunk.records) > 0 {
		result, err := j.sendRecords(ctx)
		if err := j.count(result, err, j.chunk.lines); err != nil {
			return err
		}
	}
	return j.done()
}

// sendRecords sends those who may be written to. What Bento refuses for what is in it is sent in
// halves, to find the records that are to blame.
func (j *importJob) sendRecords(ctx context.Context) (*bento.Result, error) {
	var opts []bento.BatchOption
	if j.harmless() {
		opts = append(opts, bento.WithHarmlessRepeat())
	}
	result, err := j.client.SendRaw(ctx, j.operation(), j.chunk.records, opts...)
	if result.Failed == len(j.chunk.records) && (errors.Is(err, bento.ErrBadRequest) || errors.Is(err, bento.ErrUnprocessable)) {
		return j.client.SendRaw(ctx, j.operation(), j.chunk.records, append(opts, bento.WithBisection())...)
	}
	return result, err
}

// harmless reports whether sending the chunk twice changes nothing: people sent again are the same
// people, and Bento drops events whose unique key it has seen.
func (j *importJob) harmless() bool { return j.kind == intake.Subscribers || j.chunk.keyed }

// count takes the result of a request into the tally. Its error ends the import, before the rows
// count as dealt with.
func (j *importJob) count(result *bento.Result, err error, lines []int) error {
	t := &j.chunk.tally
	var partly *bento.BatchError
	if err != nil && !errors.As(err, &partly) {
		return err
	}
	if result.NotSent > 0 || j.kind == intake.Subscribers && result.Unknown > 0 {
		return j.notInFlight(result, err)
	}
	if lines != nil {
		t.Accepted += result.Accepted
	}
	t.Failed += result.Failed
	t.Unknown += result.Unknown
	for _, p := range result.Problems {
		switch {
		case lines == nil:
			t.tell("people who must not be written to: %v", p.Err)
		case p.First == p.Last:
			t.tell("line %d: %v", lines[p.First], p.Err)
		default:
			t.tell("lines %d to %d: %v", lines[p.First], lines[p.Last], p.Err)
		}
	}
	return ending(err)
}

// notInFlight takes back that rows are in flight, if surely none of them arrived.
func (j *importJob) notInFlight(result *bento.Result, err error) error {
	if result.Accepted+result.Unknown+result.Failed == 0 {
		j.state.InFlight = 0
		return errors.Join(err, j.checkpoint.save())
	}
	return err
}

// ending is an error that makes it pointless to go on: anything but what is wrong with records.
func ending(err error) error {
	for _, stop := range []error{
		bento.ErrUnauthorized, bento.ErrForbidden, bento.ErrRateLimited, bento.ErrServer, bento.ErrNetwork, bento.ErrTimeout, bento.ErrCanceled,
		bento.ErrPaced, bento.ErrUnexpectedAnswer, bento.ErrRedirected, bento.ErrNotFound,
	} {
		if errors.Is(err, stop) {
			return err
		}
	}
	return nil
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

// judge asks the contract about records that were not made here: lines of NDJSON. Those it does not
// allow are left out.
func (j *importJob) judge() error {
	if j.reader.Header() != nil || len(j.chunk.records) == 0 {
		return nil
	}
	wrong, err := j.contract.judge(j.operation(), j.chunk.records)
	if err != nil || len(wrong) == 0 {
		return err
	}
	kept, lines := j.chunk.records[:0], j.chunk.lines[:0]
	for at, record := range j.chunk.records {
		line := j.chunk.lines[at]
		if message, isWrong := wrong[at]; isWrong {
			j.chunk.tally.LeftOut++
			j.chunk.tally.tell("line %d: %s", line, message)
			if err := j.rejected.put(&intake.Row{Line: line, Text: record}, message); err != nil {
				return err
			}
			continue
		}
		kept, lines = append(kept, record), append(lines, line)
	}
	j.chunk.records, j.chunk.lines = kept, lines
	return nil
}
