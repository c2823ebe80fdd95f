package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"example.com/bento-go/cmd/bentoctl/internal/intake"
	"example.com/bento-go/gen"
	bento "example.com/bento-go/wrapper"
)

// A runner is a command of Bento's for one person.
type runner struct {
	use, short, example string
	destroys            bool // something that was there is gone after it
	command             func(email string, query []string) bento.Command
}

var runners = []runner{
	{"add-tag EMAIL TAG", "Give a person a tag; nothing is triggered", "add-tag ari@example.com vip", false, func(e string, q []string) bento.Command { return bento.AddTag(e, q[0]) }},
	{"add-tag-via-event EMAIL TAG", "Give a person a tag, and trigger what follows", "add-tag-via-event ari@example.com vip", false, func(e string, q []string) bento.Command { return bento.AddTagViaEvent(e, q[0]) }},
	{"remove-tag EMAIL TAG", "Take a tag from a person", "remove-tag ari@example.com vip", true, func(e string, q []string) bento.Command { return bento.RemoveTag(e, q[0]) }},
	{"add-field EMAIL NAME VALUE", "Write a field of a person", "add-field ari@example.com plan pro", false, func(e string, q []string) bento.Command { return bento.AddField(e, q[0], q[1]) }},
	{"remove-field EMAIL NAME", "Remove a field of a person", "remove-field ari@example.com plan", true, func(e string, q []string) bento.Command { return bento.RemoveField(e, q[0]) }},
	{"subscribe EMAIL", "Let a person be written to again", "subscribe ari@example.com", false, func(e string, _ []string) bento.Command { return bento.Subscribe(e) }},
	{"unsubscribe EMAIL", "Write to a person no more", "unsubscribe ari@example.com", true, func(e string, _ []string) bento.Command { return bento.Unsubscribe(e) }},
	{"change-email EMAIL NEW", "Give a person another address", "change-email ari@example.com ari@acme.example", true, func(e string, q []string) bento.Command { return bento.ChangeEmail(e, q[0]) }},
}

func newRun(g *globals) *cobra.Command {
	var file string
	var yes bool
	cmd := &cobra.Command{
		Use:   "run COMMAND EMAIL",
		Short: "Run commands on people",
		Long: "Runs a command on a person, or with --file one a line, as the contract has them: " +
			`{"command":"add_tag","email":"ari@example.com","query":"vip"}. Lines that the contract does not ` +
			"allow are reported and left out; the rest goes on.\n\n" +
			"Commands after which something is gone ask first; --yes says yes. They take effect within minutes.",
		Example: "  bentoctl run add-tag ari@example.com vip\n" +
			"  bentoctl run unsubscribe ari@example.com --yes\n" +
			"  bentoctl run --file commands.ndjson --yes",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return cmd.Help()
			}
			ctx, cancel := g.bounded(cmd.Context())
			defer cancel()
			return g.runFile(ctx, file, yes)
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "NDJSON of commands; - is standard input")
	yesFlag(cmd, &yes, "do not ask")
	for _, r := range runners {
		cmd.AddCommand(newRunner(g, r))
	}
	return cmd
}

func newRunner(g *globals, r runner) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: r.use, Short: r.short, Example: "  bentoctl run " + r.example, Args: asUsed,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := g.bounded(cmd.Context())
			defer cancel()
			if r.destroys {
				if err := g.confirm(ctx, yes, r.short+": "+strings.Join(args, " ")+"."); err != nil {
					return err
				}
			}
			client, err := g.connectWatched(ctx)
			if err != nil {
				return err
			}
			defer client.CloseIdleConnections()
			result, err := client.RunCommands(ctx, []bento.Command{r.command(args[0], args[1:])})
			return g.sent(result, err, cmd.Name()+" "+args[0])
		},
	}
	if r.destroys {
		yesFlag(cmd, &yes, "do not ask")
	}
	return cmd
}

// A commandRun is the commands of one file.
type commandRun struct {
	client  *bento.Client
	judge   contractJudge
	reader  *intake.Reader
	name    string
	records []json.RawMessage
	lines   []int
	tally   importTally
}

func (g *globals) runFile(ctx context.Context, name string, yes bool) error {
	if name == "-" && !yes {
		return usage("standard input is the file, so nobody can be asked: give --yes")
	}
	var stdin io.Reader
	if name == "-" {
		stdin = interruptible(ctx, g.in)
	}
	files, err := intake.Open(name, stdin)
	if err != nil {
		return usage("%w", err)
	}
	defer func() {
		for _, f := range files {
			_ = f.Close()
		}
	}()
	if len(files) != 1 {
		return usage("%s: want one file of NDJSON", name)
	}
	reader, err := intake.NewReader(files[0], intake.Options{Kind: intake.Events}) // which hands lines on as they are
	if err != nil {
		return usage("%w", err)
	}
	if reader.Header() != nil {
		return usage("%s: want NDJSON, a command a line", name)
	}
	if err := g.confirm(ctx, yes, "This runs the commands of "+name+"; they may unsubscribe people and remove tags and fields."); err != nil {
		return err
	}
	client, err := g.connectWatched(ctx)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	r := &commandRun{client: client, reader: reader, name: files[0].Name}
	err = r.run(ctx)
	return g.concludeRun(&r.tally, err)
}

func (r *commandRun) run(ctx context.Context) error {
	op, _ := gen.OperationByID(gen.OpRunCommands)
	for {
		row, err := r.reader.Next()
		if errors.Is(err, io.EOF) {
			return r.send(ctx)
		}
		if err != nil {
			return errors.Join(r.send(ctx), err)
		}
		r.tally.Read++
		if row.Reason != "" {
			r.leaveOut(row.Line, row.Reason)
			continue
		}
		r.records, r.lines = append(r.records, slices.Clone(row.Record)), append(r.lines, row.Line)
		if len(r.records) == op.BatchMax {
			if err := r.send(ctx); err != nil {
				return err
			}
		}
	}
}

func (r *commandRun) leaveOut(line int, reason string) {
	r.tally.LeftOut++
	r.tally.tell("%s:%d: %s", r.name, line, reason)
}

// send sends what was read, but for what the contract does not allow.
func (r *commandRun) send(ctx context.Context) error {
	wrong, err := r.judge.judge(gen.OpRunCommands, r.records)
	if err != nil {
		return err
	}
	var good []json.RawMessage
	var lines []int
	for at, record := range r.records {
		if reason, isWrong := wrong[at]; isWrong {
			r.leaveOut(r.lines[at], reason)
			continue
		}
		good, lines = append(good, record), append(lines, r.lines[at])
	}
	r.records, r.lines = r.records[:0], r.lines[:0]
	if len(good) == 0 {
		return nil
	}
	result, err := r.client.SendRaw(ctx, gen.OpRunCommands, good, bento.WithBisection())
	r.tally.count(result, lines)
	return ending(err)
}

func (g *globals) concludeRun(t *importTally, ended error) error {
	left := t.LeftOut + t.Failed + t.Unknown
	switch {
	case g.json:
		if err := json.NewEncoder(g.out).Encode(t); err != nil {
			return err
		}
	case !g.quiet || left > 0 || ended != nil:
		fmt.Fprintf(g.out, "%s of %s accepted\n", thousands(t.Accepted), plural(t.Read, "command"))
		for _, told := range t.Told {
			fmt.Fprintln(g.out, "  "+told)
		}
	}
	if ended == nil && left > 0 {
		return &exitError{exitFailures, fmt.Errorf("not run: %s", plural(left, "command"))}
	}
	return ended
}
