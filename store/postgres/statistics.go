package postgres

import (
	"context"
	"time"
)

// From so many rows on, an import has the server take statistics of the items, and waits no longer for them than this. Autovacuum comes a
// minute later, and until then each page of a run would be looked for in the whole job.
const (
	statisticsFrom    = 10_000
	statisticsTimeout = 30 * time.Second
)

// takeStatistics has the server sample the items. Who does not own the table cannot, and no reads depend on it but in how long they take.
func (r *Reader) takeStatistics() {
	ctx, cancel := context.WithTimeout(context.Background(), statisticsTimeout)
	defer cancel()
	_, _ = r.read.Exec(ctx, r.sql(`ANALYZE {item}`))
}
