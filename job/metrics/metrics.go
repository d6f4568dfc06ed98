// Package metrics writes how jobs went as Prometheus text, into a file for node_exporter's textfile collector.
package metrics

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"paylinks/job"
	"paylinks/job/engine"
	"paylinks/job/links"
)

// File is what one command tells Prometheus. The file adds up over commands: what an earlier one wrote stays, unless this one knows
// better or it is about a job of another night.
type File struct {
	path         string
	command      string
	registry     *prometheus.Registry
	environments map[job.Environment]bool // of the jobs that the command has worked on
	jobs         map[int64]bool           // those jobs

	rows        *prometheus.GaugeVec
	attempts    *prometheus.CounterVec
	orphans     *prometheus.GaugeVec
	seconds     *prometheus.GaugeVec
	perSecond   *prometheus.GaugeVec
	jobStatus   *prometheus.GaugeVec
	jobRun      *prometheus.GaugeVec
	jobSuccess  *prometheus.GaugeVec
	lastExit    *prometheus.GaugeVec
	lastSuccess *prometheus.GaugeVec
}

const (
	// jobsKept is how long a job of earlier commands stays in the file: over all of a night's runs, but not until the
	// next night's, so that the file does not grow.
	jobsKept = 20 * time.Hour

	rowsMetric   = "paylinks_rows"
	jobRunMetric = "paylinks_job_last_run_timestamp_seconds"
)

// jobLabels name a job. Prometheus has a label "job" of its own, hence job_id.
var jobLabels = []string{"job_id", "environment", "file"}

// Open makes sure that the file can be written, before anything is sent. A file that is there and holds something else than metrics
// of ours is refused.
func Open(path, command string) (*File, error) {
	m := &File{path: path, command: command, registry: prometheus.NewRegistry(), environments: map[job.Environment]bool{}, jobs: map[int64]bool{}}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		m.path = real
	}
	_, err := m.earlier()
	if err == nil {
		err = links.Try(m.path)
	}
	if err != nil {
		return nil, m.unwritable(err)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
		m.registry.MustRegister(vec)
		return vec
	}
	ofJob := func(name, help string, more ...string) *prometheus.GaugeVec {
		return gauge(name, help, append(slices.Clone(jobLabels), more...)...)
	}
	m.rows = ofJob(rowsMetric, "Rows of the job by state.", "state")
	m.attempts = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "paylinks_attempts_total", Help: "Requests for a session over the job's life, by outcome.",
	}, append(slices.Clone(jobLabels), "outcome"))
	m.registry.MustRegister(m.attempts)
	m.orphans = ofJob("paylinks_possible_orphans", "Possible extra sessions: they may exist at Clink without being published.")
	m.seconds = ofJob("paylinks_job_last_run_duration_seconds", "How long the last run worked on the job.")
	m.perSecond = ofJob("paylinks_job_last_run_attempts_per_second", "Requests for a session a second, in the job's last run.")
	m.jobStatus = ofJob("paylinks_job_last_run_exit_status", "Exit status of the job's last run: 0 when every row has a link.")
	m.jobRun = ofJob(jobRunMetric, "When the job's last run ended.")
	m.jobSuccess = ofJob("paylinks_job_last_success_timestamp_seconds", "When a run of the job last ended with status 0.")
	m.lastExit = gauge("paylinks_last_exit_timestamp_seconds", "When the command last ended with this exit status.", "command", "status")
	m.lastSuccess = gauge("paylinks_last_success_timestamp_seconds",
		"When a command that worked on a job in this environment last ended with status 0.", "environment")
	return m, nil
}

func (m *File) unwritable(err error) error {
	if output, ok := errors.AsType[*links.Error](err); ok {
		err = output.Err
	}
	return fmt.Errorf("write the metrics file %s: %w", m.path, err)
}

// Describe sends the description of each metric to ch.
func (m *File) Describe(ch chan<- *prometheus.Desc) { m.registry.Describe(ch) }

// labelValues are the values of jobLabels.
func labelValues(j job.Job) []string {
	return []string{strconv.FormatInt(j.ID, 10), string(j.Environment), strings.ToValidUTF8(j.FileName(), "\uFFFD")}
}

