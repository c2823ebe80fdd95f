package conformance

import "strings"

// legacy are mistakes that old pages and old clients spread, and what to do about each. They
// replace the hint of the rule.
var legacy = []struct {
	rule, operation string // operation may be empty
	pointer         string // how the pattern of the pointer ends, or the path begins
	hint            string
}{
	{RuleRequestSchema, "createBroadcasts", "/segement_id", "segement_id is a typo of old pages: the member is segment_id."},
	{RuleRequestSchema, "sendEmails", "/transactional", "transactional belongs to each email, not beside the list of them."},
	{RuleRequestSchema, "importSubscribers", "/tags", "Tags are one text, joined by commas: \"customer,newsletter\"."},
	{RuleRequestSchema, "importSubscribers", "/remove_tags", "Tags are one text, joined by commas: \"customer,newsletter\"."},
	{RuleRequestSchema, "importSubscribers", "/fields", "Custom fields stand beside email, not in an object of their own."},
	{RuleRequestSchema, "runCommands", "/query", "A field is set by {\"key\": …, \"value\": …}, not by \"key:value\"; a tag is its name."},
	{RulePath, "", "/experimental/blacklist.json", "The path has no .json any more: /experimental/blacklist."},
	{RuleQueryUnknown, "checkBlacklist", "", "The parameters are domain and ip; ip_address is an old name."},
	{RuleMethod, "", "/fetch/tags", "A tag is deleted by its id: DELETE /fetch/tags/{id}."},
}

// hintFor returns the hint that suits a finding better than that of its rule, or that one.
func hintFor(f Finding, path string) string {
	for _, l := range legacy {
		if l.rule != f.Rule || l.operation != f.Operation {
			continue
		}
		where := pattern(f.Pointer)
		if l.operation == "" {
			where = path
		}
		if strings.HasSuffix(where, l.pointer) {
			return l.hint
		}
	}
	return f.Hint
}
