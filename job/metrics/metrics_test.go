package metrics

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paylinks/job"
	"paylinks/job/engine"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// TestMergeMetrics guards which of the earlier metrics stay.
func TestMergeMetrics(t *testing.T) {
	now := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) string { return fmt.Sprint(now.Add(-d).Unix()) }
	parse := func(text string) map[string]*dto.MetricFamily {
		var parser expfmt.TextParser
		families, err := parser.TextToMetricFamilies(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return families
	}
	earlier := parse(`# TYPE paylinks_job_last_run_timestamp_seconds gauge
paylinks_job_last_run_timestamp_seconds{environment="sandbox",file="a.csv",job_id="1"} ` + ago(20*time.Hour) + `
paylinks_job_last_run_timestamp_seconds{environment="sandbox",file="b.csv",job_id="2"} ` + ago(20*time.Hour-time.Second) + `
# TYPE paylinks_rows gauge
paylinks_rows{environment="sandbox",file="a.csv",job_id="1",state="failed"} 11
paylinks_rows{environment="sandbox",file="b.csv",job_id="2",state="failed"} 12
paylinks_rows{environment="sandbox",file="c.csv",job_id="3",state="failed"} 13
# TYPE paylinks_last_success_timestamp_seconds gauge
paylinks_last_success_timestamp_seconds{environment="sandbox"} ` + ago(1000*time.Hour) + `
paylinks_last_success_timestamp_seconds{environment="production"} ` + ago(1000*time.Hour) + `
# TYPE paylinks_possible_orphans counter
paylinks_possible_orphans{environment="sandbox",file="b.csv",job_id="2"} 14
`)
	var fresh []*dto.MetricFamily
	for _, family := range parse(`# TYPE paylinks_last_success_timestamp_seconds gauge
paylinks_last_success_timestamp_seconds{environment="sandbox"} 7
# TYPE paylinks_possible_orphans gauge
paylinks_possible_orphans{environment="sandbox",file="d.csv",job_id="4"} 5
`) {
		fresh = append(fresh, family)
	}
	var text bytes.Buffer
	for _, family := range merge(fresh, earlier, now) {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		what, text string
		there      bool
	}{
		{"a job of another night", `job_id="1"`, false},
		{"a job of this night", `job_id="2",state="failed"} 12`, true},
		{"a job of no known time", `job_id="3"`, false},
		{"what is known better", `environment="sandbox"} 7`, true},
		{"what was known before", `paylinks_last_success_timestamp_seconds{environment="sandbox"} 1.`, false},
		{"what is not of a job", `paylinks_last_success_timestamp_seconds{environment="production"} 1.`, true},
		{"a metric that was of another type", "orphans{environment=\"sandbox\",file=\"b.csv\"", false},
	} {
		t.Run(c.what, func(t *testing.T) {
			if strings.Contains(text.String(), c.text) != c.there {
				t.Errorf("%s: want %v in\n%s", c.text, c.there, &text)
			}
		})
	}
}

// TestJobsOfAnotherNightLeave guards that a job with rows left is noted anew for a night only: nothing else would take it out again.
func TestJobsOfAnotherNightLeave(t *testing.T) {
	now := time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "p.prom")
	text := "# TYPE " + jobRunMetric + " gauge\n# TYPE " + rowsMetric + " gauge\n"
	for id, age := range []time.Duration{20 * time.Hour, time.Hour} {
		labels := fmt.Sprintf(`{environment="sandbox",file="a.csv",job_id="%d"`, id)
		text += fmt.Sprintf("%s%s} %d\n", jobRunMetric, labels, now.Add(-age).Unix())
		text += fmt.Sprintf("%s%s,state=\"pending\"} 2\n%[1]s%[2]s,state=\"failed\"} 1\n%[1]s%[2]s,state=\"invalid\"} 1\n", rowsMetric, labels)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := Open(path, "run")
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := m.withRowsLeft(now)
	if err != nil || len(jobs) != 1 || jobs[1] == nil {
		t.Errorf("%+v, %v; want job 1 alone", jobs, err)
	}
}

// TestMetricsOfCrashed guards that rows and attempts whose end is not on record count as unknown.
func TestMetricsOfCrashed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.prom")
	m, err := Open(path, "run")
	if err != nil {
		t.Fatal(err)
	}
	tally := job.NewTally()
	tally.Items = map[job.State]int{job.Sending: 2, job.Unknown: 3}
	tally.Attempts = map[job.Outcome]int{"": 4, job.OutcomeUnknown: 5}
	m.Note(engine.Outcome{
		Job: job.Job{ID: 1, File: "/in/a.csv", Identity: job.Identity{Environment: job.Sandbox}}, Tally: tally, AttemptsBefore: 3,
		Took: 2 * time.Second,
	}, 74)
	if err := m.Write(74, time.Now()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		`paylinks_rows{environment="sandbox",file="a.csv",job_id="1",state="unknown"}`:             "5",
		`paylinks_attempts_total{environment="sandbox",file="a.csv",job_id="1",outcome="unknown"}`: "9",
		`paylinks_job_last_run_attempts_per_second{environment="sandbox",file="a.csv",job_id="1"}`: "3",
		`paylinks_job_last_run_duration_seconds{environment="sandbox",file="a.csv",job_id="1"}`:    "2",
		`paylinks_possible_orphans{environment="sandbox",file="a.csv",job_id="1"}`:                 "9",
	} {
		if !strings.Contains(string(text), name+" "+want+"\n") {
			t.Errorf("%s is not %s in\n%s", name, want, text)
		}
	}
	if strings.Contains(string(text), `state="sending"`) {
		t.Errorf("rows are counted as sending:\n%s", text)
	}
}