// rowsLedger is what NoteOthers asks of a ledger.
type rowsLedger interface {
	Job(ctx context.Context, id int64) (job.Job, error)
	Tally(ctx context.Context, jobID int64) (job.Tally, error)
	FailedButMade(ctx context.Context, jobID int64) (int, error)
}

// NoteOthers notes anew the jobs that had rows left when an earlier command noted them: nobody is to be called for rows that this run
// has made or taken over, or that were sent by hand since. The error is the ledger's: one of the file comes when it is written.
func (m *File) NoteOthers(ctx context.Context, ledger rowsLedger, at time.Time) error {
	jobs, err := m.withRowsLeft(at)
	if err != nil {
		return nil
	}
	for id, labels := range jobs {
		j, err := ledger.Job(ctx, id)
		switch {
		case errors.Is(err, job.ErrNoJob), err == nil && !slices.Equal(labels, labelValues(j)): // of another ledger
			continue
		case err != nil:
			return err
		}
		tally, err := ledger.Tally(ctx, id)
		if err != nil {
			return err
		}
		made, err := ledger.FailedButMade(ctx, id)
		if err != nil {
			return err
		}
		m.noteRows(j, tally, made)
	}
	return nil
}

// withRowsLeft are the jobs that have rows without a link by what earlier commands noted, with their labels, but for those that this
// one has noted and those that leave the file now.
func (m *File) withRowsLeft(at time.Time) (map[int64][]string, error) {
	families, err := m.earlier()
	if err != nil {
		return nil, err
	}
	jobs, recent := map[int64][]string{}, recentJobs(families, at)
	for _, metric := range families[rowsMetric].GetMetric() {
		labels := map[string]string{}
		for _, label := range metric.Label {
			labels[label.GetName()] = label.GetValue()
		}
		switch job.State(labels["state"]) {
		case job.Pending, job.Unknown, job.Failed:
		default:
			continue
		}
		if metric.GetGauge().GetValue() == 0 {
			continue
		}
		var values []string
		for _, name := range jobLabels {
			values = append(values, labels[name])
		}
		if id, err := strconv.ParseInt(values[0], 10, 64); err == nil && !m.jobs[id] && recent[labelsOf(metric, jobLabels...)] {
			jobs[id] = values
		}
	}
	return jobs, nil
}

// noteRows notes a job's rows by state, without the failed ones, so many, that a later job has made: for those nobody is called.
func (m *File) noteRows(j job.Job, t job.Tally, made int) {
	for _, state := range job.States {
		n := t.Items[state]
		switch state {
		case job.Sending: // one that a run has left so is in doubt
			continue
		case job.Unknown:
			n += t.Items[job.Sending]
		case job.Failed:
			n -= made
		}
		m.rows.WithLabelValues(append(labelValues(j), string(state))...).Set(float64(n))
	}
}

// Note notes what the command made of a job, and the exit status that it alone would have given.
func (m *File) Note(o engine.Outcome, status int) {
	m.environments[o.Job.Environment], m.jobs[o.Job.ID] = true, true
	labels := labelValues(o.Job)
	with := func(more string) []string { return append(slices.Clone(labels), more) }
	m.noteRows(o.Job, o.Tally, o.Left.Made)
	for outcome, n := range o.Tally.Attempts {
		if outcome == "" { // its end is not on record
			outcome = job.OutcomeUnknown
		}
		m.attempts.WithLabelValues(with(string(outcome))...).Add(float64(n))
	}
	m.orphans.WithLabelValues(labels...).Set(float64(o.Tally.PossibleOrphans()))
	m.seconds.WithLabelValues(labels...).Set(o.Took.Seconds())
	perSecond := 0.0
	if o.Took > 0 {
		perSecond = float64(o.Tally.AllAttempts()-o.AttemptsBefore) / o.Took.Seconds()
	}
	m.perSecond.WithLabelValues(labels...).Set(perSecond)
	m.jobStatus.WithLabelValues(labels...).Set(float64(status))
	at := seconds(time.Now())
	m.jobRun.WithLabelValues(labels...).Set(at)
	if o.Ending() == engine.Complete {
		m.jobSuccess.WithLabelValues(labels...).Set(at)
	}
}

