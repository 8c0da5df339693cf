// Package clinker has only this test: the house's rules that a compiler cannot
// know. CONTRIBUTING.md draws them.
package clinker

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// may says what each top-level folder may import of this module, directly.
// Folders below one of them follow its rule unless they have their own.
var may = map[string][]string{
	"cmd":                 {"api", "scheduler", "volumed", "carry", "db", "policy", "internal"},
	"api":                 {"volumed/rpc", "db", "policy", "internal"},
	"scheduler":           {"scheduler", "volumed/rpc", "db", "internal"},
	"scheduler/placement": {"internal/fault", "internal/nearest"},
	"volumed":             {"volumed", "internal"},
	"volumed/backend":     {"volumed/backend", "internal", "testbed/guest"},
	"volumed/target":      {"volumed/target", "internal", "testbed/guest"},
	"carry":               {"internal"},
	"db":                  {"db", "migrations", "internal"},
	"migrations":          {},
	"policy":              {"internal"},
	"internal":            {"internal"},
	"testbed":             {"testbed", "internal"},
	"tempest":             {"tempest", "testbed", "volumed/rpc", "volumed/target", "internal", "db"},
}

// imported lists every package of the module with what it imports, tests left out.
func imported(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-e", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		packages[strings.TrimPrefix(fields[0], "clinker/")] = fields[1:]
	}
	return packages
}

// rule finds the rule for a package: the longest folder that has one.
func rule(name string) ([]string, bool) {
	for folder := name; ; {
		if allowed, ok := may[folder]; ok {
			return allowed, true
		}
		i := strings.LastIndex(folder, "/")
		if i < 0 {
			return nil, false
		}
		folder = folder[:i]
	}
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	for name, imports := range imported(t) {
		if name == "clinker" {
			continue
		}
		allowed, ok := rule(name)
		if !ok {
			t.Errorf("%s is in no folder of the house", name)
			continue
		}
		for _, path := range imports {
			path, ours := strings.CutPrefix(path, "clinker/")
			if ours && !within(path, allowed) {
				t.Errorf("%s imports %s, may import %v", name, path, allowed)
			}
		}
	}
}

func within(path string, folders []string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		return path == folder || strings.HasPrefix(path, folder+"/")
	})
}

func TestEchoStaysInTheServer(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "grep", "-rl", "--include=*.go", `"github.com/labstack/echo`, ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for file := range strings.Lines(string(out)) {
		if file = strings.TrimSpace(file); file != "./api/server.go" && file != "./house_test.go" {
			t.Errorf("%s imports echo; only api/server.go does", file)
		}
	}
}

// schemaVersion is what the README shows of `make run`.
var schemaVersion = regexp.MustCompile(`database schema +version (\d+)`)

func TestReadmeShowsTheSchemasVersion(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	all, err := filepath.Glob("migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	if shown := schemaVersion.FindSubmatch(text); shown == nil || string(shown[1]) != strconv.Itoa(len(all)) {
		t.Errorf("README.md shows %q, and the newest of the migrations is %d", shown, len(all))
	}
}

// link finds relative links in Markdown: the file, "" for the same, and the heading.
var link = regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]*))?\)`)

func TestDocumentsLinkToWhatIsThere(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "git", "ls-files", "*.md").Output()
	if err != nil {
		t.Fatal(err)
	}
	for file := range strings.Lines(string(out)) {
		file = strings.TrimSpace(file)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(string(text), -1) {
			to := file
			if match[1] != "" {
				to = filepath.Join(filepath.Dir(file), match[1])
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s, which is not there", file, to)
			} else if match[2] != "" && !slices.Contains(anchors(t, to), match[2]) {
				t.Errorf("%s links to the heading #%s of %s, which is not there", file, match[2], to)
			}
		}
	}
}

var (
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	unnamed = regexp.MustCompile(`[^\w\- ]`) // what a heading's anchor leaves out
)

// anchors are the names by which a document's headings are linked to.
func anchors(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, match := range heading.FindAllStringSubmatch(string(text), -1) {
		names = append(names, strings.ReplaceAll(unnamed.ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-"))
	}
	return names
}
