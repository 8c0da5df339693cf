package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"clinker/internal/run"
)

// searchPath is where programs are looked for; a user's own PATH may lack sbin.
var searchPath = []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// tree is the folder that becomes the guest's root.
type tree string

// fill copies everything into the tree.
func (t tree) fill(ctx context.Context, version, agent string) error {
	if err := t.skeleton(); err != nil {
		return err
	}
	if err := t.embedded(); err != nil {
		return err
	}
	if err := t.copy(agent, "/usr/bin/agent", 0o755); err != nil {
		return err
	}
	if err := t.programs(ctx); err != nil {
		return err
	}
	if err := t.busybox(ctx); err != nil {
		return err
	}
	return t.modules(ctx, version)
}

// skeleton makes the folders, with / merged into /usr as on Debian.
func (t tree) skeleton() error {
	for _, dir := range []string{"dev", "etc/target", "mnt", "proc", "root", "run", "sys", "tmp",
		"usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "var/lib/iscsi"} {
		if err := os.MkdirAll(filepath.Join(string(t), dir), 0o755); err != nil {
			return err
		}
	}
	for _, dir := range []string{"bin", "sbin", "lib", "lib64"} {
		if err := os.Symlink("usr/"+dir, filepath.Join(string(t), dir)); err != nil {
			return err
		}
	}
	return os.Symlink("../run", filepath.Join(string(t), "var/run"))
}

func (t tree) embedded() error {
	return fs.WalkDir(files, "root", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		mode := os.FileMode(0o644)
		if path == "root/init" {
			mode = 0o755
		}
		to := filepath.Join(string(t), strings.TrimPrefix(path, "root/"))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, content, mode)
	})
}

// programs copies each program as its real file, a link for each other name it
// goes by, and the libraries of all.
func (t tree) programs(ctx context.Context) error {
	var real []string
	for _, name := range programs {
		path, err := find(name)
		if err != nil {
			return err
		}
		if err := t.copy(path, path, 0o755); err != nil {
			return err
		}
		link := filepath.Join(string(t), "usr/sbin", name)
		if filepath.Base(path) != name {
			if err := os.Symlink(path, link); err != nil {
				return err
			}
		}
		real = append(real, path)
	}
	libraries, err := dependencies(ctx, append(real, plugins...))
	if err != nil {
		return err
	}
	for _, library := range append(libraries, plugins...) {
		if err := t.copy(library, library, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// busybox adds a link for every command that no real program serves.
func (t tree) busybox(ctx context.Context) error {
	path, err := find("busybox")
	if err != nil {
		return err
	}
	if err := t.copy(path, "/usr/bin/busybox", 0o755); err != nil {
		return err
	}
	list, err := run.Output(ctx, path, "--list")
	if err != nil {
		return err
	}
	for _, name := range strings.Fields(string(list)) {
		if _, err := os.Lstat(filepath.Join(string(t), "usr/sbin", name)); err == nil {
			continue
		}
		err := os.Symlink("busybox", filepath.Join(string(t), "usr/bin", name))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// find returns the real file of a program.
func find(name string) (string, error) {
	for _, dir := range searchPath {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return filepath.EvalSymlinks(path)
		}
	}
	return "", missing("the program %s is not installed", name)
}

// copy puts the file from into the tree at the path to, once.
func (t tree) copy(from, to string, mode os.FileMode) error {
	target := filepath.Join(string(t), to)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer out.Close()
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if _, err := io.Copy(out, in); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	return out.Close()
}
