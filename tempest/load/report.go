package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Table writes results for people, a line each; below it how long its steps
// took, and what went wrong.
func Table(out io.Writer, results []Result) error {
	var w bytes.Buffer
	fmt.Fprintf(&w, "%-24s%8s%8s%8s%12s%10s%10s%10s%10s%8s\n",
		"phase", "workers", "done", "errors", "per second", "p50 ms", "p99 ms", "max ms", "requests", "kB")
	for _, r := range results {
		fmt.Fprintf(&w, "%-24s%8d%8d%8d%12s%10.2f%10.2f%10.2f%10d%8s\n", r.Phase, r.Workers, r.Done, r.Errors,
			rate(r.PerSecond), r.P50, r.P99, r.Max, r.Requests, kilobytes(r.AnswerBytes))
		for _, s := range r.Steps {
			fmt.Fprintf(&w, "  %-58s%10.2f%10.2f%10.2f\n", s.Name, s.P50, s.P99, s.Max)
		}
		for _, f := range r.Failures {
			fmt.Fprintf(&w, "  ! %s\n", f)
		}
	}
	_, err := out.Write(w.Bytes())
	return err
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
