package main

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.com/bento-go/cmd/bentoctl/internal/intake"
	"example.com/bento-go/gen"
	"example.com/bento-go/outbox"
	bento "example.com/bento-go/wrapper"
)

// What becomes of people who must not be written to.
const (
	suppressToFile    = "file"
	suppressByCommand = "unsubscribe"
)

// An importer is what the files of one import share.
type importer struct {
	*globals
	kind      intake.Kind
	intake    intake.Options
	as        string
	limits    string
	suppress  string
	unknown   string
	outputDir string
	limit     int
	sample    int
	dryRun    bool
	yes       bool
	outbox    string

	spool    *outbox.Sender // which takes the records in Bento's place; nil if there is none
	client   *bento.Client
	contract contractJudge
	attempts *attempts
	progress *progress // of the file at hand
}

func newImport(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Import people or events from files",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newImportOf(g, intake.Subscribers), newImportOf(g, intake.Events))
	return cmd
}

const importLong = "Reads CSV of any separator, or NDJSON; packed by gzip or ZIP; in UTF-8 or UTF-16; - is\n" +
	"standard input. What it cannot send is set aside in a file with the line and the reason,\n" +
	"and the rest goes on. An import that was cut off goes on where it was, when it is given\n" +
	"again: a checkpoint beside the file knows where.\n\n"

func newImportOf(g *globals, kind intake.Kind) *cobra.Command {
	im := &importer{globals: g, kind: kind, intake: intake.Options{Kind: kind}}
	cmd := &cobra.Command{Args: asUsed}
	flags := cmd.Flags()
	switch kind {
	case intake.Subscribers:
		cmd.Use, cmd.Short = "subscribers FILE...", "Import people"
		cmd.Long = "Imports people.\n\n" + importLong +
			"Exports of Mailchimp (its ZIP too), Kit, Customer.io, ActiveCampaign, Brevo, Loops and\n" +
			"Substack are understood as they are. Columns that are not Bento's own become custom fields.\n" +
			"An empty cell overwrites nothing.\n\n" +
			"People who unsubscribed, bounced, complained or never confirmed are never imported as if\n" +
			"they had not: they are set aside in a file, or unsubscribed by --suppress unsubscribe. A\n" +
			"file whose name says so, such as unsubscribed.csv, needs --as."
		cmd.Example = "  bentoctl import subscribers people.csv\n" +
			"  bentoctl import subscribers --dry-run --map 'Full Name=name' export.zip\n" +
			"  bentoctl import subscribers --tag imported --type seats=number people.csv\n" +
			"  bentoctl import subscribers --as unsubscribed --suppress unsubscribe gone.csv"
		flags.StringArrayVar(&im.intake.Tags, "tag", nil, "tag to add to everybody; may be repeated")
		flags.StringVar(&im.as, "as", "", "what everybody is: unsubscribed, bounced, complained or unconfirmed; or active, unless a column says otherwise, or the name of a member of a ZIP")
		flags.StringVar(&im.suppress, "suppress", suppressToFile, "people who must not be written to go to a: file, or are told to Bento: unsubscribe")
	case intake.Events:
		cmd.Use, cmd.Short = "events FILE...", "Import events"
		cmd.Long = "Imports events.\n\n" + importLong +
			"Columns are type, email, date and unique_key; fields.NAME writes to the profile; any other\n" +
			"becomes details.NAME. Events with a unique key count once, however often they come: give\n" +
			"one, and an import that is cut off goes on by itself."
		cmd.Example = "  bentoctl import events events.ndjson\n" +
			"  bentoctl import events --event '$purchase' --map Order=unique_key orders.csv"
		flags.StringVar(&im.intake.EventType, "event", "", "the type of all events, for files without a column of types")
		flags.StringVar(&im.unknown, "unknown", "", "events that may have arrived when the import was cut off: send or skip")
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, cancel := g.bounded(cmd.Context())
		defer cancel()
		return im.run(ctx, args)
	}
	flags.StringArrayVar(&im.intake.Map, "map", nil, "HEADER=NAME, what becomes of a column; - leaves it out; may be repeated")
	flags.StringArrayVar(&im.intake.Types, "type", nil, "NAME=number, bool, date or text; may be repeated")
	flags.StringVar(&im.limits, "limits", "docs", "how fast to send: docs (the lower limit that Bento names), off, or N/min for batches")
	flags.IntVar(&im.limit, "limit", 0, "read this many rows of each file at most (0: all)")
	flags.BoolVar(&im.dryRun, "dry-run", false, "show what would be sent, and send nothing")
	flags.IntVar(&im.sample, "sample", 3, "how many records to show before")
	flags.StringVar(&im.outbox, "outbox", "", "keep them in this outbox instead, to be sent by bentoctl relay")
	flags.StringVar(&im.outputDir, "output-dir", "", "where checkpoints and set-aside rows go (default: beside the file)")
	yesFlag(cmd, &im.yes, "do not ask")
	return cmd
}

