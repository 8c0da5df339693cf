package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// Manageable tells all regular files of the directory but those that a dot hides;
// see backend.Backend. Nothing in a file says what it is a copy of.
func (b *Backend) Manageable(context.Context) ([]backend.Candidate, error) {
	var all []backend.Candidate
	err := b.each(func(file fs.FileInfo) {
		if checkReference(file.Name()) != nil {
			return
		}
		_, snapshot := backend.SnapshotID(file.Name())
		all = append(all, backend.Candidate{
			Entry:    backend.Entry{Name: file.Name(), Bytes: file.Size()},
			Snapshot: snapshot,
			Refusal:  backend.Reason(b.unfit(file.Name())),
		})
	})
	return all, err
}

// Manage renames the file and makes it longer if need be; see backend.Backend.
func (b *Backend) Manage(ctx context.Context, a backend.Adoption) error {
	if err := errors.Join(checkReference(a.Reference), backend.CheckName(a.Name), backend.CheckSize(a.Bytes)); err != nil {
		return err
	}
	if _, ok, err := b.size(a.Reference); err != nil || !ok {
		return b.finishManage(ctx, a, explain(err, a.Reference))
	}
	if err := errors.Join(b.unfit(a.Reference), rightKind(a)); err != nil {
		return err
	}
	if err := b.move(a.Reference, a.Name); err != nil {
		return err
	}
	err := os.Chmod(b.path(a.Name), 0o600) // nobody else reads a volume
	if err == nil {
		err = b.lengthen(ctx, a)
	}
	if err != nil {
		return errors.Join(err, b.move(a.Name, a.Reference))
	}
	return nil
}

// finishManage is for a call that comes when the reference is gone.
func (b *Backend) finishManage(ctx context.Context, a backend.Adoption, err error) error {
	_, ok, sizeErr := b.size(a.Name)
	if err != nil || sizeErr != nil {
		return errors.Join(err, sizeErr)
	}
	if !ok {
		return explain(fs.ErrNotExist, a.Reference)
	}
	return b.lengthen(ctx, a)
}

// lengthen leaves a longer one as it is.
func (b *Backend) lengthen(ctx context.Context, a backend.Adoption) error {
	have, _, err := b.size(a.Name)
	if err != nil || have >= a.Bytes {
		return err
	}
	return b.Extend(ctx, a.Name, a.Bytes)
}

// Unmanage renames the file back; see backend.Backend.
func (b *Backend) Unmanage(_ context.Context, name, reference string) error {
	if err := errors.Join(checkReference(reference), backend.CheckName(name)); err != nil {
		return err
	}
	if _, ok, err := b.size(name); err != nil || !ok {
		return err
	}
	return b.move(name, reference)
}

func (b *Backend) move(from, to string) error {
	err := rename(b.path(from), b.path(to))
	if errors.Is(err, fs.ErrExist) {
		return fault.Wrap(err, fault.Conflict, "%s exists already in this pool", to)
	}
	if err != nil {
		return explain(err, from)
	}
	return b.syncDirectory()
}

// checkReference wants the name of a file of this directory that no dot hides.
func checkReference(name string) error {
	if name == "" || strings.HasPrefix(name, ".") || strings.ContainsAny(name, "/\x00") || !utf8.ValidString(name) {
		return fault.New(fault.Invalid, "%q is not the name of a file in this pool", name)
	}
	return nil
}

// rightKind keeps a snapshot of ours from becoming a volume, and the reverse: all
// else is taken for what it is said to be.
func rightKind(a backend.Adoption) error {
	_, snapshotWanted := backend.SnapshotID(a.Name)
	_, volume := backend.VolumeID(a.Reference)
	_, snapshot := backend.SnapshotID(a.Reference)
	switch {
	case snapshot && !snapshotWanted:
		return fault.New(fault.Conflict, "%s is a snapshot and no volume", a.Reference)
	case volume && snapshotWanted:
		return fault.New(fault.Conflict, "%s is a volume and no snapshot", a.Reference)
	}
	return nil
}

// unfit tells why a file cannot be managed, nil when it can.
func (b *Backend) unfit(name string) error {
	f, err := os.OpenFile(b.path(name), os.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, os.ErrPermission) {
		return fault.Wrap(err, fault.Conflict, "it may not be written to")
	}
	if err != nil {
		return explain(err, name)
	}
	defer f.Close()
	info, err := stat(f)
	switch {
	case err != nil:
		return err
	case info.Mode&unix.S_IFMT != unix.S_IFREG:
		return fault.New(fault.Conflict, "it is no regular file")
	case info.Nlink > 1:
		return fault.New(fault.Conflict, "it has a second name, under which it could be changed")
	case info.Size == 0:
		return fault.New(fault.Conflict, "it is empty")
	}
	if err := lease(f); err != nil {
		return fault.Wrap(err, fault.Busy, "it is in use")
	}
	return nil
}
