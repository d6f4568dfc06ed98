package job

// Purgeable is a job that is old enough to be purged, and what keeps it from that.
type Purgeable struct {
	Job
	Open int // items that a runner or a person still moves
	Live int // links that can be paid, or may be, as far as is known: one without an expiry counts
}

// Kept says whether the job stays as it is.
func (p Purgeable) Kept() bool { return p.Open > 0 || p.Live > 0 }
