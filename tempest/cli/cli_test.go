package cli

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2"

	"clinker/tempest/rig"
)

var update = flag.Bool("update", false, "write down what is read now")

// sessionsAtOnce may be more than there are processors: a session mostly waits.
const sessionsAtOnce = "6"

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", sessionsAtOnce); err != nil {
		panic(err)
	}
	rig.Main(m)
}

func TestSessions(t *testing.T) {
	if _, err := exec.LookPath("openstack"); err != nil {
		t.Fatalf("%v: run make deps-test", err)
	}
	files, _ := filepath.Glob("testdata/*.session")
	if len(files) == 0 {
		t.Fatal("no sessions")
	}
	clients := startClients(t)
	t.Run("all", func(t *testing.T) { // the clients stay until the last session ends
		for _, file := range files {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".session"), func(t *testing.T) {
				t.Parallel() // each has a cloud of its own
				replayFile(t, clients, file)
			})
		}
	})
}

func replayFile(t *testing.T, c clients, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	more := devOf(string(text))
	if filepath.Base(file) == "images.session" {
		more = withImages(t)
	}
	s := &session{dev: rig.StartDev(t, more...), home: t.TempDir(), variables: map[string]string{}, clients: c}
	got := s.replay(t, string(text))
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(text), got); diff != "" && !*update {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// devOf gives the arguments of the cloud that a session is typed at: its first line
// says so when that has two storage nodes.
func devOf(text string) []string {
	first, _, _ := strings.Cut(text, "\n")
	if strings.Contains(first, "two storage nodes") {
		return []string{"--nodes", "2"}
	}
	return nil
}

// session is a user at a shell.
type session struct {
	dev       *rig.Dev
	home      string
	clients   clients
	openrc    []string
	variables map[string]string
	watcher   *gophercloud.ServiceClient // see settle
}

var (
	source = regexp.MustCompile(`^\. (\w+)-openrc$`)
	export = regexp.MustCompile(`^export (\w+)=(\S*)$`)
	assign = regexp.MustCompile(`^(\w+)=\$\((.*)\)$`)
)

// replay types the lines of a session that begin with "$ " and gives them with
// what was said; lines that begin with "#" stay.
func (s *session) replay(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	n := newNames()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		typed, isCommand := strings.CutPrefix(line, "$ ")
		if !isCommand {
			if strings.HasPrefix(line, "#") {
				b.WriteString("\n" + line + "\n")
			}
			continue
		}
		s.settle(t)
		b.WriteString(line + "\n")
		said := s.enter(t, typed)
		if strings.HasPrefix(typed, "cinder ") {
			said = ordered(said)
		}
		if begins.MatchString(typed) {
			said = early(said)
		}
		if creates.MatchString(typed) {
			said = unplaced(said)
		}
		b.WriteString(n.replace(said))
	}
	return strings.TrimPrefix(b.String(), "\n")
}

// enter runs one line and gives what it said, with the exit status if that is
// not 0.
func (s *session) enter(t *testing.T, line string) string {
	t.Helper()
	if m := source.FindStringSubmatch(line); m != nil {
		s.openrc = s.dev.Openrc(t, m[1])
		return ""
	}
	if m := export.FindStringSubmatch(line); m != nil {
		s.variables[m[1]] = m[2]
		return ""
	}
	m := assign.FindStringSubmatch(line)
	if m != nil {
		line = m[2]
	}
	c := exec.CommandContext(t.Context(), "sh", "-c", line)
	c.Env = append([]string{"HOME=" + s.home, "LC_ALL=C.UTF-8"}, s.clients.environment()...)
	c.Env = append(c.Env, s.openrc...)
	for name, value := range s.variables {
		c.Env = append(c.Env, name+"="+value)
	}
	said, err := c.CombinedOutput()
	if m != nil && err == nil {
		s.variables[m[1]] = strings.TrimSpace(string(said))
		return ""
	}
	if err != nil {
		said = append(said, "["+err.Error()+"]\n"...)
	}
	return string(said)
}
