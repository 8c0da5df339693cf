package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// pack writes the folder as an initramfs: a cpio archive in which all belongs to
// root, in lz4's legacy frame, the only one that the kernel reads.
func pack(ctx context.Context, folder, out string) error {
	cpio := exec.CommandContext(ctx, "cpio", "--quiet", "--create", "--format=newc", "--owner=0:0", "--null")
	lz4 := exec.CommandContext(ctx, "lz4", "-q", "-l", "-1", "-", out)
	names, err := list(folder)
	if err != nil {
		return err
	}
	cpio.Dir = folder
	cpio.Stdin = strings.NewReader(names)
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	cpio.Stdout, lz4.Stdin = writer, reader
	var complaints strings.Builder
	cpio.Stderr = &complaints
	if err := errors.Join(start(lz4), start(cpio)); err != nil {
		return errors.Join(err, reader.Close(), writer.Close())
	}
	reader.Close()
	writer.Close()
	if err := errors.Join(cpio.Wait(), lz4.Wait()); err != nil {
		return fmt.Errorf("pack the initramfs: %w: %s", err, complaints.String())
	}
	return nil
}

func start(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return missing("%v", err)
	}
	return nil
}
