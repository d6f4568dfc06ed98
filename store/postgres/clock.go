package postgres

import "time"

// skewMost is what a host's clock may differ from the database's before times are corrected by it: what is below is the network's.
const skewMost = 2 * time.Second

// skew is what a host's clock lacks to the database's, which was read between before and after.
func skew(database, before, after time.Time) time.Duration {
	middle := before.Add(after.Sub(before) / 2)
	if off := database.Sub(middle.Round(0)); off.Abs() > skewMost {
		return off
	}
	return 0
}

// now is a time of this host as the database has it, in UTC and to the millisecond.
func (r *Reader) now(t time.Time) time.Time {
	return t.Add(r.skew).UTC().Truncate(time.Millisecond)
}

// at is now as a parameter: no time is NULL.
func (r *Reader) at(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return r.now(t)
}
