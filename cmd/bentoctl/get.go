package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// A reading is one thing that get reads: a single thing, a list, or a list in pages.
type reading struct {
	operation                 string
	use, short, long, example string
	args                      cobra.PositionalArgs
	columns, more             string // what tables show, and what CSV has besides
	flags                     func(*pflag.FlagSet)

	one   func(context.Context, *query) error
	plain bool // the answer is the thing itself, which nothing wraps
	list  func(ctx context.Context, q *query, page int) error
	held  string // the member of the answer that holds the list; empty: data
	all   func(context.Context, *query) iter.Seq2[[]json.RawMessage, error]
}

// How the flags of get want it.
type printing struct {
	format string
	page   int
	all    bool
}

func newGet(g *globals) *cobra.Command {
	how := printing{format: "table"}
	cmd := &cobra.Command{
		Use:   "get RESOURCE",
		Short: "Read anything that Bento can be asked for",
		Long: "Reads from Bento and prints what it answers: a table for people, and JSON, NDJSON or CSV\n" +
			"for programs. A table cuts what is too long for the line, and shows control characters\n" +
			"escaped; the other formats print every value whole, as Bento wrote it.\n\n" +
			"Exit code: 0, 1 if there is no such thing, 2 usage, 3 credentials refused, 4 gave up.",
		Example: "  bentoctl get subscriber ari@example.com\n" +
			"  bentoctl get broadcasts --status draft --page 2\n" +
			"  bentoctl get subscribers --tags vip --all --format csv > vip.csv",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&how.format, "format", "table", "table, json, ndjson or csv")
	for _, r := range slices.Concat(people(), campaigns(), numbers(), deliveries(), chat(), experiments()) {
		cmd.AddCommand(newReading(g, r, &how))
	}
	return cmd
}

func newReading(g *globals, r reading, how *printing) *cobra.Command {
	cmd := &cobra.Command{
		Use: r.use, Short: r.short, Long: r.explained(), Example: "  bentoctl get " + strings.ReplaceAll(r.example, "\n", "\n  bentoctl get "),
		Args: r.args,
		RunE: func(cmd *cobra.Command, args []string) error {
			if g.json && !cmd.Flags().Changed("format") {
				how.format = "json"
			}
			if !slices.Contains([]string{"table", "json", "ndjson", "csv"}, how.format) {
				return usage("--format %s: want table, json, ndjson or csv", how.format)
			}
			if how.all && cmd.Flags().Changed("page") {
				return usage("--page and --all exclude each other: give one")
			}
			ctx, cancel := g.bounded(cmd.Context())
			defer cancel()
			return g.get(ctx, r, args, *how)
		},
	}
	if r.args == nil {
		cmd.Args = cobra.NoArgs
	}
	if r.flags != nil {
		r.flags(cmd.Flags())
	}
	if r.all != nil {
		cmd.Flags().IntVar(&how.page, "page", 1, "which page, from 1")
		cmd.Flags().BoolVar(&how.all, "all", false, "every page, printed as it comes")
	}
	return cmd
}

// explained is the long text, with what the contract says of the operation.
func (r reading) explained() string {
	op, _ := gen.OperationByID(r.operation)
	text := r.long + "\n\nContract: " + op.Method + " " + op.Path
	if op.Plan != "" {
		text += ", for the plan " + op.Plan
	}
	if op.Uncertain {
		text += "; not all of it is documented"
	}
	return text + "."
}

// A query is one run of a reading.
type query struct {
	client *bento.Client
	in     io.Reader
	args   []string
	held   string
	answer bento.Response // the last one
}

// keep is the option that keeps the answer, to print it as Bento wrote it.
func (q *query) keep() bento.CallOption { return bento.WithResponse(&q.answer) }

func (g *globals) get(ctx context.Context, r reading, args []string, how printing) error {
	client, err := g.connectWatched(ctx)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	q := &query{client: client, in: g.in, args: args, held: cmp.Or(r.held, "data")}
	out := g.newPrinter(how.format, r)
	if r.one != nil {
		if err = r.one(ctx, q); err == nil {
			err = out.one(q.thing(r.plain))
		}
	} else {
		err = g.getList(ctx, r, q, how, out)
	}
	switch {
	case hungUp(err):
		return nil
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("ended early: %w", context.Cause(ctx))
	case errors.Is(err, bento.ErrPaced): // the next turn would have come after it
		return fmt.Errorf("ended early: %w", errTimeout)
	}
	return err
}

func (g *globals) getList(ctx context.Context, r reading, q *query, how printing, out printer) error {
	count := 0
	for items, err := range r.pages(ctx, q, how) {
		if err != nil {
			return err
		}
		count += len(items)
		if err := out.page(items); err != nil {
			return err
		}
	}
	if err := out.end(); err != nil || g.quiet || how.format != "table" {
		return err
	}
	switch {
	case count == 0 && how.page > 1:
		fmt.Fprintf(g.err, "nothing on page %d\n", how.page)
	case count == 0:
		fmt.Fprintln(g.err, "nothing found")
	case r.all != nil && !how.all:
		fmt.Fprintf(g.err, "page %d; --page %d for the next, --all for every one\n", how.page, how.page+1)
	}
	return nil
}

// pages are those that were asked for, as Bento wrote them.
func (r reading) pages(ctx context.Context, q *query, how printing) iter.Seq2[[]json.RawMessage, error] {
	if how.all {
		return r.all(ctx, q)
	}
	return func(yield func([]json.RawMessage, error) bool) {
		if err := r.list(ctx, q, how.page); err != nil {
			yield(nil, err)
			return
		}
		yield(q.items())
	}
}

// walked makes pages of a walk over their items.
func walked[T any](q *query, walk iter.Seq2[T, error]) iter.Seq2[[]json.RawMessage, error] {
	return func(yield func([]json.RawMessage, error) bool) {
		left := 0 // items of the page that was passed on already
		for _, err := range walk {
			if err == nil && left > 0 {
				left--
				continue
			}
			var items []json.RawMessage
			if err == nil {
				items, err = q.items()
				left = len(items) - 1
			}
			if !yield(items, err) || err != nil {
				return
			}
		}
	}
}

// hungUp reports whether whoever read the output has had enough, as head has.
func hungUp(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}
