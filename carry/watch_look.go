package carry

import (
	"context"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/internal/fault"
)

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
	if disk == "" || closed || w.taken(state, disk) || state.Step != Attached {
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
		disk, err = w.top(ctx, disk)
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
