package report

import (
	"cmp"
	"fmt"
	"strings"

	"paylinks/cmd/paylinks/words"
	"paylinks/job"
	"paylinks/job/engine"
)

// NextSteps words the next steps with a job, each with the command that takes it; flags are those by which it finds the job.
// rejected is the rejected file, where it is known.
func NextSteps(j job.Job, steps []engine.Step, rejected, flags string) string {
	var parts []string
	for _, step := range steps {
		parts = append(parts, stepWords(j.ID, step, rejected, flags))
	}
	if last := len(steps) - 1; last > 0 && steps[last-1].Kind == engine.StepRetryFailed {
		parts[last] = "and " + parts[last]
	}
	return strings.Join(parts, "; ")
}

func stepWords(id int64, step engine.Step, rejected, flags string) string {
	rows := words.Count(step.N, "row")
	switch step.Kind {
	case engine.StepRunElsewhere:
		return fmt.Sprintf("%s left, and a job keeps its address; run the file again with the right --base-url", rows)
	case engine.StepMendResume:
		return fmt.Sprintf("%s left; once the cause is mended, go on with: paylinks resume %d%s", rows, id, flags)
	case engine.StepResume:
		return fmt.Sprintf("%s left; go on with: paylinks resume %d%s", rows, id, flags)
	case engine.StepSeeFailures:
		return fmt.Sprintf("see why rows failed with: paylinks show %d%s", id, flags)
	case engine.StepRetryFailed:
		return fmt.Sprintf("correct the failed rows in the file and run it again; or, if the cause was at Clink, send them as they are with: paylinks retry %d%s", id, flags)
	case engine.StepRetryDoubt:
		them := "them"
		if step.N == 1 {
			them = "it"
		}
		return fmt.Sprintf("%s in doubt; look %[2]s up at Clink, then send %[2]s again with: paylinks retry %[3]d --unknown%[4]s", rows, them, id, flags)
	case engine.StepSettleOther:
		text := fmt.Sprintf("%s waiting until a doubt of job %d is settled; look it up at Clink, then send it again with: paylinks retry %[2]d --unknown%s", rows, step.Jobs[0], flags)
		if more := len(step.Jobs) - 1; more > 0 {
			text += fmt.Sprintf("; %s more, named in: paylinks show %d%s", words.Count(more, "job"), id, flags)
		}
		return text
	case engine.StepSeeTakenOver:
		return fmt.Sprintf("nothing here; a later job took %s over, and the reason says which: paylinks show %d%s", rows, id, flags)
	case engine.StepCorrect:
		invalid := "invalid row"
		if step.N > 1 {
			invalid = words.Count(step.N, invalid)
		}
		return fmt.Sprintf("correct the %s in %s, and run that file", invalid, cmp.Or(rejected, "the rejected file"))
	case engine.StepAskAgain:
		return fmt.Sprintf("Clink has said nothing about %s; ask again with: paylinks reissue %d%s", words.Count(step.N, "expired link"), id, flags)
	case engine.StepReissue:
		return fmt.Sprintf("%s expired; ask Clink, and make new ones for those unpaid, with: paylinks reissue %d%s", words.Count(step.N, "link"), id, flags)
	case engine.StepWriteFile:
		return fmt.Sprintf("the links file is not written; write it with: paylinks resume %d%s", id, flags)
	}
	return ""
}
