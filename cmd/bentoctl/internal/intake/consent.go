package intake

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// A Standing is what a row or a file says of a person's consent.
type Standing string

// Active people may be written to; the others must not be.
const (
	Active       Standing = ""
	Unsubscribed Standing = "unsubscribed"
	Bounced      Standing = "bounced"
	Complained   Standing = "complained"
	NotConfirmed Standing = "not confirmed"
)

// byWord are the words for a standing in a column of states, by what tools write there.
var byWord = map[string]Standing{
	"unsubscribed": Unsubscribed, "unsubscribe": Unsubscribed, "cancelled": Unsubscribed, "canceled": Unsubscribed, "opted_out": Unsubscribed,
	"optout": Unsubscribed, "opt_out": Unsubscribed, "suppressed": Unsubscribed, "blacklisted": Unsubscribed, "blocklisted": Unsubscribed,
	"blocked": Unsubscribed, "removed": Unsubscribed, "do_not_email": Unsubscribed, "never_subscribed": NotConfirmed,
	"bounced": Bounced, "bounce": Bounced, "cleaned": Bounced, "hard_bounced": Bounced, "hard_bounce": Bounced, "soft_bounced": Bounced,
	"invalid": Bounced, "undeliverable": Bounced,
	"complained": Complained, "complaint": Complained, "spam": Complained, "spam_complaint": Complained, "spam_report": Complained, "abuse": Complained,
	"unsub": Unsubscribed, "unsubs": Unsubscribed, "unsubscribes": Unsubscribed, "denied": Unsubscribed, "declined": Unsubscribed, "refused": Unsubscribed, "withdrawn": Unsubscribed,
	"revoked": Unsubscribed, "disabled": Unsubscribed, "archived": Unsubscribed, "bounces": Bounced, "hardbounce": Bounced, "softbounce": Bounced,
	"not_confirmed": NotConfirmed, "notconfirmed": NotConfirmed, "unconfirmed": NotConfirmed, "pending": NotConfirmed, "inactive": NotConfirmed, "cold": NotConfirmed, "non_subscribed": NotConfirmed,
	"nonsubscribed": NotConfirmed, "not_subscribed": NotConfirmed,
}

// A consentColumn says something of consent by a word, by yes, or by no.
type consentColumn int

const (
	noConsent    consentColumn = iota
	stateWord                  // one of byWord, or no
	stateOrPlace               // one of byWord, but perhaps it is where people live
	outIfTrue                  // unsubscribed: true, or the time of it
	inIfTrue                   // subscribed: false
)

// consentColumns are the columns that say something of consent, by their names in Bento's manner.
var consentColumns = map[string]consentColumn{
	"status": stateWord, "state": stateOrPlace, "subscription_status": stateWord, "email_status": stateWord, "subscriber_status": stateWord,
	"email_marketing_consent": stateWord, "consent": stateWord, "subscription_state": stateWord, "marketing_status": stateWord,
	"unsubscribed": outIfTrue, "unsubscribed_at": outIfTrue, "unsub_time": outIfTrue, "opted_out": outIfTrue, "optout": outIfTrue, "opt_out": outIfTrue,
	"email_blacklisted": outIfTrue, "blacklisted": outIfTrue, "do_not_email": outIfTrue, "suppressed": outIfTrue, "cancelled_at": outIfTrue,
	"bounced": outIfTrue, "bounced_at": outIfTrue, "complained": outIfTrue, "complained_at": outIfTrue, "spam": outIfTrue, "email_opt_out": outIfTrue,
	disabled: outIfTrue, paidFor: inIfTrue,
	"subscribed": inIfTrue, "opted_in": inIfTrue, "opt_in": inIfTrue, "email_opt_in": inIfTrue,
	"accepts_marketing": inIfTrue, "accepts_email_marketing": inIfTrue, "is_subscribed": inIfTrue,
}

// In Substack's exports paidFor says who pays, and disabled who wants no email. Where the second is not there,
// the first is taken for it: better some are set aside who may be written to, and imported when the column has
// another name.
const paidFor, disabled = "active_subscription", "email_disabled"

var yes, no = []string{"true", "yes", "y", "1", "t", "on", "x"}, []string{"false", "no", "n", "0", "f", "off"}

// standing is what a cell says. A cell that says nothing says active.
func (k consentColumn) standing(name, cell string) Standing {
	if k == noConsent || cell == "" {
		return Active
	}
	word := bentoName(cell)
	switch k {
	case stateWord:
		if slices.Contains(no, word) {
			return Unsubscribed
		}
		return byWord[word]
	case stateOrPlace:
		return byWord[word]
	case outIfTrue:
		if slices.Contains(no, word) || word == "null" || word == "none" {
			return Active
		}
		for part := range strings.SplitSeq(name, "_") {
			if s := byWord[part]; s == Bounced || s == Complained {
				return s
			}
		}
		return Unsubscribed
	case inIfTrue:
		if slices.Contains(no, word) || byWord[word] != Active {
			return Unsubscribed
		}
	case noConsent:
	}
	return Active
}

// told are the words by which the name of a file says that its people must not be written to.
var told = regexp.MustCompile(`(?i)(non[-_ ]?subscribed|unsub(?:scribe[ds]?|s)?|unconfirmed|not[-_ ]?confirmed|cleaned|bounce[ds]?|complained|complaints?|suppress(?:ed|ions?)|opt(?:ed)?[-_ ]?outs?|blacklist(?:ed)?|blocklist(?:ed)?|spam)`)

// StandingOfName is what the name of a file says; Mailchimp's exports say it nowhere else.
func StandingOfName(name string) Standing {
	word := told.FindString(path.Base(strings.ReplaceAll(name, `\`, "/")))
	if word == "" {
		return Active
	}
	if s, known := byWord[bentoName(word)]; known {
		return s
	}
	if strings.HasPrefix(strings.ToLower(word), "complain") {
		return Complained
	}
	return Unsubscribed
}
