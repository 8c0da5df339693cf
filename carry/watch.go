package carry

import (
	"context"
	"log/slog"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/internal/fault"
)

// News is what happened to a volume.
type News string

// The kinds of news.
const (
	Ready  News = "ready"  // the device is there: after attach, or again after a reboot
	Grown  News = "grown"  // the device has its new size
	Gone   News = "gone"   // the attachment was deleted elsewhere; the device is dead
	Failed News = "failed" // something went wrong; it is tried again next round
)

// Event is news of one volume.
type Event struct {
	News       News   `json:"news"`
	VolumeID   string `json:"volume_id"`
	VolumeName string `json:"volume_name"`
	Device     string `json:"device,omitempty"`
	SizeBytes  int64  `json:"size_bytes,omitempty"`
	Reason     string `json:"reason,omitempty"` // for Failed and Gone
}

// watch remembers what was told, so that every piece of news is told once.
type watch struct {
	*Host
	tell func(Event)
	last map[string]Event // by volume
}

// Watch looks after this machine's volumes until ctx ends: those whose session
// is missing (after a reboot, or a crash in the middle of attach) are
// attached again, those that have grown are rescanned, and tell hears of it. The
// volumes are those with a state file; attach and detach may run meanwhile.
func (h *Host) Watch(ctx context.Context, tell func(Event)) error {
	w := &watch{Host: h, tell: tell, last: map[string]Event{}}
	ticker := time.NewTicker(h.options.Interval)
	defer ticker.Stop()
	for {
		if err := w.round(ctx); err != nil {
			slog.WarnContext(ctx, "the state files cannot be read", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// round looks at every volume once.
func (w *watch) round(ctx context.Context) error {
	all, err := w.states.All()
	if err != nil {
		return err
	}
	present := map[string]bool{}
	for _, state := range all {
		present[state.VolumeID] = true
		if state.Step == Detaching {
			continue // somebody wants it gone
		}
		event, err := w.look(ctx, state)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			event = Event{News: Failed, VolumeID: state.VolumeID, VolumeName: state.VolumeName, Reason: reason(err)}
			slog.WarnContext(ctx, "watch", "volume", state.VolumeID, "error", err)
		}
		w.hear(event)
	}
	for id := range w.last {
		if !present[id] {
			delete(w.last, id)
		}
	}
	return nil
}

// hear passes news on, once. A device that is there with another size than
// last time has grown, whoever made the kernel notice.
func (w *watch) hear(event Event) {
	last, known := w.last[event.VolumeID]
	if event.News == "" || known && last == event {
		return
	}
	if known && last.alive() && event.alive() && last.Device == event.Device {
		if last.SizeBytes == event.SizeBytes {
			return
		}
		event.News = Grown
	}
	w.last[event.VolumeID] = event
	w.tell(event)
}

func (e Event) alive() bool { return e.News == Ready || e.News == Grown }

// look brings one volume to where it should be and says where it is. No news
// while another process works on it.
func (w *watch) look(ctx context.Context, state State) (Event, error) {
	unlock, err := w.states.tryLock(state.VolumeID)
	if err != nil {
		return Event{}, nil
	}
	defer unlock()
	if state, err = w.states.Load(state.VolumeID); err != nil || state.VolumeID == "" || state.Step == Detaching {
		return Event{}, err
	}
	volume, err := w.cloud.Volume(ctx, state.VolumeID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Event{}, err
	}
	gone, errGone := w.isGone(ctx, state, err)
	if gone || errGone != nil {
		return Event{News: Gone, VolumeID: state.VolumeID, VolumeName: state.VolumeName, Device: state.Device,
			Reason: "its attachment was deleted elsewhere; run detach to clean up"}, errGone
	}
	return w.restore(ctx, volume, state)
}

// isGone tells whether the service no longer knows the volume or the attachment.
func (w *watch) isGone(ctx context.Context, state State, missing error) (bool, error) {
	if missing != nil || state.AttachmentID == "" {
		return missing != nil, nil
	}
	_, err := w.cloud.Attachment(ctx, state.AttachmentID)
	if fault.Is(err, fault.NotFound) {
		return true, nil
	}
	return false, err
}

// restore attaches the volume if its disk is missing and rescans it if it is
// smaller than the service says.
func (w *watch) restore(ctx context.Context, volume *volumes.Volume, state State) (Event, error) {
	event := Event{News: Ready, VolumeID: volume.ID, VolumeName: volume.Name, Device: state.Device}
	disk := w.diskOf(state)
	closed := state.Mapper != "" && !w.system.mapped(state.Mapper)
	if disk == "" || closed || state.Step != Attached {
		path, err := w.attach(ctx, volume, AttachOptions{ReadOnly: state.ReadOnly})
		if err != nil {
			return Event{}, err
		}
		event.Device = path
		if state, err = w.states.Load(volume.ID); err != nil {
			return Event{}, err
		}
		disk = w.diskOf(state)
	}
	size, err := w.system.sizeOf(disk)
	if wanted := int64(volume.Size) * gib; err == nil && size < wanted {
		event.News = Grown
		size, err = w.grow(ctx, state.IQN, state.Portal, disk, wanted)
	}
	if err == nil {
		err = w.regrown(ctx, state, disk)
	}
	event.SizeBytes = size
	return event, err
}

// reason is what may be told of an error.
func reason(err error) string {
	if message := fault.MessageOf(err); message != "" {
		return message
	}
	return err.Error()
}
