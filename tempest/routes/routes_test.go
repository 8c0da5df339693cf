package routes

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"clinker/api"
)

// row is a route of either table, in the contract's words.
type row struct {
	name, method, path, action, since, status string
	policy                                    string // the rules that must allow it, in their order
}

// contract reads the table.
func contract(t *testing.T) map[string]row {
	t.Helper()
	raw, err := os.ReadFile("../../api/testdata/contract/routes.tsv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(raw), "\n"), "\n")
	header := strings.Split(lines[0], "\t")
	all := map[string]row{}
	for _, line := range lines[1:] {
		column := map[string]string{}
		for i, value := range strings.Split(line, "\t") {
			column[header[i]] = value
		}
		name := column["id"]
		if _, twice := all[name]; twice {
			t.Errorf("%s is in the table twice", name)
		}
		all[name] = row{name, column["method"], shape(column["path"]), column["action"], column["min_version"], column["success"], rules(column["policy"])}
	}
	return all
}

// rules leaves out what does not refuse a request: optional rules (?) and those
// checked for the service itself (^).
func rules(policy string) string {
	var must []string
	for rule := range strings.SplitSeq(policy, "; ") {
		if rule != "" && !strings.HasSuffix(rule, "?") && !strings.HasSuffix(rule, "^") && !strings.Contains(rule, " ") {
			must = append(must, rule)
		}
	}
	return strings.Join(must, "; ")
}

var parameter = regexp.MustCompile(`\{[a-z_]+\}|:[a-z_]+`)

// shape is a path without the project and the names of its parameters.
func shape(path string) string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, "/v3"), "/{project_id}")
	return parameter.ReplaceAllString(path, "{}")
}

func product() map[string]row {
	all := map[string]row{}
	for _, r := range api.Routes(nil) {
		all[r.Name] = row{r.Name, r.Method, shape(r.Path), r.Action, r.Since.String(), fmt.Sprint(r.Status), strings.Join(r.Policy, "; ")}
	}
	return all
}

// differences tells what is not as the contract has it, one line each, under
// "<route>" or "<route> <what>".
func differences(want, have map[string]row) map[string]string {
	found := map[string]string{}
	for name, w := range want {
		h, built := have[name]
		if !built {
			found[name] = "missing: " + strings.TrimSpace(w.method+" "+w.path+" "+w.action)
			continue
		}
		for _, c := range []struct{ what, want, have string }{
			{"method", w.method, h.method}, {"path", w.path, h.path}, {"action", w.action, h.action},
			{"since", w.since, h.since}, {"status", w.status, h.status}, {"policy", w.policy, h.policy},
		} {
			if c.want != c.have {
				found[name+" "+c.what] = fmt.Sprintf("has %q, the contract %q", c.have, c.want)
			}
		}
	}
	for name, h := range have {
		if _, known := want[name]; !known {
			found[name] = "not in the contract: " + strings.TrimSpace(h.method+" "+h.path+" "+h.action)
		}
	}
	return found
}

// TestRoutes: every difference is explained, and every explanation has its
// difference still.
func TestRoutes(t *testing.T) {
	t.Parallel()
	found := differences(contract(t), product())
	var lines []string
	for difference, text := range found {
		if explained[difference] == "" {
			lines = append(lines, difference+": "+text)
		}
	}
	for difference := range explained {
		if found[difference] == "" {
			lines = append(lines, difference+": explained, but no difference any more")
		}
	}
	slices.Sort(lines)
	if len(lines) > 0 {
		t.Errorf("%d unexplained:\n%s", len(lines), strings.Join(lines, "\n"))
	}
}
