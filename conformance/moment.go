package conformance

import "time"

// A moment is when an exchange happened, how long it took and how it ended: a point of the plots.
type moment struct {
	at       time.Time
	duration time.Duration
	status   int
}

// maxMoments bounds the points of a plot; of longer recordings every other one is dropped, again
// and again.
const maxMoments = 4000

func (r *Report) remember(x *Exchange) {
	if x.Started.IsZero() || r.summary.Checked%r.every != 0 {
		return
	}
	if len(r.moments) == maxMoments {
		for i := range maxMoments / 2 {
			r.moments[i] = r.moments[2*i]
		}
		r.moments = r.moments[:maxMoments/2]
		r.every *= 2
	}
	r.moments = append(r.moments, moment{x.Started, x.Duration, x.Response.Status})
}
