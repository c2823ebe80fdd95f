package intake

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Kind is what a file is a list of.
type Kind int

// The kinds.
const (
	Subscribers Kind = iota
	Events
)

// Options say how to read a file.
type Options struct {
	Kind Kind
	// Map names targets of columns, each HEADER=TARGET; HEADER may be the column's number, from 1.
	// A target is a member of the contract, such as email, or a custom field; for events also
	// details.NAME and fields.NAME. "-" leaves the column out.
	Map []string
	// Types says what custom fields are, each NAME=number, bool, date or text, by the name of the
	// field or of the column.
	Types []string
	// Tags are added to every person.
	Tags []string
	// EventType is the type of events whose file has no column of types.
	EventType string
	// As is what everybody is; if it is Active, unless a column says otherwise.
	As Standing
}

// A Column is what becomes of a column.
type Column struct {
	Header string
	// Target is a member or a custom field; "" if the column is left out, or says no more than who may
	// be written to.
	Target  string
	Type    string
	Custom  bool // not of the contract
	Consent bool
	Dropped bool // by the user's word

	consent consentColumn
	name    string // the header in Bento's manner
}

// synonyms are the names that tools give to members of the contract, in Bento's manner.
var synonyms = map[Kind]map[string]string{
	Subscribers: {
		"email": "email", "email_address": "email", "e_mail": "email", "e_mail_address": "email", "mail": "email", "subscriber_email": "email",
		"contact_email": "email", "emailaddress": "email",
		"first_name": "first_name", "firstname": "first_name", "given_name": "first_name", "fname": "first_name",
		"last_name": "last_name", "lastname": "last_name", "surname": "last_name", "family_name": "last_name", "lname": "last_name",
		"tags": "tags", "tag": "tags", "tag_list": "tags", "labels": "tags", "remove_tags": "remove_tags",
		"utm_source": "utm_source", "utm_medium": "utm_medium", "utm_campaign": "utm_campaign", "utm_content": "utm_content", "utm_term": "utm_term",
	},
	Events: {
		"email": "email", "email_address": "email", "e_mail": "email", "user_email": "email",
		"type": "type", "event": "type", "event_type": "type", "event_name": "type",
		"date": "date", "timestamp": "date", "occurred_at": "date", "created_at": "date", "time": "date",
		"unique_key": "details.unique.key",
	},
}

// plan decides what becomes of each column.
func plan(header []string, o Options) ([]Column, error) {
	mapped, err := assignments("--map", o.Map)
	if err != nil {
		return nil, err
	}
	types, err := assignments("--type", o.Types)
	if err != nil {
		return nil, err
	}
	columns, names := make([]Column, len(header)), make([]string, len(header))
	for i, title := range header {
		names[i] = bentoName(strings.TrimSpace(title))
	}
	for i, title := range header {
		columns[i] = column(strings.TrimSpace(title), i, mapped, o, names)
	}
	for wanted := range mapped {
		return nil, fmt.Errorf("--map names a column %q that is not there: there are %s", wanted, shown(header))
	}
	if err := checkTargets(columns, o); err != nil {
		return nil, err
	}
	for i := range columns {
		c := &columns[i]
		name := c.Target
		for _, other := range []string{c.Header, name[strings.LastIndexByte(name, '.')+1:]} {
			if _, given := types[name]; !given {
				name = other
			}
		}
		if c.Type = types[name]; c.Type != "" && !slices.Contains([]string{"number", "bool", "date", "text"}, c.Type) {
			return nil, fmt.Errorf("--type %s=%s: want number, bool, date or text", name, c.Type)
		}
		delete(types, name)
		if c.Target == "date" && o.Kind == Events {
			c.Type = "date"
		}
	}
	for wanted := range types {
		return nil, fmt.Errorf("--type names %q, which no column becomes", wanted)
	}
	return columns, nil
}

