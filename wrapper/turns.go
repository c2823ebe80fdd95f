package bento

import (
	"fmt"
	"time"

	"example.com/bento-go/gen"
)

// CountTurns tells the client when requests went out lately that share the limit of an operation (such as
// [gen.OpTrackEvents]), by whomever, in any order, and that nobody else sends any more. The client counts
// them as its own: one that takes over from another makes up for the turns that were missed in between, and
// the two together ask no more than the limit in any window. The client's own turns may be among them, if
// they were noted within a quarter of a second; they are not counted twice. Times that are to come are
// another clock's: they are now, or, if they are more than a quarter of the window ahead, nothing at all. A
// client without a pace for the operation needs none of this.
//
// It sends nothing, and is safe for concurrent use. The error says that there is no such operation.
func (c *Client) CountTurns(operation string, at ...time.Time) error {
	op, known := gen.OperationByID(operation)
	if !known || c == nil || c.pace == nil {
		return fmt.Errorf("CountTurns: the contract has no operation %q, or the client is none that New made", operation)
	}
	if limit := c.pace.pace.limit(op.Limit); limit.Requests > 0 {
		c.pace.gate(op.Limit.Name, limit).count(time.Now(), at)
	}
	return nil
}
