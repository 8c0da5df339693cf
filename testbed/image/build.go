package image

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// boot is where Debian puts kernels.
const boot = "/boot"

// Image is what QEMU needs to boot a guest: two files that are not written to.
type Image struct {
	Kernel string // path of the kernel
	Initrd string // path of the initramfs
}

// built is this process's image, once it has one.
var built struct {
	sync.Mutex
	image Image
}

// Build returns the image, and makes it first (2 to 4 seconds) if this machine
// has none for its packages and this source tree. It must be called from within
// the source tree, since it compiles the agent. It may be called any number of
// times at once, by several processes.
func Build(ctx context.Context) (Image, error) {
	built.Lock()
	defer built.Unlock()
	if built.image == (Image{}) {
		cache, err := cacheDir()
		if err != nil {
			return Image{}, err
		}
		image, err := build(ctx, cache)
		if err != nil {
			return Image{}, err
		}
		built.image = image
	}
	return built.image, nil
}

func build(ctx context.Context, cache string) (Image, error) {
	version, err := newestKernel(boot)
	if err != nil {
		return Image{}, err
	}
	work, err := os.MkdirTemp(cache, "build-")
	if err != nil {
		return Image{}, err
	}
	defer os.RemoveAll(work)
	agent := filepath.Join(work, "agent")
	if err := compileAgent(ctx, agent); err != nil {
		return Image{}, err
	}
	key, err := contentKey(ctx, version, agent)
	if err != nil {
		return Image{}, err
	}
	image := Image{
		Kernel: filepath.Join(boot, "vmlinuz-"+version),
		Initrd: filepath.Join(cache, "initrd-"+key),
	}
	if now := time.Now(); os.Chtimes(image.Initrd, now, now) == nil {
		return image, nil
	}
	if err := makeInitrd(ctx, work, version, agent, image.Initrd); err != nil {
		return Image{}, fmt.Errorf("testbed image: %w", err)
	}
	prune(cache)
	return image, nil
}

// makeInitrd builds in the folder work and renames, so that an image is either
// there and whole or not there.
func makeInitrd(ctx context.Context, work, version, agent, initrd string) error {
	root := tree(filepath.Join(work, "root"))
	if err := root.fill(ctx, version, agent); err != nil {
		return err
	}
	packed := filepath.Join(work, "initrd")
	if err := pack(ctx, string(root), packed); err != nil {
		return err
	}
	return os.Rename(packed, initrd)
}

// cacheDir is the user's cache folder, or one of its own below the temporary
// folder for a user who has none.
func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		base = filepath.Join(os.TempDir(), fmt.Sprintf("cache-%d", os.Getuid()))
	}
	dir := filepath.Join(base, "clinker-testbed")
	return dir, os.MkdirAll(dir, 0o700)
}

// prune removes images and left-over build folders unused for a week.
func prune(cache string) {
	entries, _ := os.ReadDir(cache)
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > 7*24*time.Hour {
			_ = os.RemoveAll(filepath.Join(cache, entry.Name()))
		}
	}
}
