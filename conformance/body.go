package conformance

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// checkRequestBody checks a body against the one that the operation takes.
func (c *Checker) checkRequestBody(op *openapi3.Operation, r *Request, cover *coverage) []Finding {
	if op.RequestBody == nil {
		if len(r.Body) > 0 && op.Extensions["x-bento-body-filters"] == true {
			return checkFilters(op, r.Body)
		}
		if len(r.Body) > 0 {
			return []Finding{found(RuleRequestSchema, SideRequest, "", "the endpoint takes no body")}
		}
		return nil
	}
	var findings []Finding
	content := op.RequestBody.Value.Content
	media, problem := mediaType(r.Header)
	if problem == "" && content.Get(media) == nil {
		problem = "the body is " + mediaName(media) + ", not " + wantedType(content)
	}
	if r.Header == nil { // none were recorded: taken for what it should be
		media, problem = wantedType(content), ""
	}
	if problem != "" {
		findings = append(findings, found(RuleRequestType, SideRequest, "", problem))
		media = wantedType(content) // judged all the same: it most likely is
	}
	if r.BodyState == BodyMissing {
		return findings
	}
	if len(r.Body) == 0 {
		if !op.RequestBody.Value.Required {
			return nil
		}
		return append(findings, found(RuleRequestSchema, SideRequest, "", "the body is empty"))
	}
	return append(findings, c.checkContent(SideRequest, content.Get(media), media, r.Body, cover)...)
}

// checkFilters checks query parameters that came as a JSON body instead (x-bento-body-filters).
func checkFilters(op *openapi3.Operation, body []byte) []Finding {
	value, err := decodeJSON(body)
	if err != nil {
		return []Finding{found(RuleRequestEncoding, SideRequest, "", "the body "+err.Error())}
	}
	closed := false
	filters := openapi3.Schema{Type: &openapi3.Types{openapi3.TypeObject}, Properties: openapi3.Schemas{}}
	filters.AdditionalProperties.Has = &closed
	for _, ref := range op.Parameters {
		if ref.Value.In == openapi3.ParameterInQuery {
			filters.Properties[ref.Value.Name] = ref.Value.Schema
		}
	}
	return validate(SideRequest, &filters, value)
}

func (c *Checker) checkResponse(operation, method string, r *Response, cover *coverage) []Finding {
	op := c.operation(operation)
	if op == nil || r == nil {
		return nil
	}
	return append(c.checkAnswer(op, method, r, cover), headerDrift(r.Header)...)
}

func (c *Checker) checkAnswer(op *openapi3.Operation, method string, r *Response, cover *coverage) []Finding {
	answer := answerFor(op, r.Status)
	if answer == nil {
		rule := RuleResponseStatus
		if r.Status >= 400 && r.Status < 600 { // news, but nobody takes it for something else
			rule = RuleStatusDrift
		}
		return []Finding{found(rule, SideResponse, "", "status "+strconv.Itoa(r.Status)+" is not in the contract")}
	}
	if r.BodyState == BodyMissing || method == http.MethodHead {
		return nil
	}
	if len(r.Body) == 0 {
		// An error without a body is an error all the same; a success without one tells nothing.
		if r.Status < 300 && len(answer.Content) > 0 {
			return []Finding{found(RuleResponseSchema, SideResponse, "", "the answer is empty")}
		}
		return nil
	}
	if r.Header == nil { // none were recorded: judged if it can only be one thing
		media := wantedType(answer.Content)
		if len(answer.Content) != 1 {
			return nil
		}
		return c.checkContent(SideResponse, answer.Content.Get(media), media, r.Body, cover)
	}
	media, problem := mediaType(r.Header)
	if problem == "" && answer.Content.Get(media) == nil {
		problem = "the answer is " + mediaName(media) + ", not " + wantedType(answer.Content)
	}
	if problem != "" {
		rule := RuleResponseType
		if r.Status >= 400 {
			rule = RuleTypeDrift
		}
		return []Finding{found(rule, SideResponse, "", problem)}
	}
	return c.checkContent(SideResponse, answer.Content.Get(media), media, r.Body, cover)
}

// answerFor is the contract's answer with the status, by itself or by its class.
func answerFor(op *openapi3.Operation, status int) *openapi3.Response {
	ref := op.Responses.Value(strconv.Itoa(status))
	if ref == nil {
		ref = op.Responses.Value(strconv.Itoa(status/100) + "XX")
	}
	if ref == nil {
		return nil
	}
	return ref.Value
}

func (c *Checker) operation(id string) *openapi3.Operation { return c.byID[id] }

const formType = "application/x-www-form-urlencoded"

// checkContent checks a body by the schema of its media type; text has no inside to check.
func (c *Checker) checkContent(side Side, of *openapi3.MediaType, media string, body []byte, cover *coverage) []Finding {
	if of == nil || of.Schema == nil || of.Schema.Value.Type.Is("string") {
		return nil
	}
	if media == "application/json" && c.sure[content{side, of.Schema.Value}].accepts(body, cover) {
		return nil
	}
	decode := decodeJSON
	if media == formType {
		decode = decodeForm
	}
	value, err := decode(body)
	if err != nil {
		rule := RuleRequestEncoding
		if side == SideResponse {
			rule = RuleResponseEncoding
		}
		return []Finding{found(rule, side, "", "the body "+err.Error())}
	}
	findings := validate(side, of.Schema.Value, value)
	cover.body(side, of.Schema.Value, value)
	if isEvents(side, of.Schema.Value) {
		findings = append(findings, checkPurchases(body)...)
	}
	return findings
}

// mediaType reads Content-Type. JSON is UTF-8, so no other charset will do.
func mediaType(h http.Header) (media, problem string) {
	declared := h.Get("Content-Type")
	if declared == "" {
		return "", "there is no Content-Type"
	}
	media, parameters, err := mime.ParseMediaType(declared)
	if err != nil {
		return "", "the Content-Type is malformed"
	}
	if charset := parameters["charset"]; media == "application/json" && charset != "" && !strings.EqualFold(charset, "utf-8") {
		return "", "the charset is not UTF-8"
	}
	return media, ""
}

// mediaName names a media type, unless it is none that anybody knows.
func mediaName(media string) string {
	if kind, _, _ := strings.Cut(media, "/"); len(media) < 60 {
		switch kind {
		case "application", "text", "image", "multipart":
			return media
		}
	}
	return "of a strange type"
}

// wantedType is the media type that the contract wants: JSON, or the only one there is.
func wantedType(content openapi3.Content) string {
	if content.Get("application/json") != nil {
		return "application/json"
	}
	for media := range content {
		return media
	}
	return "any"
}
