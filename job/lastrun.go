package job

import "time"

// LastRun is how a job's last run went.
type LastRun struct {
	Began  time.Time // UTC; zero when the job was never sent
	Ended  time.Time // UTC; zero while the run goes on, and for one that was killed
	Stop   Stop      // empty until the run has ended
	Reason string    // see Report
}
