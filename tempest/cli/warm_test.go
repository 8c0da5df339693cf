package cli

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// clients are the installed openstack and cinder clients, loaded once for all
// sessions by warm/server.py. Without it, starting them is most of what the
// sessions take.
type clients struct{ folder string }

func (c clients) socket() string { return filepath.Join(c.folder, "socket") }

// environment is for a shell that finds them.
func (c clients) environment() []string {
	return []string{"PATH=" + c.folder + ":/usr/bin:/bin", "WARM_CLIENTS=" + c.socket()}
}

// startClients loads them, for as long as the test lives.
func startClients(t *testing.T) clients {
	t.Helper()
	folder, err := os.MkdirTemp("", "clients") // t.TempDir's names are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	c := clients{folder}
	client, err := filepath.Abs("warm/client.py")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"openstack", "cinder"} {
		if err := os.Symlink(client, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	server := exec.CommandContext(t.Context(), "/usr/bin/python3", "warm/server.py", c.socket())
	server.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + folder, "LC_ALL=C.UTF-8"}
	server.Stderr = os.Stderr
	ready, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Wait() }) // t's context has ended it
	if line, err := bufio.NewReader(ready).ReadString('\n'); err != nil {
		t.Fatalf("the clients do not load: %q, %v", line, err)
	}
	return c
}