func (im *importer) operation() string {
	if im.kind == intake.Events {
		return gen.OpTrackEvents
	}
	return gen.OpImportSubscribers
}

// prepare checks the flags, and connects.
func (im *importer) prepare(ctx context.Context, names []string) error {
	switch im.as {
	case "":
	case "active", string(intake.Unsubscribed), string(intake.Bounced), string(intake.Complained):
		im.intake.As = intake.Standing(strings.TrimPrefix(im.as, "active"))
	case "unconfirmed":
		im.intake.As = intake.NotConfirmed
	default:
		return usage("--as %q: want active, unsubscribed, bounced, complained or unconfirmed", im.as)
	}
	if im.kind == intake.Subscribers && im.suppress != suppressToFile && im.suppress != suppressByCommand {
		return usage("--suppress %q: want file or unsubscribe", im.suppress)
	}
	if im.unknown != "" && im.unknown != "send" && im.unknown != "skip" {
		return usage("--unknown %q: want send or skip", im.unknown)
	}
	if im.limit < 0 || im.sample < 0 {
		return usage("--limit and --sample are not negative")
	}
	pace, err := paceOf(im.limits)
	if err != nil {
		return err
	}
	for _, name := range names {
		if word := intake.StandingOfName(name); im.kind == intake.Subscribers && word != intake.Active && im.as == "" {
			return usage("the name of %s says that its people are %s: say what they are by --as %s, or --as active if the name is wrong (columns that say it, and members of a ZIP, count all the same)",
				name, word, strings.Replace(string(word), "not ", "un", 1))
		}
		if name == "-" && !im.yes && !im.dryRun {
			return usage("standard input is the file, so nobody can be asked: give --yes")
		}
	}
	if im.dryRun {
		return nil
	}
	if err := im.checkOutputDir(); err != nil || im.outbox != "" {
		return err
	}
	patience := bento.RetryPolicy{MaxAttempts: 10}
	im.attempts = &attempts{tell: im.newTrouble()}
	im.client, err = im.connect(ctx, bento.WithPace(pace), bento.WithRetry(patience), bento.WithHTTPClient(&http.Client{Transport: im.attempts}))
	return err
}

// checkOutputDir wants the folder that was named.
func (im *importer) checkOutputDir() error {
	if im.outputDir == "" {
		return nil
	}
	info, err := os.Stat(im.outputDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return usage("the folder of --output-dir, %s, is not there: make it, or name another", im.outputDir)
	case err != nil:
		return usage("--output-dir: %w", err)
	case !info.IsDir():
		return usage("--output-dir %s: it is a file, want a folder", im.outputDir)
	}
	return nil
}

// paceOf reads --limits.
func paceOf(text string) (bento.Pace, error) {
	switch text {
	case "docs":
		return bento.PaceGuarded, nil
	case "off":
		return bento.PaceOff, nil
	}
	count, perMinute := strings.CutSuffix(text, "/min")
	n, err := strconv.Atoi(count)
	if !perMinute || err != nil || n < 1 || n > 1<<20 {
		return bento.Pace{}, usage("--limits %q: want docs, off or N/min", text)
	}
	return bento.PaceGuarded.With("batch", n, time.Minute), nil
}
