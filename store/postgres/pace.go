package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
)

// budget is the pace of an account: all senders take their sends from the row that it has in {pace}. Times are the database's; each
// statement is a transaction of its own. Should the server lose the last of them in a crash, it was away for longer than they say.
type budget struct {
	l           *Ledger
	environment string
	baseURL     string
}

// Budget implements [paylinks/store.Ledger].
func (l *Ledger) Budget(environment job.Environment, baseURL string) job.Budget {
	return &budget{l, string(environment), baseURL}
}

// SetRate implements job.Budget.
func (b *budget) SetRate(ctx context.Context, perSecond float64, explicit bool) (holds float64, err error) {
	err = b.row(ctx, `
		INSERT INTO {pace} AS pace (environment, base_url, per_second)
		VALUES ($1, $2, $3)
		ON CONFLICT (environment, base_url) DO UPDATE SET per_second = CASE WHEN $4::boolean THEN excluded.per_second ELSE pace.per_second END
		RETURNING per_second
	`, []any{perSecond, explicit}, &holds)
	return holds, err
}

// rateNow is the requests a second: after a pause it climbs back to the full rate within a minute, in a straight line.
const rateNow = `
	CASE
		WHEN since IS NULL THEN per_second
		ELSE least(per_second, reduced + per_second * greatest(0, extract(epoch FROM clock_timestamp() - since)::float8) / 60)
	END`

// Take implements job.Budget.
func (b *budget) Take(ctx context.Context, n int) (job.Block, error) {
	var perSecond, wait, paused float64
	err := b.row(ctx, `
		UPDATE {pace} AS pace
		SET next_at = CASE
			WHEN old.rate = 0 THEN pace.next_at
			ELSE greatest(pace.next_at, clock_timestamp(), pace.paused_until) + make_interval(secs => $3::integer / old.rate)
		END
		FROM (
			SELECT environment, base_url, `+rateNow+` AS rate
			FROM {pace}
			WHERE environment = $1
				AND base_url = $2
			FOR UPDATE
		) AS old
		WHERE pace.environment = old.environment
			AND pace.base_url = old.base_url
		RETURNING
			old.rate,
			CASE
				WHEN old.rate = 0 THEN 0
				ELSE extract(epoch FROM pace.next_at - clock_timestamp())::float8 - $3::integer / old.rate
			END,
			coalesce(extract(epoch FROM pace.paused_until - clock_timestamp())::float8, 0)
	`, []any{n}, &perSecond, &wait, &paused)
	if err != nil {
		return job.Block{}, err
	}
	now := time.Now()
	block := job.Block{N: n, PerSecond: perSecond, Start: now.Add(seconds(max(0, wait)))}
	if paused > 0 {
		block.Paused = now.Add(seconds(paused))
	}
	if perSecond > 0 {
		block.Every = seconds(1 / perSecond)
		block.End = block.Start.Add(time.Duration(n) * block.Every)
	} else {
		block.Start = now
		block.End = now.Add(blockTime)
	}
	return block, nil
}

// blockTime is how long a block without a limit is good for.
const blockTime = 100 * time.Millisecond

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// Throttled implements job.Budget. A request that had left before the last pause began tells of nothing new. Where Clink names no time,
// it is a second, doubling while it goes on.
func (b *budget) Throttled(ctx context.Context, sentAgo, retryAfter time.Duration) (pausedUntil time.Time, err error) {
	var paused float64
	err = b.row(ctx, `
		UPDATE {pace} AS pace
		SET
			reduced = CASE WHEN old.anew THEN greatest(old.rate / 2, per_second / 64) ELSE reduced END,
			paused_from = CASE WHEN old.anew THEN old.now ELSE paused_from END,
			streak = old.streak,
			paused_until = greatest(paused_until, old.until),
			since = CASE WHEN old.anew OR old.until > paused_until THEN greatest(paused_until, old.until) ELSE since END
		FROM (
			SELECT
				environment, base_url, rate, anew, now, counted AS streak,
				now + CASE
					WHEN $4::float8 > 0 THEN make_interval(secs => $4::float8)
					ELSE make_interval(secs => least(60, power(2, greatest(0, least(counted, 7) - 1))))
				END AS until
			FROM (
				SELECT
					*,
					CASE
						WHEN NOT anew THEN streak
						WHEN $4::float8 > 0 THEN 0
						WHEN paused_until IS NULL OR now > paused_until + interval '1 minute' THEN 1
						ELSE streak + 1
					END AS counted
				FROM (
					SELECT
						environment, base_url, streak, paused_until,
						`+rateNow+` AS rate,
						clock_timestamp() AS now,
						paused_from IS NULL OR clock_timestamp() - make_interval(secs => $3::float8) > paused_from AS anew
					FROM {pace}
					WHERE environment = $1
						AND base_url = $2
					FOR UPDATE
				) AS found
			) AS counting
		) AS old
		WHERE pace.environment = old.environment
			AND pace.base_url = old.base_url
		RETURNING extract(epoch FROM pace.paused_until - clock_timestamp())::float8
	`, []any{sentAgo.Seconds(), max(0, retryAfter.Seconds())}, &paused)
	return time.Now().Add(seconds(paused)), err
}

// row runs a statement on the account's row, by a connection that waits for no record.
func (b *budget) row(ctx context.Context, text string, args []any, to ...any) error {
	err := b.l.again(ctx, func() error {
		batch := &pgx.Batch{}
		batch.Queue("BEGIN ISOLATION LEVEL READ COMMITTED")
		batch.Queue(`SELECT set_config('lock_timeout', '2s', TRUE), set_config('statement_timeout', '5s', TRUE), set_config('synchronous_commit', 'off', TRUE)`)
		batch.Queue(b.l.sql(text), append([]any{b.environment, b.baseURL}, args...)...)
		batch.Queue("COMMIT")
		conn, err := b.l.read.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		results := conn.SendBatch(ctx, batch)
		for range 2 {
			if _, err := results.Exec(); err != nil {
				return errors.Join(err, results.Close())
			}
		}
		if err := results.QueryRow().Scan(to...); err != nil {
			return errors.Join(err, results.Close())
		}
		return results.Close()
	})
	if err != nil {
		return fmt.Errorf("take from the rate of the account: %w", err)
	}
	return nil
}
