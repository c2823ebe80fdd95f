package fake

import (
	"encoding/json"
	"net/http"
	"strconv"

	"example.com/bento-go/conformance"
	"example.com/bento-go/gen"
)

// The sequence and the workflow of a fake.
const (
	sequenceID = "sequence_1"
	workflowID = "workflow_1"
)

// createBroadcasts says which records failed, and why.
func (s *state) createBroadcasts(c *call) reply {
	result := gen.CreateBroadcastsResult{}
	for i, raw := range c.records("broadcasts") {
		var draft gen.BroadcastDraft
		_ = json.Unmarshal(raw, &draft)
		wrong := ""
		switch {
		case draft.From.Email != "" && !conformance.ValidEmail(draft.From.Email):
			wrong = "From is not an author"
		case draft.Approved != nil && *draft.Approved && draft.SendAt == nil:
			wrong = "Send at can't be blank when approved"
		}
		if wrong != "" {
			result.Failed++
			result.Failures = append(result.Failures, gen.BroadcastFailure{Index: i, Name: draft.Name, Error: wrong})
			continue
		}
		result.Results++
		id := s.addDraft(draft)
		result.Broadcasts = append(result.Broadcasts, gen.CreatedBroadcast{
			ID: gen.Number(id), TemplateID: gen.Number(id), Name: draft.Name, DashboardURL: "https://app.bentonow.com/broadcasts/" + strconv.Itoa(id),
		})
	}
	return answer(http.StatusCreated, result)
}

// addDraft keeps a draft, which nobody ever sends, and returns its number.
func (s *state) addDraft(draft gen.BroadcastDraft) int {
	s.drafted++
	id := 1_000_000 + s.drafted
	b := gen.Broadcast{ID: gen.ID(strconv.Itoa(id)), Type: "broadcasts"}
	b.Attributes = gen.BroadcastAttributes{
		Name: draft.Name, CreatedAt: s.time(), Template: gen.BroadcastTemplate{Subject: draft.Subject, HTML: draft.Content},
	}
	if encoded, err := json.Marshal(b); err == nil {
		s.drafts.add(encoded)
	}
	return id
}

// listSequences names the emails of the sequence: that is where their ids are looked up.
func (s *state) listSequences(c *call) reply {
	list := gen.SequenceList{}
	if c.page() == 1 {
		sequence := gen.Sequence{ID: sequenceID, Type: "sequences", Attributes: gen.SequenceAttributes{Name: "Welcome", CreatedAt: s.began}}
		for i, t := range s.templates {
			sequence.Attributes.EmailTemplates = append(sequence.Attributes.EmailTemplates, gen.EmailTemplateSummary{
				ID: gen.Number(i + 1), Subject: t.Attributes.Subject,
			})
		}
		list.Data = gen.List[gen.Sequence]{sequence}
	}
	return answer(http.StatusOK, list)
}

func (s *state) listWorkflows(c *call) reply {
	list := gen.WorkflowList{}
	if c.page() == 1 {
		list.Data = gen.List[gen.Workflow]{{ID: workflowID, Type: "workflows", Attributes: gen.WorkflowAttributes{Name: "Welcome", Status: "live", CreatedAt: s.began}}}
	}
	return answer(http.StatusOK, list)
}

func (s *state) createSequenceEmail(c *call) reply {
	if c.id() != sequenceID {
		return fail(http.StatusNotFound, "Sequence not found")
	}
	var body gen.CreateSequenceEmailBody
	_ = json.Unmarshal(c.body, &body)
	if len(s.templates) >= maxKept || !s.fits(len(c.body)) {
		return objections(http.StatusUnprocessableEntity, fieldError{"email_template", "is one too many: this fake keeps 100,000, or 256 MB"})
	}
	template := s.addTemplate(body.EmailTemplate.Subject, body.EmailTemplate.HTML)
	return answer(http.StatusCreated, gen.EmailTemplateEnvelope{Data: gen.One[gen.EmailTemplate]{Value: template}})
}

func (s *state) addTemplate(subject, html string) *gen.EmailTemplate {
	t := &gen.EmailTemplate{ID: gen.ID(strconv.Itoa(len(s.templates) + 1)), Type: "email_templates"}
	t.Attributes = gen.EmailTemplateAttributes{Name: subject, Subject: subject, HTML: html, CreatedAt: s.time()}
	s.templates = append(s.templates, t)
	return t
}

// template is the template that a call names, or nil.
func (s *state) template(c *call) *gen.EmailTemplate {
	n, err := strconv.Atoi(c.id())
	if err != nil || n < 1 || n > len(s.templates) {
		return nil
	}
	return s.templates[n-1]
}

func (s *state) getEmailTemplate(c *call) reply {
	t := s.template(c)
	if t == nil {
		return fail(http.StatusNotFound, "Not Found")
	}
	return answer(http.StatusOK, gen.EmailTemplateEnvelope{Data: gen.One[gen.EmailTemplate]{Value: t}})
}

func (s *state) updateEmailTemplate(c *call) reply {
	t := s.template(c)
	if t == nil {
		return fail(http.StatusNotFound, "Not Found")
	}
	var body gen.UpdateEmailTemplateBody
	_ = json.Unmarshal(c.body, &body)
	changed := t.Attributes
	if subject := body.EmailTemplate.Subject; subject != nil {
		changed.Subject = *subject
	}
	if html := body.EmailTemplate.HTML; html != nil {
		changed.HTML = *html
	}
	if !s.fits(len(changed.Subject) + len(changed.HTML) - len(t.Attributes.Subject) - len(t.Attributes.HTML)) {
		return objections(http.StatusUnprocessableEntity, fieldError{"email_template", "is too much: this fake keeps 256 MB"})
	}
	t.Attributes = changed
	return answer(http.StatusOK, gen.EmailTemplateEnvelope{Data: gen.One[gen.EmailTemplate]{Value: t}})
}
