package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newMan writes the manual pages of all verbs, from their help.
func newMan(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "Write manual pages",
		Long:    "Writes a manual page for each verb into DIR, which is made if need be.",
		Example: "  bentoctl man ~/.local/share/man/man1 && man bentoctl-import-subscribers",
		Args:    asUsed,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // manuals are for everybody
				return usage("%w", err)
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			day := time.Unix(0, 0) // pages of one version are the same whenever they are written
			header := &doc.GenManHeader{Section: "1", Source: "bentoctl " + version(), Manual: "bentoctl", Date: &day}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return usage("%w", err)
			}
			if !g.quiet {
				fmt.Fprintln(g.err, "written to", args[0])
			}
			return nil
		},
	}
}
