package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// asUsed wants the arguments that a verb's usage names, such as "add-tag EMAIL TAG": each of them, and more of
// the last if it ends in dots. What is missing is called by its name.
func asUsed(cmd *cobra.Command, args []string) error {
	names := strings.Fields(cmd.Use)[1:]
	want := cmd.CommandPath() + " " + strings.Join(names, " ")
	if missing := names[min(len(args), len(names)):]; len(missing) > 0 {
		verb := " is missing"
		if len(missing) > 1 {
			verb = " are missing"
		}
		return fmt.Errorf("%s: want %s", spoken(missing, "and")+verb, want)
	}
	if more := args[len(names):]; len(more) > 0 && !strings.HasSuffix(want, "...") {
		return fmt.Errorf("%q is one too many: want %s", more[0], want)
	}
	return nil
}

// spoken lists names as a sentence does, and what may stand for each other.
func spoken(names []string, last string) string {
	all := make([]string, len(names))
	for i, name := range names {
		if all[i] = strings.TrimSuffix(name, "..."); strings.Contains(all[i], "|") {
			all[i] = spoken(strings.Split(all[i], "|"), "or")
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	return strings.Join(all[:len(all)-1], ", ") + " " + last + " " + all[len(all)-1]
}
