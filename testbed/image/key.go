package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"

	"clinker/internal/run"
)

// contentKey hashes all that goes into the image: the kernel's version, the
// packages' versions, the embedded files, the lists, and the agent.
func contentKey(ctx context.Context, version, agent string) (string, error) {
	versions, err := run.Output(ctx, append([]string{"dpkg-query", "-W"}, packages...)...)
	if err != nil {
		return "", missing("packages of the testbed: %v", err)
	}
	hash := sha256.New()
	fmt.Fprintln(hash, version, programs, modules, plugins)
	hash.Write(versions)
	err = fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := files.ReadFile(path)
		fmt.Fprintln(hash, path, len(content))
		hash.Write(content)
		return err
	})
	if err != nil {
		return "", err
	}
	f, err := os.Open(agent)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, err := io.Copy(hash, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil))[:16], nil
}

// compileAgent makes a static binary that is the same whenever its source is.
func compileAgent(ctx context.Context, out string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false",
		"-ldflags=-s -w -buildid=", "-o", out, "clinker/testbed/agent")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("compile the testbed's agent (from within the source tree): %w\n%s", err, output)
	}
	return nil
}
