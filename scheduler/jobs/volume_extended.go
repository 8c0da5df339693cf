package jobs

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/openstack/nova"
)

func init() { register((*Runner).volumeExtended, Control{CannotCancel: tooShort, Again: tellAgain}) }

// tellAgain needs nothing of the volume.
func tellAgain(ctx context.Context, tx *db.Tx, job db.Job) error { return tx.EnqueueAgain(ctx, job) }

// askCompute is how long Keystone and Nova may take together in one run;
// computeTries is how many runs there are, each after twice the time.
const (
	askCompute   = 10 * time.Second
	computeTries = 6
)

// volumeExtended tells the servers that have a volume that it has grown. It is a
// job of its own, made with the volume's new size: Nova reads the size when it is
// told, and the volume does not wait for Nova. An event that is sent twice does no
// harm.
func (r *Runner) volumeExtended(ctx context.Context, job *river.Job[db.VolumeExtendedArgs]) error {
	return r.announce(ctx, job.JobRow, job.Args.VolumeID, job.Args.Request, func(v db.Volume) announcement {
		return announcement{
			send: func(ctx context.Context, servers []string) ([]nova.Refusal, error) {
				return r.Compute.VolumeExtended(ctx, v.ID, servers)
			},
			what: "has grown",
			lost: db.NewVolumeMessage(v, db.ActionExtendVolume, db.DetailNotifyCompute,
				"The volume has its new size, but its server could not be told: it sees the size after a reboot.", job.Args.Request),
		}
	})
}

// announcement is what servers are told of their volume.
type announcement struct {
	send func(ctx context.Context, servers []string) ([]nova.Refusal, error)
	what string      // for the log
	lost *db.Message // for the user, when nobody could be told
}

// announce is a job that tells a volume's servers something, if the volume and a
// compute service are there.
func (r *Runner) announce(ctx context.Context, job *rivertype.JobRow, volumeID, request string, news func(db.Volume) announcement) error {
	return r.work(ctx, job, request, func(ctx context.Context, run *run) error {
		v, err := r.DB.Volume(ctx, volumeID, "")
		if fault.Is(err, fault.NotFound) || r.Compute == nil {
			return nil
		}
		if err != nil {
			return err
		}
		return run.tellServers(ctx, v, news(v))
	})
}

func (r *run) tellServers(ctx context.Context, v db.Volume, news announcement) error {
	attachments, err := r.DB.AttachmentsOf(ctx, v.ID)
	if err != nil {
		return err
	}
	var servers []string
	for _, a := range attachments[v.ID] {
		if a.InstanceUUID != nil {
			servers = append(servers, *a.InstanceUUID)
		}
	}
	if len(servers) == 0 {
		return nil // other hosts look for themselves
	}
	ask, cancel := context.WithTimeout(ctx, askCompute)
	defer cancel()
	refused, err := news.send(ask, servers)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case fault.Is(err, fault.Unsupported):
		slog.InfoContext(ctx, "no compute service is told of a volume", "volume", v.ID, "what", news.what, "reason", err)
		return nil
	case err != nil:
		return r.tellServersAgain(ctx, v, news, err)
	}
	for _, no := range refused {
		// A server without a host looks at the size when it starts.
		slog.WarnContext(ctx, "the compute service did not take the event", "volume", v.ID, "server", no.ServerID, "status", no.Status)
		if no.Status != http.StatusNotFound && no.Status != http.StatusUnprocessableEntity {
			return r.tellServersAgain(ctx, v, news, fault.New(fault.Unavailable, "the event was answered with status %d", no.Status))
		}
	}
	return nil
}

// tellServersAgain tries later, and in the end tells the user instead.
func (r *run) tellServersAgain(ctx context.Context, v db.Volume, news announcement, reason error) error {
	slog.WarnContext(ctx, "the compute service was not told of a volume", "volume", v.ID, "what", news.what, "tries", r.notes.BusyTries+1, "error", reason)
	if r.notes.BusyTries+1 < computeTries {
		r.pause = r.Pause << r.notes.BusyTries
		r.notes.BusyTries++
		return errAgain
	}
	return r.DB.Tx(ctx, func(tx *db.Tx) error { return r.tell(ctx, tx, news.lost) })
}
