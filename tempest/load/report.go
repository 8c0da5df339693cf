package load

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// Table writes results for people, a line each, and below it what went wrong
// and how long its steps took.
func Table(out io.Writer, results []Result) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "phase\tworkers\tdone\terrors\tper second\tp50 ms\tp99 ms\tmax ms\trequests\tkB\t")
	for _, r := range results {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\t%.2f\t%.2f\t%.2f\t%d\t%s\t\n", r.Phase, r.Workers, r.Done, r.Errors,
			rate(r.PerSecond), r.P50, r.P99, r.Max, r.Requests, kilobytes(r.AnswerBytes))
		for _, s := range r.Steps {
			fmt.Fprintf(w, "· %s\t\t\t\t\t%.2f\t%.2f\t%.2f\t\t\t\n", s.Name, s.P50, s.P99, s.Max)
		}
		for _, f := range r.Failures {
			fmt.Fprintf(w, "! %s\t\t\t\t\t\t\t\t\t\t\n", f)
		}
	}
	return w.Flush()
}

func rate(perSecond float64) string {
	if perSecond < 100 {
		return fmt.Sprintf("%.1f", perSecond)
	}
	return fmt.Sprintf("%.0f", perSecond)
}

func kilobytes(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", float64(n)/1000)
}

// JSON writes results for programs.
func JSON(out io.Writer, results []Result) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(results)
}
