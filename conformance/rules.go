package conformance

// The rules, by names that do not change.
const (
	RulePath                = "request.path"
	RuleMethod              = "request.method"
	RuleAuth                = "request.auth"
	RuleUserAgent           = "request.user-agent"
	RuleSiteUUID            = "request.site-uuid"
	RuleQueryUnknown        = "request.query.unknown"
	RuleQuery               = "request.query"
	RuleRequestType         = "request.content-type"
	RuleRequestSchema       = "request.body.schema"
	RuleRequestEncoding     = "request.body.encoding"
	RuleResponseStatus      = "response.status"
	RuleResponseType        = "response.content-type"
	RuleResponseSchema      = "response.body.schema"
	RuleResponseEncoding    = "response.body.encoding"
	RuleResponseDrift       = "response.body.drift"
	RuleResponseHeader      = "response.header.drift"
	RuleStatusDrift         = "response.status.drift"
	RuleTypeDrift           = "response.content-type.drift"
	RulePayloadFieldName    = "payload.field-name"
	RulePayloadSecret       = "payload.secret"
	RulePayloadEmail        = "payload.email"
	RulePayloadPurchase     = "payload.purchase"
	RulePayloadAmount       = "payload.amount"
	RuleRecordingUnreadable = "recording.unreadable"
	RuleInternal            = "internal"
)

// A Rule is a thing that is looked for.
type Rule struct {
	Name     string
	Severity Severity
	// Summary says what the rule finds, Hint what to do about it.
	Summary, Hint string
}

var rules = []Rule{
	{RulePath, SeverityError, "no endpoint of the contract has this path", "Check path, method, and identifiers."},
	{RuleMethod, SeverityError, "the endpoint does not know this method", "Check path, method, and identifiers."},
	{RuleAuth, SeverityError, "Basic auth is missing or malformed", "Send Authorization: Basic BASE64(publishable_key:secret_key)."},
	{RuleUserAgent, SeverityError, "the User-Agent is missing or generic", "Use a real app name, such as AcmeCRM/1.0; others may be blocked before they reach the API."},
	{RuleSiteUUID, SeverityError, "site_uuid is missing from the query", "Every request names its site: add site_uuid to the query string."},
	{RuleQueryUnknown, SeverityError, "a query parameter is not in the contract", "Remove it, or correct its spelling."},
	{RuleQuery, SeverityError, "a query parameter is malformed", "Correct the query string; see the endpoint's parameters."},
	{RuleRequestType, SeverityError, "the body is not declared as the contract wants it", "Send Content-Type: application/json with JSON bodies."},
	{RuleRequestSchema, SeverityError, "the body is not what the contract says", "Check required fields and data types."},
	{RuleRequestEncoding, SeverityError, "the body is not one JSON value in UTF-8", "Send one UTF-8 JSON value, no key twice."},
	{RuleResponseStatus, SeverityError, "the status is not in the contract", "If Bento answers so, add the status to the contract; else look at what stands in between."},
	{RuleResponseType, SeverityError, "the answer is of a type that is not in the contract", "Look at what stands between you and Bento; pages of HTML come from the edge."},
	{RuleResponseSchema, SeverityError, "the answer is not what the contract says", "If Bento answers so, correct the contract; programs generated from it will fail."},
	{RuleResponseEncoding, SeverityError, "the answer is not one JSON value in UTF-8", "Look at what stands between you and Bento."},
	{RuleResponseDrift, SeverityDrift, "the answer holds a member that the contract does not know", "Add the member to the contract if programs should see it."},
	{RuleResponseHeader, SeverityDrift, "the answer has headers that the contract does not know", "Add them to the contract if programs should heed them."},
	{RuleStatusDrift, SeverityDrift, "an error has a status that the contract does not know", "If Bento answers so, add the status to the contract; else look at what stands in between."},
	{RuleTypeDrift, SeverityDrift, "an error is of a type that the contract does not know", "Nobody reads an error by its type alone; add the type to the contract if it comes from Bento."},
	{RulePayloadFieldName, SeverityWarning, "a field name is not lower case with underscores", "Keep field names lowercase and underscored where possible."},
	{RulePayloadSecret, SeverityWarning, "a field looks like a secret", "Do not send secrets in event details or custom fields."},
	{RulePayloadEmail, SeverityWarning, "an email address is malformed", "Correct the address; Bento counts such records as failed."},
	{RulePayloadPurchase, SeverityWarning, "a $purchase does not say what was bought once", "Give details.unique.key, by which repeats are dropped, and details.value with currency and amount."},
	{RulePayloadAmount, SeverityWarning, "value.amount is not a whole number", "Amounts are integer cents: 7995, not 79.95."},
	{RuleRecordingUnreadable, SeverityError, "an entry of the recording cannot be read", "Export the recording again; the other entries were judged."},
	{RuleInternal, SeverityError, "the checker failed on this exchange", "Please report it, with the contract's shapes but without your data."},
}

// Rules returns every rule, in the order of a request's way.
func Rules() []Rule { return append([]Rule(nil), rules...) }

var ruleByName = func() map[string]Rule {
	byName := map[string]Rule{}
	for _, r := range rules {
		byName[r.Name] = r
	}
	return byName
}()

// found makes a finding of a rule; an empty message means the rule's summary.
func found(rule string, side Side, pointer, message string) Finding {
	r := ruleByName[rule]
	if message == "" {
		message = r.Summary
	}
	return Finding{Rule: rule, Severity: r.Severity, Side: side, Pointer: pointer, Message: message, Hint: r.Hint, Count: 1}
}
