package api

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"clinker/policy"
)

// unasked are the rules of Cinder's that no operation here asks about, with the reason.
var unasked = map[string]string{
	"group:update_group_snapshot":         "Cinder's API has no such operation either",
	"volume:update_volume_admin_metadata": "Cinder asks it with more rights than the caller has, so that it never refuses",
}

// TestRulesAreAsked: what an operator writes into policy.yaml counts. A rule that is shown
// to operators and that nothing asks about would refuse nobody, and say nothing.
func TestRulesAreAsked(t *testing.T) {
	t.Parallel()
	asked := literals(t)
	for _, route := range Routes(nil) {
		asked = append(asked, route.Policy...)
	}
	checks := ""
	for _, d := range policy.Defaults() {
		checks += d.Check + " " + d.Was + " "
	}
	for _, d := range policy.Defaults() {
		if d.Name == "context_is_admin" || strings.Contains(checks, "rule:"+d.Name+" ") {
			continue // part of others
		}
		_, excused := unasked[d.Name]
		if is := slices.Contains(asked, d.Name); is == excused {
			t.Errorf("%s: asked about is %v, excused is %v", d.Name, is, excused)
		}
	}
}

// literals gives the texts that stand in the package's own files: rules are named in full
// where they are asked about beside a route's.
func literals(t *testing.T) (all []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if text, is := n.(*ast.BasicLit); is && text.Kind == token.STRING {
				if value, err := strconv.Unquote(text.Value); err == nil {
					all = append(all, value)
				}
			}
			return true
		})
	}
	return all
}
