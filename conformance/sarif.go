package conformance

import (
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
)

// The part of SARIF 2.1.0 that a report is made of.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		Results    []sarifResult `json:"results"`
		ColumnKind string        `json:"columnKind"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string      `json:"id"`
		Short   sarifText   `json:"shortDescription"`
		Help    sarifText   `json:"help"`
		Default sarifConfig `json:"defaultConfiguration"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Count        int               `json:"occurrenceCount"`
		Fingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine  int   `json:"startLine,omitempty"`
		ByteOffset int64 `json:"byteOffset"`
		ByteLength int   `json:"byteLength"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
)

var sarifLevels = map[Severity]string{SeverityError: "error", SeverityWarning: "warning", SeverityDrift: "note"}

// WriteSARIF writes the report as SARIF 2.1.0, a result for each group of findings. A result
// points to the first entry, by its line and its byte in the file.
func (r *Report) WriteSARIF(w io.Writer) error {
	run := sarifRun{ColumnKind: "utf16CodeUnits", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "bento-go conformance", InformationURI: "https://bentonow.com/docs/api/conventions"}
	index := map[string]int{}
	for i, rule := range rules {
		index[rule.Name] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			rule.Name, sarifText{rule.Summary}, sarifText{rule.Hint}, sarifConfig{sarifLevels[rule.Severity]},
		})
	}
	for _, g := range r.Groups() {
		location := sarifLocation{Physical: sarifPhysical{sarifArtifact{fileURI(g.File)}, sarifRegion{g.Line, g.offset, 0}}}
		if g.Operation != "" {
			location.Logical = []sarifLogical{{g.Operation + " " + string(g.Side) + " " + g.Pointer, "member"}}
		}
		run.Results = append(run.Results, sarifResult{
			RuleID: g.Rule, RuleIndex: index[g.Rule], Level: sarifLevels[g.Severity], Message: sarifText{classOf(g.Operation) + ": " + g.Message + ". " + g.Hint},
			Locations: []sarifLocation{location}, Count: g.Count, Fingerprints: map[string]string{"group/v1": g.Fingerprint},
		})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func fileURI(file string) string {
	if file == "" || file == "-" {
		return "stdin"
	}
	return (&url.URL{Path: filepath.ToSlash(file)}).String()
}