func column(title string, i int, mapped map[string]string, o Options, names []string) Column {
	c := Column{Header: title, name: names[i]}
	_, known := synonyms[o.Kind][c.name]
	if !known && o.Kind == Subscribers && (c.name != paidFor || !slices.Contains(names, disabled)) {
		c.consent = consentColumns[c.name] // whatever else becomes of the column
		c.Consent = c.consent != noConsent
	}
	for _, key := range []string{title, strconv.Itoa(i + 1)} {
		if target, ok := mapped[key]; ok {
			delete(mapped, key)
			if c.Dropped = target == "-"; !c.Dropped {
				c.Target, c.Custom = aim(target, o.Kind)
			}
			return c
		}
	}
	switch {
	case strings.HasPrefix(c.name, "bento_"): // of a file of rows that were left out before
		c.Dropped = true
	case c.Consent && c.consent != stateOrPlace:
	case o.Kind == Events && (strings.HasPrefix(title, "details.") || strings.HasPrefix(title, "fields.")):
		c.Target, c.Custom = aim(title, o.Kind)
	case c.name != "":
		c.Target, c.Custom = aim(c.name, o.Kind)
	}
	return c
}

// aim finds the member that a name stands for, and whether it is none of the contract's own.
func aim(name string, kind Kind) (target string, custom bool) {
	if target, known := synonyms[kind][name]; known {
		return target, false
	}
	if kind == Events && !strings.HasPrefix(name, "details.") && !strings.HasPrefix(name, "fields.") {
		return "details." + name, true
	}
	return name, true
}

func checkTargets(columns []Column, o Options) error {
	var has []string
	for i, c := range columns {
		if c.Target == "" && !c.Consent && !c.Dropped {
			return fmt.Errorf("column %d has no name: give it one by --map %d=NAME, or leave it out by --map %d=-", i+1, i+1, i+1)
		}
		if c.Target != "" && slices.Contains(has, c.Target) {
			return fmt.Errorf("two columns become %s, the second is number %d, %q: rename one by --map %d=NAME, or leave it out by --map %d=-", c.Target, i+1, c.Header, i+1, i+1)
		}
		for _, other := range has {
			if strings.HasPrefix(c.Target, other+".") || strings.HasPrefix(other, c.Target+".") && c.Target != "" {
				return fmt.Errorf("%s and %s cannot both be: one is within the other", c.Target, other)
			}
		}
		has = append(has, c.Target)
	}
	if i := slices.Index(has, "type"); i >= 0 && o.Kind == Events && o.EventType != "" {
		return fmt.Errorf("column %d, %q, becomes type, which --event gives for all: leave --event out, or the column by --map %d=-, or keep it under another name by --map %d=NAME",
			i+1, columns[i].Header, i+1, i+1)
	}
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = c.Header
	}
	there := shown(titles)
	if !slices.Contains(has, "email") {
		return fmt.Errorf("no column holds addresses: there are %s; name it by --map HEADER=email", there)
	}
	if o.Kind == Events && !slices.Contains(has, "type") && o.EventType == "" {
		return fmt.Errorf("no column holds the type of the event: there are %s; name it by --map HEADER=type, or give --event TYPE for all", there)
	}
	return nil
}

// assignments reads NAME=VALUE.
func assignments(flag string, all []string) (map[string]string, error) {
	m := map[string]string{}
	for _, text := range all {
		at := strings.LastIndexByte(text, '=')
		if at < 1 || at == len(text)-1 {
			return nil, fmt.Errorf("%s %q: want NAME=VALUE", flag, text)
		}
		m[strings.TrimSpace(text[:at])] = strings.TrimSpace(text[at+1:])
	}
	return m, nil
}

// shown lists headers for a message: of a file that is no CSV they may be anything.
func shown(titles []string) string {
	var list strings.Builder
	for i, title := range titles {
		if list.Len() > maxShown {
			list.WriteString(", …")
			break
		}
		if i > 0 {
			list.WriteString(", ")
		}
		if quoted := strconv.QuoteToGraphic(title[:min(len(title), maxShown)]); quoted != `"`+title+`"` {
			title = quoted
		}
		list.WriteString(title)
	}
	return list.String()
}

const maxShown = 160
