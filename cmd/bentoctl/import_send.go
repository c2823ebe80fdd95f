package main

import (
	"context"
	"errors"
	"slices"

	"example.com/bento-go/cmd/bentoctl/internal/intake"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// send sends the chunk: who must not be written to first, then the others.
func (j *importJob) send(ctx context.Context) error {
	if err := j.judge(); err != nil {
		return err
	}
	if j.dryRun || len(j.chunk.records)+len(j.chunk.unsubbed) == 0 {
		return j.done()
	}
	if j.spool != nil {
		if err := j.keep(ctx); err != nil {
			return err
		}
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
	if result.Failed == len(j.chunk.records) && !result.Problems[0].Counted && (errors.Is(err, bento.ErrBadRequest) || errors.Is(err, bento.ErrUnprocessable)) {
		return j.client.SendRaw(ctx, j.operation(), j.chunk.records, append(opts, bento.WithBisection())...)
	}
	return result, err
}

// harmless reports whether sending the chunk twice changes nothing: people sent again are the same
// people, and Bento drops events whose unique key it has seen. An outbox drops them by their lines.
func (j *importJob) harmless() bool {
	return j.kind == intake.Subscribers || j.chunk.keyed || j.spool != nil
}

// count takes the result of a request into the tally. Its error ends the import, before the rows
// count as dealt with.
func (j *importJob) count(result *bento.Result, err error, lines []int) error {
	t := &j.chunk.tally
	var partly *bento.BatchError
	if err != nil && !errors.As(err, &partly) {
		return err
	}
	if stop := ending(err); stop != nil {
		return j.stopped(result, stop)
	}
	if lines != nil {
		t.count(result, lines)
		return j.refused(result)
	}
	t.Failed += result.Failed
	t.Unknown += result.Unknown
	for _, p := range result.Problems {
		t.tell("people who must not be written to: %v", p.Err)
	}
	return nil
}

// refused sets aside what Bento refused.
func (j *importJob) refused(result *bento.Result) error {
	named := map[int]bool{} // which have a problem of their own, between those of their batch
	for _, p := range result.Problems {
		if p.First == p.Last {
			named[p.First] = true
		}
	}
	for _, p := range result.Problems {
		if p.Failed == 0 || p.Accepted+p.Unknown+p.NotSent > 0 { // or nobody knows which it was
			continue
		}
		for at := p.First; at <= p.Last; at++ {
			if named[at] && p.First < p.Last {
				continue
			}
			row := intake.Row{Line: j.chunk.lines[at], Text: j.chunk.records[at]}
			if wide := len(j.reader.Header()); wide > 0 {
				row.Cells, row.Text = j.chunk.cells[at*wide:(at+1)*wide], nil
			}
			if err := j.rejected.put(&row, p.Err.Error()); err != nil {
				return err
			}
		}
	}
	return nil
}

// ending is an error that makes it pointless to go on: anything but what is wrong with records. What one
// batch came to is none of its words: the summary has it, of all of them.
func ending(err error) error {
	for _, stop := range []error{
		bento.ErrUnauthorized, bento.ErrForbidden, bento.ErrRateLimited, bento.ErrServer, bento.ErrNetwork, bento.ErrTimeout, bento.ErrCanceled,
		bento.ErrPaced, bento.ErrUnexpectedAnswer, bento.ErrRedirected, bento.ErrNotFound,
	} {
		if !errors.Is(err, stop) {
			continue
		}
		var partly *bento.BatchError
		if errors.As(err, &partly) {
			at := slices.IndexFunc(partly.Result.Problems, func(p bento.Problem) bool { return errors.Is(p.Err, stop) })
			return partly.Result.Problems[at].Err
		}
		return err
	}
	return nil
}
