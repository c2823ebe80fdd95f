package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// What is missing is called by its name, with the usage; what is too much is shown.
func TestMissingArgumentsAreNamed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"run", "add-tag", "ari@example.com"}, "TAG is missing: want bentoctl run add-tag EMAIL TAG (see bentoctl run add-tag --help)"},
		{[]string{"run", "add-field"}, "EMAIL, NAME and VALUE are missing: want bentoctl run add-field EMAIL NAME VALUE (see bentoctl run add-field --help)"},
		{[]string{"send", "event"}, "TYPE and EMAIL are missing: want bentoctl send event TYPE EMAIL (see bentoctl send event --help)"},
		{[]string{"check"}, "FILE, DIRECTORY, PATTERN or - is missing: want bentoctl check FILE|DIRECTORY|PATTERN|-... (see bentoctl check --help)"},
		{[]string{"import", "events"}, "FILE is missing: want bentoctl import events FILE... (see bentoctl import events --help)"},
		{[]string{"run", "subscribe", "ari@example.com", "vip"}, `"vip" is one too many: want bentoctl run subscribe EMAIL (see bentoctl run subscribe --help)`},
		{[]string{"get", "report"}, "ID is missing: want bentoctl get report ID (see bentoctl get report --help)"},
	} {
		r := bentoctl(t.Context(), "", tc.args...)
		assert.Equal(t, result{exitUsage, "", "bentoctl: " + tc.want + "\n"}, r)
	}
}
