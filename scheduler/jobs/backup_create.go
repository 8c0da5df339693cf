package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/riverqueue/river"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

func init() {
	register((*Runner).backupCreate, Control{CannotRetry: "a backup made now would not be of the moment that was asked for"})
}

// noBackupService is what Cinder says of a backup that no service can make.
const noBackupService = "Service not found for creating backup."

// backupCreate has the node of a volume back it up into the store that it reaches:
// note where, have the node do it, finish; or error, with a reason. However it
// ends, the volume or snapshot is let go of in the same transaction. What is left
// in the store is taken away with the row.
func (r *Runner) backupCreate(ctx context.Context, job *river.Job[db.BackupCreateArgs]) error {
	return r.work(ctx, job.JobRow, job.Args.Request, while(r.DB.Backup, job.Args.BackupID, backupIs(db.BackupCreating), (*run).createBackup))
}

func (r *run) createBackup(ctx context.Context, b db.Backup) error {
	if r.cancel && b.Store == nil {
		r.notes.Cancelled = true
		return r.failBackup(ctx, b, db.DetailBackupCreate, "The backup was not made: "+byAdministrator+".")
	}
	if b.Imported {
		return r.verifyImport(ctx, b)
	}
	return r.backUp(ctx, b)
}

// unmakeable says why a backup cannot be made, without a node having been asked.
type unmakeable struct {
	detail db.MessageWord
	text   string
}

func (u *unmakeable) Error() string { return u.text }

func (r *run) backUp(ctx context.Context, b db.Backup) error {
	source, poolID, err := r.backupSource(ctx, b)
	if err != nil {
		return r.failUnmakeable(ctx, b, err)
	}
	where, err := r.whereIs(ctx, poolID)
	if err != nil {
		return err
	}
	service, err := r.serviceFor(ctx, b, where)
	if err == nil {
		err = r.addTo(ctx, b, *service, &source)
	}
	if err != nil {
		return r.failUnmakeable(ctx, b, err)
	}
	bound, err := r.DB.BindBackup(ctx, b, *service)
	if err == nil && !bound {
		err = fault.New(fault.Conflict, "backup %s was changed, or bound to another store", b.ID)
	}
	if err != nil {
		return err
	}
	if b.Container == nil {
		b.Container = &service.BackupContainer
	}
	return r.backUpOnNode(ctx, b, where, source)
}

func (r *run) backUpOnNode(ctx context.Context, b db.Backup, where place, source rpc.BackupSource) error {
	var made *rpc.Operation
	err := r.operate(ctx, r.Patience, func(ctx context.Context) (o *rpc.Operation, err error) {
		made, err = r.Nodes.Node(where.endpoint).Backup(ctx, backupFence("backup", b), where.pool, backupPlace(b), source)
		return made, err
	})
	switch {
	case err == nil && made.State != rpc.Done:
		return errAgain // it was done just before it was to be cancelled; the next run is told of its objects
	case err == nil:
		return r.finish(ctx, func(tx *db.Tx) error { return tx.FinishBackup(ctx, b, made.Objects) })
	case errors.Is(err, errAgain), ctx.Err() != nil:
		return err
	case fault.Is(err, fault.Stale) && !r.staleAt(b.Generation):
		return err // the row is read again
	case r.cancel:
		return r.failBackup(ctx, b, db.DetailBackupCreate, "The backup was not made: "+byAdministrator+".")
	case (fault.Is(err, fault.Busy) || fault.Is(err, fault.Unavailable)) && r.mayTryAgain():
		return r.backUpLater(ctx, b, err)
	}
	slog.WarnContext(ctx, "node made no backup", "backup", b.ID, "volume", b.VolumeID, "pool", where.name, "error", err)
	return r.failBackup(ctx, b, db.DetailBackupCreate, "The backup was not made: "+sentence(err)+".")
}

