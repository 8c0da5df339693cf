package upstream

import (
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// outcome is how one test ended.
type outcome struct {
	Status string // pass, fail or skip
	Reason string // of a skip; the last line of a failure
	Took   time.Duration
}

// results are outcomes by the test's id without its tags in brackets.
type results map[string]outcome

// junit is as much of the JUnit format as subunit2junitxml writes.
type junit struct {
	Cases []struct {
		Class   string  `xml:"classname,attr"`
		Name    string  `xml:"name,attr"`
		Seconds float64 `xml:"time,attr"`
		Failure *string `xml:"failure"`
		Error   *string `xml:"error"`
		Skipped *string `xml:"skipped"`
	} `xml:"testcase"`
}

// parse reads what subunit2junitxml made of a run.
func parse(text []byte) (results, error) {
	var report junit
	if err := xml.Unmarshal(text, &report); err != nil {
		return nil, fmt.Errorf("the report of the run: %w", err)
	}
	all := results{}
	for _, c := range report.Cases {
		o := outcome{Status: "pass", Took: time.Duration(c.Seconds * float64(time.Second))}
		switch {
		case c.Failure != nil:
			o.Status, o.Reason = "fail", lastLine(*c.Failure)
		case c.Error != nil:
			o.Status, o.Reason = "fail", lastLine(*c.Error)
		case c.Skipped != nil:
			o.Status, o.Reason = "skip", strings.Join(strings.Fields(*c.Skipped), " ")
		}
		all[identity(c.Class, c.Name)] = o
	}
	return all, nil
}

// identity is class.name without tags. A class that could not be set up has no
// class name, and all in its name.
func identity(class, name string) string {
	if class != "" {
		name = class + "." + name
	}
	if strings.HasPrefix(name, "setUpClass") || strings.HasPrefix(name, "tearDownClass") {
		return name
	}
	id, _, _ := strings.Cut(name, "[")
	return id
}

// lastLine of a traceback is what went wrong.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n }]"), "\n")
	for _, line := range slices.Backward(lines) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}

// having lists the ids with a status, sorted.
func (r results) having(status string) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(r)) {
		if r[id].Status == status {
			ids = append(ids, id)
		}
	}
	return ids
}

// stopped lists what is expected to pass and did not, with the reason.
func (r results) stopped(expected []string) []string {
	var all []string
	for _, id := range expected {
		switch o, ran := r[id]; {
		case !ran:
			all = append(all, id+": did not run")
		case o.Status != "pass":
			all = append(all, fmt.Sprintf("%s: %s: %s", id, o.Status, o.Reason))
		}
	}
	return all
}

// table prints everything but what passed as expected, and the sums.
func (r results) table(expected []string) string {
	var b strings.Builder
	for _, status := range []string{"skip", "fail"} {
		for _, id := range r.having(status) {
			fmt.Fprintf(&b, "%s  %s\n      %s\n", status, id, r[id].Reason)
		}
	}
	for _, id := range r.having("pass") {
		if !slices.Contains(expected, id) {
			fmt.Fprintf(&b, "pass  %s: not in testdata/expected.txt\n", id)
		}
	}
	fmt.Fprintf(&b, "%d passed, %d failed, %d skipped", len(r.having("pass")), len(r.having("fail")), len(r.having("skip")))
	return b.String()
}
