package conformance

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/bento-go/internal/jsonscan"
)

// checkPurchases looks at what the schema of an event leaves open: whether a purchase says what
// was bought, in whole cents, and by which key a repeat is known. It reads the bytes, so that a
// batch that was accepted first needs no tree for it. What is no JSON it leaves to others.
func checkPurchases(body []byte) []Finding {
	if !bytes.Contains(body, []byte(`"details"`)) && !bytes.Contains(body, []byte("$purchase")) {
		return nil
	}
	var events [1][]byte
	membersOf(body, eventsMember, events[:])
	var findings []Finding
	i := 0
	c := jsonscan.Cursor{Body: events[0]}
	_ = c.Items("events", func() error {
		from := c.At
		err := c.Skip()
		if len(findings) < maxFindings {
			findings = append(findings, checkPurchase(events[0][from:c.At], i)...)
		}
		i++
		return err
	})
	return findings
}

// isEvents reports whether a schema is that of a batch of events.
func isEvents(side Side, s *openapi3.Schema) bool {
	return side == SideRequest && s.Properties["events"] != nil
}

// isEvent reports whether a schema is that of one.
func isEvent(side Side, s *openapi3.Schema) bool {
	return side == SideRequest && s.Properties["type"] != nil && s.Properties["details"] != nil
}

// isDetails reports whether a schema is that of what an event keeps.
func isDetails(s *openapi3.Schema) bool {
	_, has := s.Extensions["x-bento-repeatable"].(string)
	return has
}

var (
	eventsMember   = []string{"events"}
	eventMembers   = []string{"type", "details"}
	detailMembers  = []string{"unique", "value"}
	uniqueMembers  = []string{"key"}
	valueMembers   = []string{"amount"}
	purchaseType   = []byte(`"$purchase"`)
	emptyOrMissing = []string{"", `""`, "null"}
)

func checkPurchase(event []byte, i int) []Finding {
	var e [2][]byte
	var d [2][]byte
	membersOf(event, eventMembers, e[:])
	membersOf(e[1], detailMembers, d[:])
	faults := detailFaults(e[0], d[0], d[1])
	findings := make([]Finding, 0, len(faults))
	for _, f := range faults {
		findings = append(findings, found(f.rule, SideRequest, "/events/"+strconv.Itoa(i)+"/details"+f.below, f.message))
	}
	return findings
}

// A detailFault is what is wrong with the details of an event.
type detailFault struct{ rule, below, message string }

// detailFaults judges what stands in the details of an event, all of it as it is written: its
// unique and its value.
func detailFaults(kind, unique, value []byte) []detailFault {
	isPurchase := bytes.Equal(kind, purchaseType)
	if !isPurchase && value == nil {
		return nil
	}
	var key, amount [1][]byte
	membersOf(unique, uniqueMembers, key[:])
	hasAmount := membersOf(value, valueMembers, amount[:])
	var faults []detailFault
	if isPurchase && isMissing(key[0]) {
		faults = append(faults, detailFault{RulePayloadPurchase, "/unique/key", "a $purchase has no unique key: a repeat counts again"})
	}
	switch {
	case isMissing(value):
		if isPurchase {
			faults = append(faults, detailFault{RulePayloadPurchase, "/value", "a $purchase has no value"})
		}
	case !hasAmount:
		if isPurchase {
			faults = append(faults, detailFault{RulePayloadAmount, "/value", "value is not an object with currency and amount"})
		}
	case !isWhole(amount[0]) && (isPurchase || !isMissing(amount[0])):
		faults = append(faults, detailFault{RulePayloadAmount, "/value/amount", ""})
	}
	return faults
}

func isMissing(value []byte) bool { return slices.Contains(emptyOrMissing, string(value)) }

func isWhole(number []byte) bool {
	digits := bytes.TrimPrefix(number, []byte("-"))
	if len(digits) == 0 {
		return false
	}
	for _, b := range digits {
		if b-'0' > 9 {
			return false
		}
	}
	return true
}

// membersOf finds the values of the named members of an object, as they are written. It reports
// whether there is such an object.
func membersOf(object []byte, names []string, into [][]byte) bool {
	c := jsonscan.Cursor{Body: object}
	if c.Next() != '{' {
		return false
	}
	return c.Members("", func(name []byte) error {
		c.Blank()
		from := c.At
		err := c.Skip()
		for i := range into {
			if string(name) == names[i] {
				into[i] = object[from:c.At]
			}
		}
		return err
	}) == nil
}
