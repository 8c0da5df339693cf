package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"clinker/db"
	"clinker/scheduler/jobs"
)

// printJobs prints a table of jobs for people.
func printJobs(to io.Writer, all []db.Job, now time.Time) error {
	w := tabwriter.NewWriter(to, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tKIND\tSTATE\tPROGRESS\tAGE\tRESOURCE\tREASON")
	for _, j := range all {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", j.ID, j.Kind, j.State, cmp.Or(progress(j), "-"),
			now.Sub(j.CreatedAt).Round(time.Second), j.ResourceID, reasonOf(j))
	}
	return w.Flush()
}

// printJob prints all that is known of a job.
func printJob(to io.Writer, j db.Job, status string) error {
	w := tabwriter.NewWriter(to, 0, 8, 2, ' ', 0)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	line("id", fmt.Sprint(j.ID))
	line("kind", j.Kind)
	line("state", j.State)
	line(j.Resource, strings.TrimSpace(j.ResourceID+" "+cmp.Or(status, "(gone)")))
	line("progress", progress(j))
	line("reason", reasonOf(j))
	line("request", j.RequestID)
	line("scheduler", j.Worker)
	line("created", shown(&j.CreatedAt))
	line("last worked on", shown(j.WorkedAt))
	line("ended", shown(j.EndedAt))
	line("cancel asked", shown(j.CancelAsked))
	line("looks", fmt.Sprint(j.Looks))
	line("arguments", string(j.Args))
	line("notes", string(j.Notes))
	for _, e := range j.Errors {
		line("error", fmt.Sprintf("%s, attempt %d: %s", shown(&e.At), e.Attempt, e.Error))
	}
	switch control := jobs.ControlOf(j.Kind); {
	case j.Ended() && j.State != db.JobDone:
		line("retry", cmp.Or(control.CannotRetry, "possible"))
	case !j.Ended():
		line("cancel", cmp.Or(control.CannotCancel, "possible"))
	}
	return w.Flush()
}

func shown(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// progress is how far a job's copy is, "" of one that copies nothing.
func progress(j db.Job) string {
	if j.BytesTotal == 0 {
		return ""
	}
	return fmt.Sprintf("%d%% of %s", j.BytesDone*100/j.BytesTotal, size(j.BytesTotal))
}

// size is a number of bytes for people.
func size(bytes int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	n, unit := float64(bytes), 0
	for n >= 1024 && unit < len(units)-1 {
		n, unit = n/1024, unit+1
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", n), ".0") + " " + units[unit]
}

// reasonOf says why a job is not done, "" when nothing is known.
func reasonOf(j db.Job) string {
	if j.Failure == "" && len(j.Errors) > 0 {
		return j.Errors[len(j.Errors)-1].Error
	}
	return j.Failure
}
