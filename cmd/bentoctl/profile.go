package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/zalando/go-keyring"
)

// profileName is what a profile may be called.
var profileName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func newProfile(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "profile",
		Short: "List, choose and remove profiles",
		Long: "A profile is how to speak to one site; bentoctl login makes one. The environment beats the " +
			"profile in use, and --profile beats the environment. Profiles of Bento's own command line can " +
			"be used too; they are never written.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var yes bool
	remove := &cobra.Command{
		Use: "remove NAME", Short: "Forget a profile and its secret key", Example: "  bentoctl profile remove staging", Args: asUsed,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := g.confirmTo(cmd.Context(), yes, fmt.Sprintf("This forgets the profile %s and its secret key.", args[0]), "nothing was removed"); err != nil {
				return err
			}
			return g.removeProfile(args[0])
		},
	}
	yesFlag(remove, &yes, "do not ask")
	cmd.AddCommand(remove,
		&cobra.Command{
			Use: "list", Short: "List the profiles; * is in use", Example: "  bentoctl profile list", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error { return g.listProfiles() },
		},
		&cobra.Command{
			Use: "use NAME", Short: "Choose the profile to use", Example: "  bentoctl profile use staging", Args: asUsed,
			RunE: func(_ *cobra.Command, args []string) error {
				file, err := loadConfig()
				if err != nil {
					return &exitError{exitUsage, err}
				}
				if _, known := file.Profiles[args[0]]; !known {
					return usage("there is no profile %q (there is: %s)", args[0], strings.Join(slices.Sorted(maps.Keys(file.Profiles)), ", "))
				}
				file.Current = args[0]
				return file.save()
			},
		})
	return cmd
}

// A listedProfile is what a list shows of a profile: no key, and no site.
type listedProfile struct {
	Name    string `json:"name"`
	InUse   bool   `json:"in_use"`
	Where   string `json:"secret_key"` // is kept
	BaseURL string `json:"base_url,omitempty"`
}

func (g *globals) listProfiles() error {
	all, err := g.listedProfiles()
	if err != nil {
		return err
	}
	if g.json {
		return json.NewEncoder(g.out).Encode(all)
	}
	for _, p := range all {
		mark := " "
		if p.InUse {
			mark = "*"
		}
		fmt.Fprintln(g.out, strings.TrimRight(fmt.Sprintf("%s %-16s secret key %s  %s", mark, p.Name, p.Where, p.BaseURL), " "))
	}
	if len(all) == 0 && !g.quiet {
		fmt.Fprintln(g.err, "no profile: bentoctl login makes one")
	}
	return nil
}

// listedProfiles are ours, and those of Bento's own command line that ours do not hide.
func (g *globals) listedProfiles() ([]listedProfile, error) {
	file, err := loadConfig()
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	others, _, err := officialProfiles()
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	used, _, err := g.chosen()
	if err != nil {
		return nil, err
	}
	all := []listedProfile{}
	for _, name := range slices.Sorted(maps.Keys(file.Profiles)) {
		p := file.Profiles[name]
		where := "in the file"
		switch {
		case p.Keyring:
			where = "in the keyring"
		case len(p.SecretCommand) > 0:
			where = "by " + p.SecretCommand[0]
		}
		all = append(all, listedProfile{name, name == used, where, p.BaseURL})
	}
	for _, name := range slices.Sorted(maps.Keys(others)) {
		if _, ours := file.Profiles[name]; !ours {
			all = append(all, listedProfile{name, name == used, "in the file of Bento's own command line", ""})
		}
	}
	return all, nil
}

func (g *globals) removeProfile(name string) error {
	file, err := loadConfig()
	if err != nil {
		return &exitError{exitUsage, err}
	}
	p, known := file.Profiles[name]
	if !known {
		return usage("there is no profile %q of ours", name)
	}
	delete(file.Profiles, name)
	if file.Current == name {
		file.Current = ""
	}
	err = file.save()
	if p.Keyring {
		if gone := keyring.Delete(keyringService, name); !errors.Is(gone, keyring.ErrNotFound) {
			err = errors.Join(err, gone)
		}
	}
	return err
}
