package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.com/bento-go/gen"
	"example.com/bento-go/outbox"
	bento "example.com/bento-go/wrapper"
)

func newSend(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "send",
		Short: "Send one event or one email",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSendEvent(g), newSendEmail(g))
	return cmd
}

func newSendEvent(g *globals) *cobra.Command {
	var fields, details []string
	var key, date, spool string
	cmd := &cobra.Command{
		Use:   "event TYPE EMAIL",
		Short: "Send one event",
		Long: "Sends one event, which may trigger automations. Values are text; NAME:=VALUE gives a number,\n" +
			"true or false. With --unique-key the event counts once, however often it is sent.",
		Example: "  bentoctl send event '$signed_up' ari@example.com --field plan=pro\n" +
			"  bentoctl send event '$purchase' ari@example.com --unique-key order-1 \\\n" +
			"    --detail total:=7995",
		Args: asUsed,
		RunE: func(cmd *cobra.Command, args []string) error {
			event := bento.Event{Type: args[0], Email: args[1], Fields: gen.EventFields{}, Details: gen.EventDetails{}}
			if err := errors.Join(assign("--field", fields, event.Fields), assign("--detail", details, event.Details)); err != nil {
				return usage("%w", err)
			}
			if key != "" {
				event.Details["unique"] = map[string]any{"key": key}
			}
			if date != "" {
				at, err := time.Parse(time.RFC3339, date)
				if err != nil {
					return usage("--date %q: want a time such as 2026-01-31T09:00:00Z", date)
				}
				event.Date = at
			}
			ctx, cancel := g.bounded(cmd.Context())
			defer cancel()
			what := "event " + event.Type + " of " + event.Email
			if spool != "" {
				return g.enqueue(ctx, spool, what, outbox.Event(event))
			}
			client, err := g.connectWatched(ctx)
			if err != nil {
				return err
			}
			defer client.CloseIdleConnections()
			result, err := client.TrackEvents(ctx, []bento.Event{event})
			return g.sent(result, err, what)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&fields, "field", nil, "NAME=VALUE, written to the profile; may be repeated")
	flags.StringArrayVar(&details, "detail", nil, "NAME=VALUE, kept with the event; may be repeated")
	flags.StringVar(&key, "unique-key", "", "the event counts once by this key")
	flags.StringVar(&date, "date", "", "when it happened (default: now)")
	flags.StringVar(&spool, "outbox", "", outboxUsage)
	return cmd
}

// sent tells what became of the one record.
func (g *globals) sent(result *bento.Result, err error, what string) error {
	if err != nil {
		return err
	}
	if g.json {
		return json.NewEncoder(g.out).Encode(map[string]int{"accepted": result.Accepted})
	}
	if !g.quiet {
		fmt.Fprintln(g.out, "accepted:", what)
	}
	return nil
}

// assign reads NAME=VALUE, a text, and NAME:=VALUE, a number, true or false.
func assign[M ~map[string]any](flag string, all []string, into M) error {
	for _, text := range all {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" || name == ":" {
			return fmt.Errorf("%s %q: want NAME=VALUE, or NAME:=VALUE for a number, true or false", flag, text)
		}
		literal, isLiteral := strings.CutSuffix(name, ":")
		if !isLiteral {
			into[name] = value
			continue
		}
		decoder := json.NewDecoder(strings.NewReader(value))
		decoder.UseNumber()
		var decoded any
		err := decoder.Decode(&decoded)
		switch decoded.(type) {
		case json.Number, bool:
		default:
			err = errors.New("neither")
		}
		if _, more := decoder.Token(); err != nil || !errors.Is(more, io.EOF) {
			return fmt.Errorf("%s %q: %s is no number, true or false; for text write %s=%s", flag, text, value, literal, value)
		}
		into[literal] = decoded
	}
	return nil
}

// A mail is what send email is told.
type mail struct {
	email            bento.Email
	htmlFile, once   string
	outbox           string
	personalizations []string
}

