package carry

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"clinker/internal/fault"
)

// setting is one line of a node record.
type setting struct{ key, value string }

// settings of a record that logs in with CHAP, and only when it is told to:
// after a reboot the credentials may be others.
func settings(c Connection) []setting {
	return []setting{
		{"node.startup", "manual"},
		{"node.conn[0].startup", "manual"},
		{"node.session.auth.authmethod", "CHAP"},
		{"node.session.auth.username", c.Username},
		{"node.session.auth.password", string(c.Password)},
	}
}

// writeRecord puts the settings into the node record that `iscsiadm -o new`
// made. `iscsiadm -o update` takes the password as an argument, which every
// user of the machine could read in /proc; the file is readable by root alone.
//
// Open-iscsi 2.1 keeps a record made by hand in nodes/IQN/ADDRESS,PORT, and
// one found by discovery in nodes/IQN/ADDRESS,PORT,TPGT/IFACE.
func writeRecord(root string, c Connection) error {
	paths, err := recordPaths(root, c)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fault.New(fault.Internal, "open-iscsi kept no node record for %s at %s", c.IQN, c.Portal)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := replaceFile(path, scratchOf(path, c.IQN), []byte(editRecord(string(text), settings(c)))); err != nil {
			return fmt.Errorf("node record: %w", err)
		}
	}
	return nil
}

// dropPrepared takes away what a crash left of writeRecord, which has the password.
func dropPrepared(root, iqn, portal string) error {
	paths, err := recordPaths(root, Connection{IQN: iqn, Portal: portal})
	for _, path := range paths {
		if gone := os.Remove(prepared(path, scratchOf(path, iqn))); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

// recordPaths finds the record's files, in Debian's database or in Fedora's.
func recordPaths(root string, c Connection) ([]string, error) {
	host, port, err := net.SplitHostPort(c.Portal)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, database := range []string{"etc/iscsi", "var/lib/iscsi"} {
		target := filepath.Join(rooted(root, database), "nodes", c.IQN)
		record := filepath.Join(target, host+","+port)
		for _, pattern := range []string{record, record + ",*/*"} {
			found, err := filepath.Glob(pattern)
			if err != nil {
				return nil, err
			}
			files = append(files, found...)
		}
	}
	return files, nil
}

// scratchOf is where a record's new text is prepared: open-iscsi takes whatever lies in
// nodes/ for a record, so that it is beside that folder.
func scratchOf(path, iqn string) string { return filepath.Dir(nodesOf(path, iqn)) }

// nodesOf is the nodes folder that a record's path lies in.
func nodesOf(path, iqn string) string {
	nodes, _, _ := strings.Cut(path, string(filepath.Separator)+iqn+string(filepath.Separator))
	return nodes
}

// editRecord replaces the settings' lines and adds those that are missing
// before the end of the record.
func editRecord(text string, settings []setting) string {
	const end = "# END RECORD"
	var out strings.Builder
	add := func(s setting) { fmt.Fprintf(&out, "%s = %s\n", s.key, s.value) }
	for line := range strings.Lines(text) {
		key, _, _ := strings.Cut(line, "=")
		key = strings.TrimSpace(key)
		if strings.TrimSpace(line) == end || has(settings, key) {
			continue
		}
		out.WriteString(strings.TrimRight(line, "\n") + "\n")
	}
	for _, s := range settings {
		add(s)
	}
	out.WriteString(end + "\n")
	return out.String()
}

func has(settings []setting, key string) bool {
	for _, s := range settings {
		if s.key == key {
			return true
		}
	}
	return false
}
