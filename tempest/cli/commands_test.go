package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// notTyped are commands for which there is no session, with why.
var notTyped = map[string]string{
	"cinder bash-completion": "asks nobody",
	"cinder help":            "asks nobody",
}

// brokenShows fail in this release of the openstack client before they ask: the
// cinder client's are typed in their place.
var brokenShows = []string{"openstack volume group show", "openstack volume group snapshot show", "openstack volume group type show"}

// TestEveryCommandIsTyped holds what the installed clients can do against the
// sessions.
func TestEveryCommandIsTyped(t *testing.T) {
	t.Parallel()
	typed := sessions(t)
	for _, command := range append(openstackCommands(t), cinderCommands(t)...) {
		switch {
		case notTyped[command] != "", slices.Contains(brokenShows, command):
		case !strings.Contains(typed, command+" ") && !strings.Contains(typed, command+"\n"):
			t.Errorf("no session has %q", command)
		}
	}
}

// sessions gives all that is typed, without the options that stand before a
// command.
func sessions(t *testing.T) string {
	t.Helper()
	files, _ := filepath.Glob("testdata/*.session")
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return regexp.MustCompile(`--os-volume-api-version \S+ `).ReplaceAllString(all.String(), "")
}

// openstackCommands reads them from the client's help: lower-case words, then a
// sentence.
func openstackCommands(t *testing.T) []string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^  ((?:volume|consistency group|block storage)(?: [a-z]+)+)  `)
	return commands(t, line, "openstack", "help")
}

func cinderCommands(t *testing.T) []string {
	t.Helper()
	return commands(t, regexp.MustCompile(`(?m)^    ([a-z][a-z-]+)(?:$| )`), "cinder", "help")
}

func commands(t *testing.T, line *regexp.Regexp, client, help string) []string {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), client, help).Output()
	if err != nil {
		t.Fatalf("%s %s: %v: run make deps-test", client, help, err)
	}
	var found []string
	for _, m := range line.FindAllStringSubmatch(string(said), -1) {
		found = append(found, client+" "+m[1])
	}
	if len(found) < 50 {
		t.Fatalf("only %d commands in what %s %s says", len(found), client, help)
	}
	return found
}