func seconds(at time.Time) float64 { return float64(at.UnixMilli()) / 1000 }

// Write replaces the file, at the end of a command with this exit status. It holds no customer data, and node_exporter, which is
// another user, must be able to read it.
func (m *File) Write(status int, at time.Time) error {
	if err := m.write(status, at); err != nil {
		return m.unwritable(err)
	}
	return nil
}

func (m *File) write(status int, at time.Time) error {
	m.lastExit.WithLabelValues(m.command, strconv.Itoa(status)).Set(seconds(at))
	if status == 0 {
		for environment := range m.environments {
			m.lastSuccess.WithLabelValues(string(environment)).Set(seconds(at))
		}
	}
	fresh, err := m.registry.Gather()
	if err != nil {
		return err
	}
	earlier, err := m.earlier()
	if err != nil {
		return err
	}
	var text bytes.Buffer
	for _, family := range merge(fresh, earlier, at) {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			return err
		}
	}
	return renameio.WriteFile(m.path, text.Bytes(), 0o644,
		renameio.WithTempDir(filepath.Dir(m.path)), renameio.WithStaticPermissions(0o644))
}

// earlier reads what is in the file; no file and an empty one are as good as none.
func (m *File) earlier() (map[string]*dto.MetricFamily, error) {
	info, err := os.Stat(m.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	}
	text, err := os.ReadFile(m.path)
	if err != nil {
		return nil, err
	}
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, errors.New("the file there holds no metrics; it is left as it is")
	}
	for name := range families {
		if !strings.HasPrefix(name, "paylinks_") {
			return nil, fmt.Errorf("the file there holds metrics of another program (%s); it is left as it is", name)
		}
	}
	return families, nil
}

// recentJobs are the labels of the jobs that earlier commands worked on and that stay in the file.
func recentJobs(earlier map[string]*dto.MetricFamily, at time.Time) map[string]bool {
	recent := map[string]bool{}
	for _, metric := range earlier[jobRunMetric].GetMetric() {
		recent[labelsOf(metric, jobLabels...)] = seconds(at)-metric.GetGauge().GetValue() < jobsKept.Seconds()
	}
	return recent
}

// merge adds to what is new what was there before, but for jobs of another night.
func merge(fresh []*dto.MetricFamily, earlier map[string]*dto.MetricFamily, at time.Time) []*dto.MetricFamily {
	recent := recentJobs(earlier, at)
	all := map[string]*dto.MetricFamily{}
	seen := map[string]bool{}
	for _, family := range fresh {
		all[family.GetName()] = family
		for _, metric := range family.Metric {
			seen[family.GetName()+labelsOf(metric)] = true
		}
	}
	for name, family := range earlier {
		kept := slices.DeleteFunc(family.Metric, func(metric *dto.Metric) bool {
			ofJob := slices.ContainsFunc(metric.Label, func(l *dto.LabelPair) bool { return l.GetName() == "job_id" })
			return seen[name+labelsOf(metric)] || ofJob && !recent[labelsOf(metric, jobLabels...)]
		})
		switch into := all[name]; {
		case len(kept) == 0:
		case into == nil:
			family.Metric = kept
			all[name] = family
		case into.GetType() == family.GetType():
			into.Metric = append(into.Metric, kept...)
		}
	}
	var merged []*dto.MetricFamily
	for _, name := range slices.Sorted(maps.Keys(all)) {
		slices.SortFunc(all[name].Metric, func(a, b *dto.Metric) int { return strings.Compare(labelsOf(a), labelsOf(b)) })
		merged = append(merged, all[name])
	}
	return merged
}

// labelsOf are the metric's labels, all or those named, as one text.
func labelsOf(metric *dto.Metric, names ...string) string {
	var parts []string
	for _, label := range metric.Label {
		if len(names) == 0 || slices.Contains(names, label.GetName()) {
			parts = append(parts, fmt.Sprintf("%s=%q", label.GetName(), label.GetValue()))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}
