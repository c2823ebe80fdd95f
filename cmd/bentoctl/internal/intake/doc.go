// Package intake reads files of people or events, as other tools export them, and makes records
// of the contract of them, a row at a time: CSV of any separator, NDJSON; packed by gzip or ZIP; in
// UTF-8 or UTF-16.
//
// What a file says of consent is never lost: a row that says unsubscribed, bounced or complained
// is told apart, and so is a file whose name says so. No column is dropped in silence, and an
// empty cell is left out, so that it overwrites nothing.
package intake
