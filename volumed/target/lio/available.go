package lio

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/internal/run"
)

// modules are LIO: its core, the two backstores used here, and iSCSI.
var modules = []string{"target_core_mod", "target_core_iblock", "target_core_file", "iscsi_target_mod"}

// Available says why LIO cannot be used on this machine, nil when it can. It
// loads the kernel's modules and mounts configfs where that is still to be done.
// The error is Unavailable. It may be repeated.
func Available() error {
	if os.Geteuid() != 0 {
		return fault.New(fault.Unavailable, "the kernel's iSCSI target (LIO) needs root")
	}
	if works() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var unloaded error
	if _, err := run.Output(ctx, append([]string{"modprobe", "-a", "configfs"}, modules...)...); err != nil {
		unloaded = err // they may be part of the kernel
	}
	if _, err := os.Stat(defaultRoot); err != nil {
		err := unix.Mount("configfs", filepath.Dir(defaultRoot), "configfs", 0, "")
		if err != nil && !errors.Is(err, unix.EBUSY) {
			return fault.Wrap(err, fault.Unavailable, "this kernel's configfs cannot be mounted, which LIO needs (tgt does not)")
		}
	}
	if !works() {
		return fault.Wrap(unloaded, fault.Unavailable, "this kernel has no iSCSI target (LIO); its modules cannot be loaded")
	}
	return nil
}

// works tries what every export needs: iSCSI and both kinds of backstore.
// These directories stay; they hold nothing and belong to nobody.
func works() bool {
	for _, dir := range []string{"iscsi", blockHBA, fileHBA} {
		if (tree{defaultRoot}).mkdir(dir) != nil {
			return false
		}
	}
	return true
}
