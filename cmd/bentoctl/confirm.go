package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// yesFlag adds --yes, which other tools of Bento call --confirm.
func yesFlag(cmd *cobra.Command, yes *bool, usage string) {
	cmd.Flags().BoolVar(yes, "yes", false, usage)
	cmd.Flags().SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "confirm" {
			name = "yes"
		}
		return pflag.NormalizedName(name)
	})
}

// confirm asks whether to go on, unless --yes has said so. Whoever does not answer yes, a script
// above all, gets an error that says how: nothing was done.
func (g *globals) confirm(ctx context.Context, yes bool, about string) error {
	return g.confirmTo(ctx, yes, about, "nothing was sent")
}

// confirmTo is confirm, with words for what did not happen.
func (g *globals) confirmTo(ctx context.Context, yes bool, about, nothing string) error {
	if yes {
		return nil
	}
	fmt.Fprintf(g.err, "%s\nType yes to go on: ", about)
	answer, err := bufio.NewReader(io.LimitReader(interruptible(ctx, g.in), 100)).ReadString('\n')
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", nothing, context.Cause(ctx))
	}
	if strings.TrimSpace(answer) != "yes" || err != nil && !errors.Is(err, io.EOF) {
		return usage("not confirmed: %s (--yes confirms)", nothing)
	}
	return nil
}
