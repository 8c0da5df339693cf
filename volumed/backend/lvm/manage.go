package lvm

import (
	"context"
	"errors"
	"slices"
	"strings"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// Manageable tells from a new report, since strangers may have changed the volume
// group; see backend.Backend. A thick backend tells of all logical volumes that
// LVM does not hide, a thin one of those in its pool.
func (b *Backend) Manageable(ctx context.Context) ([]backend.Candidate, error) {
	b.reports.drop()
	r, err := b.reports.get(ctx)
	if err != nil {
		return nil, err
	}
	all := []backend.Candidate{}
	for _, v := range r.volumes {
		if backend.CheckTrashName(v.Name) == nil || b.elsewhere(v) {
			continue
		}
		all = append(all, backend.Candidate{
			Entry:    backend.Entry{Name: volumeOf(v.Name), Bytes: v.VirtualBytes()},
			Snapshot: v.looksSnapshot(),
			Origin:   volumeOf(v.Origin),
			Refusal:  backend.Reason(errors.Join(b.unfit(v), b.unused(v.Name))),
		})
	}
	return all, nil
}

// elsewhere: another backend of this volume group keeps it.
func (b *Backend) elsewhere(v logicalVolume) bool {
	_, thin := b.pool.(*thin)
	return thin && !b.pool.holds(v)
}

// looksSnapshot: of a thin volume only its name tells whether it is a copy to be
// used or a snapshot to be kept.
func (v logicalVolume) looksSnapshot() bool {
	_, volume := backend.VolumeID(v.Name)
	return v.Origin != "" && (v.thickSnapshot() || !volume)
}

// Manage renames the logical volume and makes it longer if need be, a thick
// snapshot's store too: one that is smaller than its volume could overflow. See
// backend.Backend.
func (b *Backend) Manage(ctx context.Context, a backend.Adoption) error {
	if err := errors.Join(checkReference(a.Reference), backend.CheckName(a.Name), backend.CheckSize(a.Bytes)); err != nil {
		return err
	}
	b.reports.drop()
	r, err := b.reports.get(ctx)
	if err != nil {
		return err
	}
	reference := b.asides.logical(a.Reference)
	v, ok := r.find(reference)
	if !ok {
		return b.finishManage(ctx, r, a)
	}
	if err := errors.Join(b.unfit(v), rightKind(v, a)); err != nil {
		return err
	}
	if err := b.idle(ctx, v.Name); err != nil {
		return err
	}
	if err := b.change(ctx, "lvrename", b.group.name, reference, a.Name); err != nil {
		return err
	}
	v.Name = a.Name
	if err := b.ready(ctx, v, a.Bytes); err != nil {
		// Also when the time for it has run out.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		return errors.Join(err, b.change(ctx, "lvrename", b.group.name, a.Name, reference))
	}
	b.asides.remove(a.Reference)
	return nil
}

// finishManage is for a call that comes when the reference is gone.
func (b *Backend) finishManage(ctx context.Context, r *report, a backend.Adoption) error {
	v, ok := r.find(a.Name)
	if !ok || !b.pool.holds(v) {
		return notFound(a.Reference)
	}
	return b.ready(ctx, v, a.Bytes)
}

// ready makes what has its name long enough, and active.
func (b *Backend) ready(ctx context.Context, v logicalVolume, size int64) error {
	if err := b.lengthen(ctx, v, size); err != nil {
		return err
	}
	_, err := b.device(ctx, v.Name)
	return err
}

// lengthen leaves what is long enough as it is. The length of a snapshot is its
// volume's at the time, and nothing can change that.
func (b *Backend) lengthen(ctx context.Context, v logicalVolume, size int64) error {
	switch {
	case v.thickSnapshot():
		return b.secure(ctx, v)
	case v.Bytes >= size || v.Origin != "" && v.looksSnapshot():
		return nil
	}
	return b.Extend(ctx, v.Name, size)
}

// secure gives a thick snapshot a store that can take every block of its volume
// and what the kernel notes of each. LVM makes no larger one than can be used,
// and refuses to lengthen one that is as large as that.
func (b *Backend) secure(ctx context.Context, v logicalVolume) error {
	chunks := (v.OriginBytes + chunkBytes - 1) / chunkBytes
	const noted = chunkBytes / exceptionBytes
	size := b.roundUp((chunks + 1 + (chunks+noted-1)/noted) * chunkBytes)
	if v.Bytes >= size {
		return nil
	}
	err := b.grow(ctx, v.Name, size)
	if err == nil || fault.Is(err, fault.NoSpace) || fault.Is(err, fault.Timeout) {
		return err
	}
	now, _, findErr := b.find(ctx, v.Name)
	if findErr == nil && now.Bytes > now.OriginBytes {
		return nil
	}
	return err
}

// Unmanage renames it back; see backend.Backend.
func (b *Backend) Unmanage(ctx context.Context, name, reference string) error {
	if err := errors.Join(checkReference(reference), backend.CheckName(name)); err != nil {
		return err
	}
	v, ok, err := b.find(ctx, b.asides.logical(name))
	if err != nil || !ok || !b.pool.holds(v) {
		return err
	}
	err = b.change(ctx, "lvrename", b.group.name, v.Name, reference)
	if err == nil || fault.Is(err, fault.NotFound) {
		b.asides.remove(name)
		return nil
	}
	return err
}

// checkReference wants a name that LVM takes, and that is not our waste.
func checkReference(name string) error {
	if !validName.MatchString(name) || strings.HasPrefix(name, backend.TrashPrefix) {
		return fault.New(fault.Invalid, "%q is not the name of a logical volume that could be managed", name)
	}
	return nil
}

// rightKind checks that it is what it is to become.
func rightKind(v logicalVolume, a backend.Adoption) error {
	_, wanted := backend.SnapshotID(a.Name)
	switch {
	case wanted && v.Origin == "":
		return fault.New(fault.Conflict, "%s is no snapshot", v.Name)
	case wanted && volumeOf(v.Origin) != a.Origin:
		return fault.New(fault.Conflict, "%s is a snapshot of %s and not of %s", v.Name, volumeOf(v.Origin), a.Origin)
	case !wanted && v.thickSnapshot():
		return fault.New(fault.Conflict, "%s is a snapshot of %s and no volume", v.Name, v.Origin)
	}
	return nil
}

// served are the layouts (lvs -o lv_layout) that keep a volume's bytes as they
// are, under one name that stays.
var served = []string{"linear", "striped", "mirror", "raid", "thin", "sparse"}

// unfit tells why a logical volume cannot be managed whatever is done with it.
func (b *Backend) unfit(v logicalVolume) error {
	kind, _, _ := strings.Cut(v.Layout, ",")
	switch {
	case v.thinPool():
		return fault.New(fault.Conflict, "it is a thin pool")
	case strings.Contains(v.Layout, "pool"):
		return fault.New(fault.Conflict, "it is a pool (%s)", v.Layout)
	case !b.pool.holds(v) && v.Pool != "":
		return fault.New(fault.Conflict, "it lies in the pool %s, which is not this backend's", v.Pool)
	case !b.pool.holds(v):
		return fault.New(fault.Conflict, "it is a thick volume, and this backend's are thin")
	case !slices.Contains(served, kind):
		return fault.New(fault.Conflict, "it is of a kind that is not served (%s)", v.Layout)
	case backend.CheckName(v.Name) == nil && !b.pool.whole(v):
		return fault.New(fault.Conflict, "it is being made")
	}
	return b.intact(v)
}

// intact refuses a thick snapshot whose store has overflowed: the kernel says
// Invalid or Overflow of it (dm-snap.c).
func (b *Backend) intact(v logicalVolume) error {
	if !v.thickSnapshot() {
		return nil
	}
	d, active, err := b.mapped(v.Name)
	if err != nil || !active || len(d.Targets) == 0 {
		return err
	}
	if s := d.Targets[0].Status; s == "Invalid" || s == "Overflow" {
		return fault.New(fault.Conflict, "its store has overflowed, so that it holds nothing any more")
	}
	return nil
}

// unused is idle, looked at once.
func (b *Backend) unused(name string) error {
	d, _, err := b.mapped(name)
	if err == nil && d.Opened > 0 {
		err = fault.New(fault.Busy, "it is in use")
	}
	return err
}
