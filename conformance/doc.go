// Package conformance judges traffic with Bento by the contract: an exchange in, findings out.
//
// A [Checker] is made of the contract in openapi.yaml; kin-openapi validates the schemas, and
// what it lets pass by default (missing credentials, unknown parameters, duplicate keys, bytes
// after the JSON value, integers that are none, undocumented members, statuses and types) is
// checked here. [ReadHAR] reads recordings as a stream, [Recorder] writes them as a program
// talks, without its keys. [Report] adds up what was found.
//
// Findings name places, never values: a report can be shown to anybody.
package conformance
