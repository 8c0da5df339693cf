// Package s3test starts a real S3 service for tests: versitygw, a gateway that keeps
// its objects in a directory, as a process of its own on loopback.
package s3test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"clinker/volumed/backup/s3"
)

const (
	accessKey = "tests"
	secretKey = "not-much-of-a-secret"
)

// Start runs a service with nothing in it until the test ends, and gives what reaches
// it. With a certificate and its key it speaks TLS.
func Start(t testing.TB, cert, key string) s3.Options {
	t.Helper()
	path := built(t)
	address := free(t)
	dir := t.TempDir()
	for _, sub := range []string{"objects", "about"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	args, scheme := []string{"--quiet", "--port", address}, "http://"
	if cert != "" {
		args, scheme = append(args, "--cert", cert, "--key", key), "https://"
	}
	cmd := exec.Command(path, append(args, "posix", "--sidecar", filepath.Join(dir, "about"), filepath.Join(dir, "objects"))...)
	cmd.Env = []string{"ROOT_ACCESS_KEY=" + accessKey, "ROOT_SECRET_KEY=" + secretKey, "HOME=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	await(t, address)
	return s3.Options{Endpoint: scheme + address, Bucket: "volumebackups", AccessKey: accessKey, SecretKey: secretKey, Region: "us-east-1"}
}

var building sync.Mutex

// built gives the program that deps/s3.txt names, which is built when it is not
// there: that takes some minutes, once. `make build/versitygw` does it beforehand.
func built(t testing.TB) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	_, file, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(file), "../../../..")
	path := filepath.Join(root, "build/versitygw")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path
	}
	program, err := os.ReadFile(filepath.Join(root, "deps/s3.txt"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "install", strings.TrimSpace(string(program)))
	cmd.Env = append(os.Environ(), "GOBIN="+filepath.Dir(path), "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s cannot be built: %v\n%s", program, err, out)
	}
	return path
}

// free gives an address that nobody listens on.
func free(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// await returns when somebody listens there.
func await(t testing.TB, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the S3 service does not listen: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