func newSendEmail(g *globals) *cobra.Command {
	m := &mail{}
	cmd := &cobra.Command{
		Use:   "email --to ADDRESS --from AUTHOR --subject TEXT",
		Short: "Send one email",
		Long: "Sends one email. --from is an Author of your account. Subject and body may use Liquid, with\n" +
			"the values of --set.\n\n" +
			"Bento cannot tell a repeat: a second run sends a second email. With --once KEY it does not,\n" +
			"on this machine: the key is kept on disk, from before the email is sent; with --outbox, in\n" +
			"the outbox, for seven days after it was sent.",
		Example: "  bentoctl send email --to ari@example.com --from team@acme.example \\\n" +
			"    --subject Hello --html '<p>Hello</p>'\n" +
			"  bentoctl send email --to ari@example.com --from team@acme.example \\\n" +
			"    --subject 'Order {{ order }}' --set order:=1234 --html-file receipt.html \\\n" +
			"    --transactional --once receipt-1234",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := g.bounded(cmd.Context())
			defer cancel()
			return g.sendEmail(ctx, m)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&m.email.To, "to", "", "who gets it")
	flags.StringVar(&m.email.From, "from", "", "an Author of your account")
	flags.StringVar(&m.email.Subject, "subject", "", "the subject")
	flags.StringVar(&m.email.CC, "cc", "", "who gets a copy")
	flags.StringVar(&m.email.ReplyTo, "reply-to", "", "where answers go, if not to --from")
	flags.StringVar(&m.email.HTMLBody, "html", "", "the body")
	flags.StringVar(&m.htmlFile, "html-file", "", "a file that holds the body; - is standard input")
	flags.StringVar(&m.email.TextBody, "text", "", "the body as plain text, instead or too")
	flags.StringArrayVar(&m.personalizations, "set", nil, "NAME=VALUE, or NAME:=VALUE for a number, true or false; may be repeated")
	flags.BoolVar(&m.email.Transactional, "transactional", false, "send to people who have unsubscribed, too")
	flags.StringVar(&m.once, "once", "", "send it once by this key, however often it is asked for")
	flags.StringVar(&m.outbox, "outbox", "", outboxUsage)
	return cmd
}

// maxHTML bounds the body of an email.
const maxHTML = 4 << 20

func (g *globals) sendEmail(ctx context.Context, m *mail) error {
	switch html, file := m.email.HTMLBody != "", m.htmlFile != ""; {
	case html && file:
		return usage("give the body by --html or by --html-file, one of them")
	case !html && !file && m.email.TextBody == "":
		return usage("give the body by --html, --html-file or --text")
	}
	if m.htmlFile != "" {
		body, err := g.readSmall(ctx, m.htmlFile)
		if err != nil {
			return usage("--html-file: %w", err)
		}
		if strings.TrimSpace(body) == "" {
			return usage("--html-file %s is empty: nothing was sent", m.htmlFile)
		}
		m.email.HTMLBody = body
	}
	m.email.Personalizations = gen.Personalizations{}
	if err := assign("--set", m.personalizations, m.email.Personalizations); err != nil {
		return usage("%w", err)
	}
	if m.outbox != "" {
		return g.enqueue(ctx, m.outbox, "email to "+m.email.To, outbox.Email(m.email, outbox.Key(m.once)))
	}
	client, err := g.connectWatched(ctx)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	if m.once == "" {
		result, err := client.SendEmails(ctx, []bento.Email{m.email})
		if err == nil && !g.quiet {
			fmt.Fprintln(g.err, "A second run sends a second email; --once KEY guards against it.")
		}
		return g.sent(result, err, "email to "+m.email.To)
	}
	return g.sendOnce(ctx, client, m)
}

// readSmall reads a file that belongs in memory.
func (g *globals) readSmall(ctx context.Context, name string) (string, error) {
	in := io.NopCloser(interruptible(ctx, g.in))
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return "", err
		}
		in = file
	}
	defer func() { _ = in.Close() }()
	body, err := io.ReadAll(io.LimitReader(in, maxHTML+1))
	if err == nil && len(body) > maxHTML {
		err = fmt.Errorf("%s is larger than 4 MiB", name)
	}
	return string(body), err
}
