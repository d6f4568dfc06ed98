package postgres

import (
	"cmp"
	"context"
	"math/big"
	"slices"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
)

// tx is the transaction that the writer has open, with the changes of the tallies, which are written once at its end.
type tx struct {
	l        *Ledger
	conn     *pgx.Conn
	items    map[itemTally]tallyDelta
	attempts map[attemptTally]int64
	ending   *pgx.Batch // what is sent together with COMMIT
}

type itemTally struct {
	jobID    int64
	state    job.State
	currency string
}

type tallyDelta struct {
	items  int64
	amount *big.Int
}

type attemptTally struct {
	jobID   int64
	outcome job.Outcome
}

// count adds sign items to a tally.
func (t *tx) count(key itemTally, sign, amount int64) {
	d, ok := t.items[key]
	if !ok {
		d.amount = new(big.Int)
	}
	d.items += sign
	if sign < 0 {
		d.amount.Sub(d.amount, big.NewInt(amount))
	} else {
		d.amount.Add(d.amount, big.NewInt(amount))
	}
	t.items[key] = d
}

// move counts an item of a job that goes from its state to another one.
func (t *tx) move(item *job.Item, to job.State) {
	if item.State != to {
		t.count(itemTally{item.JobID, item.State, item.Currency}, -1, item.Amount)
		t.count(itemTally{item.JobID, to, item.Currency}, 1, item.Amount)
	}
}

// queueTallies has the tallies written with COMMIT, in one order for all senders, so that none waits for another in a circle.
func (t *tx) queueTallies() {
	var jobs, items []int64
	var states, currencies, amounts []string
	keys := make([]itemTally, 0, len(t.items))
	for key, d := range t.items {
		if d.items != 0 || d.amount.Sign() != 0 {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b itemTally) int {
		return cmp.Or(cmp.Compare(a.jobID, b.jobID), cmp.Compare(a.state, b.state), cmp.Compare(a.currency, b.currency))
	})
	for _, key := range keys {
		jobs, states, currencies = append(jobs, key.jobID), append(states, string(key.state)), append(currencies, key.currency)
		items, amounts = append(items, t.items[key].items), append(amounts, t.items[key].amount.String())
	}
	if len(keys) > 0 {
		t.ending.Queue(t.sql(`
			INSERT INTO {item_tally} AS tally (job_id, state, currency, items, amount)
			SELECT *
			FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[]::numeric[])
			ON CONFLICT (job_id, state, currency) DO UPDATE SET
				items = tally.items + excluded.items,
				amount = tally.amount + excluded.amount
		`), jobs, states, currencies, items, amounts)
	}
	var outcomes []string
	var numbers []int64
	jobs = nil
	ends := make([]attemptTally, 0, len(t.attempts))
	for key, n := range t.attempts {
		if n != 0 {
			ends = append(ends, key)
		}
	}
	slices.SortFunc(ends, func(a, b attemptTally) int {
		return cmp.Or(cmp.Compare(a.jobID, b.jobID), cmp.Compare(a.outcome, b.outcome))
	})
	for _, key := range ends {
		jobs, outcomes, numbers = append(jobs, key.jobID), append(outcomes, string(key.outcome)), append(numbers, t.attempts[key])
	}
	if len(ends) > 0 {
		t.ending.Queue(t.sql(`
			INSERT INTO {attempt_tally} AS tally (job_id, outcome, attempts)
			SELECT *
			FROM unnest($1::bigint[], $2::text[], $3::bigint[])
			ON CONFLICT (job_id, outcome) DO UPDATE SET attempts = tally.attempts + excluded.attempts
		`), jobs, outcomes, numbers)
	}
}

func (t *tx) sql(text string) string { return t.l.writer.sql(text) }

// exec runs a statement and returns how many rows it has changed.
func (t *tx) exec(text string, args ...any) (int64, error) {
	ctx, cancel := t.l.writer.bounded()
	defer cancel()
	tag, err := t.conn.Exec(ctx, t.sql(text), args...)
	return tag.RowsAffected(), err
}

// one runs a guarded statement: it must change exactly one row, else the error is job.ErrMoved.
func (t *tx) one(text string, args ...any) error {
	n, err := t.exec(text, args...)
	if err == nil && n != 1 {
		err = job.ErrMoved
	}
	return err
}

// query runs a statement; its rows must be closed, or read to their end by one of pgx's helpers.
func (t *tx) query(text string, args ...any) (pgx.Rows, error) {
	ctx, cancel := t.l.writer.bounded()
	rows, err := t.conn.Query(ctx, t.sql(text), args...)
	if err != nil {
		cancel()
		return nil, err
	}
	return &bounded{rows, cancel}, nil
}

// row runs a statement that returns one row at most.
func (t *tx) row(text string, args ...any) pgx.Row {
	rows, err := t.query(text, args...)
	return oneRow{rows, err}
}

// idsOf collects what a statement returns in one column of numbers.
func idsOf(rows pgx.Rows, err error) (map[int64]bool, error) {
	if err != nil {
		return nil, err
	}
	found := map[int64]bool{}
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
		found[id] = true
		return nil
	})
	return found, err
}

// bounded are rows that end with their bound.
type bounded struct {
	pgx.Rows
	cancel context.CancelFunc
}

func (b *bounded) Close() {
	b.Rows.Close()
	b.cancel()
}
