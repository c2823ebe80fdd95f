package bento

import (
	"context"
	"iter"

	"example.com/bento-go/gen"
)

// Command changes one person. Make it with [AddTag] and its kin.
type Command = gen.Command

// RunCommands queues changes to people, in batches of at most [gen.MaxCommands]. Missing
// people, tags and fields are created. Results and errors are as with [Client.TrackEvents]; a
// batch of which a repeat would do harm ([gen.CommandName.Repeatable]) is sent again only if it
// surely was not accepted.
//
// Contract: POST /fetch/commands (openapi.yaml, runCommands).
// Source: https://github.com/bentonow/bento-skills
func (c *Client) RunCommands(ctx context.Context, commands []Command, opts ...BatchOption) (*Result, error) {
	return c.commands().all(ctx, commands, opts)
}

// RunCommandsSeq is [Client.RunCommands] for a sequence of any length; it holds no more than the
// batches that are under way. When the call ends early the rest of the sequence is not read.
func (c *Client) RunCommandsSeq(ctx context.Context, commands iter.Seq[Command], opts ...BatchOption) (*Result, error) {
	return c.commands().seq(ctx, commands, opts)
}

func (c *Client) commands() batcher[Command] {
	return batcher[Command]{
		client: c, operation: gen.OpRunCommands,
		check: func(cmd Command) error { return checkAddress("email", cmd.Email) },
		again: func(cmd Command) bool { return cmd.Command.Repeatable() },
		send:  (*gen.Client).RunCommandsWithBody,
	}
}

// AddTag gives a person a tag and triggers no automation.
func AddTag(email, tag string) Command { return command(gen.CommandNameAddTag, email, tag) }

// AddTagViaEvent gives a person a tag by an event, which triggers automations; so does a
// repeat.
func AddTagViaEvent(email, tag string) Command {
	return command(gen.CommandNameAddTagViaEvent, email, tag)
}

// RemoveTag takes a tag from a person.
func RemoveTag(email, tag string) Command { return command(gen.CommandNameRemoveTag, email, tag) }

// AddField sets a field of a person to any JSON value.
func AddField(email, key string, value any) Command {
	return command(gen.CommandNameAddField, email, gen.FieldValue{Key: key, Value: value})
}

// RemoveField removes a field from a person.
func RemoveField(email, key string) Command { return command(gen.CommandNameRemoveField, email, key) }

// Subscribe subscribes a person again.
func Subscribe(email string) Command { return command(gen.CommandNameSubscribe, email, nil) }

// Unsubscribe unsubscribes a person; a repeat moves the time of it.
func Unsubscribe(email string) Command { return command(gen.CommandNameUnsubscribe, email, nil) }

// ChangeEmail gives a person another address.
func ChangeEmail(from, to string) Command { return command(gen.CommandNameChangeEmail, from, to) }

func command(name gen.CommandName, email string, query any) Command {
	return Command{Command: name, Email: email, Query: query}
}