// backupSource reads what a backup is to be made of, and where that is. It must
// still be held for it: an administrator may have reset its status.
func (r *run) backupSource(ctx context.Context, b db.Backup) (source rpc.BackupSource, poolID string, err error) {
	v, err := r.DB.Volume(ctx, b.VolumeID, "")
	if unlessGone(err) != nil {
		return source, "", err
	}
	source = rpc.BackupSource{Source: rpc.Source{Kind: rpc.KindVolume, ID: b.VolumeID}, VolumeID: b.VolumeID, StoredID: b.VolumeID,
		Bytes: int64(v.SizeGiB) << 30, Metadata: manifestMetadata(b)}
	if v.ID != "" {
		source.Source.ID, source.StoredID = v.StorageID(), v.StorageID()
	}
	what, status, pool := "volume", v.Status, v.PoolID
	if b.SnapshotID != nil {
		s, err := r.DB.Snapshot(ctx, *b.SnapshotID, "")
		if unlessGone(err) != nil {
			return source, "", err
		}
		source.Source, source.Bytes = rpc.Source{Kind: rpc.KindSnapshot, ID: *b.SnapshotID}, int64(s.SizeGiB)<<30
		what, status, pool = "snapshot", s.Status, s.PoolID
	}
	if status != "backing-up" {
		if status == "" {
			status = "deleted"
		}
		return source, "", &unmakeable{db.DetailVolumeState, fmt.Sprintf("Create backup aborted, expected %s status backing-up but got %s.", what, status)}
	}
	if pool == nil {
		return source, "", &unmakeable{db.DetailBackupSchedule, "The volume has no place on a storage node."}
	}
	return source, *pool, nil
}

// serviceFor finds the backup service on the volume's node. The backup may have to
// be in a zone; it is when a service of that zone reaches the same store.
func (r *run) serviceFor(ctx context.Context, b db.Backup, where place) (*db.Service, error) {
	services, err := r.backupServices(ctx)
	if err != nil {
		return nil, err
	}
	service := backupServiceAt(services, where)
	switch {
	case service == nil && r.inGrace():
		return nil, errAgain
	case service == nil:
		return nil, &unmakeable{db.DetailBackupSchedule, noBackupService + " The volume's storage node reaches no store for backups at the moment."}
	case b.Store != nil && *b.Store != service.BackupStore:
		return nil, &unmakeable{db.DetailBackupCreate, "The volume's storage node has begun to keep its backups in another store."}
	}
	inZone := func(s db.Service) bool {
		return s.BackupStore == service.BackupStore && s.AvailabilityZone == *b.AvailabilityZone
	}
	if b.AvailabilityZone != nil && !slices.ContainsFunc(services, inZone) {
		if r.inGrace() {
			return nil, errAgain
		}
		return nil, &unmakeable{db.DetailBackupSchedule, noBackupService + fmt.Sprintf(" The store of the volume's storage node is not in availability zone %s.", *b.AvailabilityZone)}
	}
	return service, nil
}

// addTo notes the backup that an incremental one adds to. It must lie in the same
// store.
func (r *run) addTo(ctx context.Context, b db.Backup, service db.Service, source *rpc.BackupSource) error {
	if b.ParentID == nil {
		return nil
	}
	parent, err := r.DB.Backup(ctx, *b.ParentID, "")
	switch {
	case fault.Is(err, fault.NotFound):
		return &unmakeable{db.DetailBackupCreate, "The backup that this one was to add to is gone."}
	case err != nil:
		return err
	case parent.Store == nil || *parent.Store != service.BackupStore:
		return &unmakeable{db.DetailBackupCreate, "The backup that this one was to add to lies in a store that the volume's storage node does not reach. Do a full backup."}
	}
	place := backupPlace(parent)
	source.Parent, source.ParentContainer = place.ID, place.Container
	return nil
}

// failUnmakeable ends the creation for what is no mistake of the program.
func (r *run) failUnmakeable(ctx context.Context, b db.Backup, err error) error {
	var why *unmakeable
	if !errors.As(err, &why) {
		return err
	}
	slog.WarnContext(ctx, "a backup cannot be made", "backup", b.ID, "volume", b.VolumeID, "reason", why.text)
	return r.failBackup(ctx, b, why.detail, why.text)
}

// failBackup ends the creation, and tells the user.
func (r *run) failBackup(ctx context.Context, b db.Backup, detail db.MessageWord, text string) error {
	return r.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := tx.FailBackup(ctx, b, text); err != nil {
			return err
		}
		return r.tell(ctx, tx, db.NewBackupMessage(b, db.ActionCreateBackup, detail, text, r.request))
	})
}

// backUpLater has the job run again, later each time, as a new operation.
func (r *run) backUpLater(ctx context.Context, b db.Backup, reason error) error {
	err := r.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.MoveBackupAt(ctx, b, db.BackupCreateWait, sentence(reason), nil)
		return err
	})
	if err != nil {
		return err
	}
	return r.later()
}
