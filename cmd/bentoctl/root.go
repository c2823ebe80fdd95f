package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// globals are the flags that every verb understands.
type globals struct {
	streams
	json, quiet, noColor bool
	timeout              time.Duration
	profile              string
}

// run is the whole program but for the process: arguments in, exit code out.
func run(ctx context.Context, args []string, std streams) int {
	g := &globals{streams: std}
	root := newRoot(g)
	root.SetArgs(args)
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	err := root.ExecuteContext(ctx)
	if err != nil && err.Error() != "" {
		fmt.Fprintln(std.err, "bentoctl:", err)
	}
	return exitCode(err)
}

func newRoot(g *globals) *cobra.Command {
	root := &cobra.Command{
		Use:           "bentoctl",
		Short:         "Speak to Bento by contract",
		Long:          "bentoctl speaks to Bento by contract: it imports and sends, reads and changes, serves a fake Bento that enforces the contract, and judges recorded traffic by it. The first look: bentoctl demo.\n\nExit code: 0 done, 1 it ran and found or left failures, 2 usage or input that cannot be read, 3 credentials refused, 4 gave up after retries, 130 interrupted.",
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("%w (see %s --help)", err, cmd.CommandPath())
	})
	flags := root.PersistentFlags()
	flags.BoolVar(&g.json, "json", false, "print results as JSON")
	flags.BoolVarP(&g.quiet, "quiet", "q", false, "print nothing on success")
	flags.BoolVar(&g.noColor, "no-color", os.Getenv("NO_COLOR") != "", "print without colour; so does NO_COLOR")
	flags.StringVar(&g.profile, "profile", "", "the profile to use, before the environment (BENTO_PROFILE)")
	flags.DurationVar(&g.timeout, "timeout", 0, "give up after this long (0: never)")
	root.AddCommand(newDemo(g), newFake(g), newCheck(g), newRecord(g), newImport(g), newSend(g), newGet(g), newRun(g), newOutbox(g), newRelay(g), newLogin(g), newProfile(g), newDoctor(g), newMan(g), newVersion(g))
	root.SetOut(g.out) // where completion writes is settled now
	root.InitDefaultCompletionCmd()
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages ", ".FlagUsagesWrapped 80 "))
	suggest(root)
	wrapHelp(root)
	root.SetHelpCommand(newHelp())
	badArgs(root)
	return root
}

// newHelp is cobra's help, but for a verb that does not exist, which is an error.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [verb]",
		Short: "Explain a verb",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usage("there is no verb %q: see %s --help", strings.Join(args, " "), cmd.Root().Name())
			}
			return found.Help()
		},
	}
}

// badArgs makes wrong arguments a usage error in every verb.
func badArgs(cmd *cobra.Command) {
	if cmd.RunE == nil && cmd.Run == nil { // a group, such as completion
		cmd.Args = cobra.NoArgs
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				if len(args) > 0 && cmd.HasSubCommands() {
					return usage("%w%s (see %s --help)", err, meant(cmd.SuggestionsFor(args[0])), cmd.CommandPath())
				}
				return usage("%w (see %s --help)", err, cmd.CommandPath())
			}
			return nil
		}
	}
	for _, child := range cmd.Commands() {
		badArgs(child)
	}
}

// suggest lets every group know its verbs by two letters' difference.
func suggest(cmd *cobra.Command) {
	cmd.SuggestionsMinimumDistance = 2
	for _, child := range cmd.Commands() {
		suggest(child)
	}
}

// meant asks whether a verb that is there was meant.
func meant(verbs []string) string {
	if len(verbs) == 0 {
		return ""
	}
	return ": did you mean " + strings.Join(verbs, " or ") + "?"
}

var errTimeout = errors.New("--timeout is over")

// bounded applies --timeout.
func (g *globals) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if g.timeout > 0 {
		return context.WithTimeoutCause(ctx, g.timeout, errTimeout)
	}
	return context.WithCancel(ctx)
}
