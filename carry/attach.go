package carry

import (
	"context"
	"log/slog"
	"slices"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/attachments"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"clinker/internal/fault"
)

// AttachOptions say how.
type AttachOptions struct {
	ReadOnly bool // the target itself refuses writes
}

// Attach makes the volume, named by id or name, a block device of this
// machine and gives the device's path. It may be repeated after any error or
// crash, and on a volume that is attached: it then only sees to it that all is well.
// Conflict when that one can be written to, and the options want it read-only.
// Unavailable while its storage node does not answer.
func (h *Host) Attach(ctx context.Context, reference string, o AttachOptions) (string, error) {
	volume, err := h.cloud.Volume(ctx, reference)
	if err != nil {
		return "", err
	}
	unlock, err := h.states.Lock(ctx, volume.ID, h.options.Poll)
	if err != nil {
		return "", err
	}
	defer unlock()
	return h.attach(ctx, volume, o)
}

// attach does the work; the volume's lock is held.
func (h *Host) attach(ctx context.Context, volume *volumes.Volume, o AttachOptions) (string, error) {
	state, err := h.states.Load(volume.ID)
	if err != nil {
		return "", err
	}
	attachment, err := h.known(ctx, &state)
	if err != nil {
		return "", err
	}
	if attachment == nil {
		if attachment, err = h.ask(ctx, volume, &state, o); err != nil {
			return "", err
		}
	}
	c, err := connectionOf(attachment.ConnectionInfo)
	if err != nil {
		return "", err
	}
	c = h.reach(ctx, c)
	if o.ReadOnly && !c.ReadOnly {
		return "", fault.New(fault.Conflict, "volume %s is attached to this machine already, and not read-only: detach it first", volume.ID)
	}
	if err := h.leave(ctx, state, c); err != nil {
		return "", err
	}
	state.Step, state.IQN, state.Portal, state.LUN, state.ReadOnly = Granted, c.IQN, c.Portal, c.LUN, c.ReadOnly
	if err := h.states.Save(state); err != nil {
		return "", err
	}
	disk, err := h.connect(ctx, volume, c)
	if err != nil {
		return "", err
	}
	path, err := h.unlocked(ctx, &state, disk, c)
	if err != nil {
		return "", err
	}
	return h.finish(ctx, attachment, &state, path)
}

// known reads the attachment that the state names. nil when it names none, or
// when somebody has deleted it meanwhile.
func (h *Host) known(ctx context.Context, state *State) (*attachments.Attachment, error) {
	if state.AttachmentID == "" {
		return nil, nil
	}
	attachment, err := h.cloud.Attachment(ctx, state.AttachmentID)
	if fault.Is(err, fault.NotFound) {
		slog.WarnContext(ctx, "the attachment was deleted elsewhere", "volume", state.VolumeID, "attachment", state.AttachmentID)
		*state = state.remains()
		return nil, nil
	}
	return attachment, err
}

// ask gets a new attachment, or the one that an earlier ask got and could not
// write down any more.
func (h *Host) ask(ctx context.Context, volume *volumes.Volume, state *State, o AttachOptions) (*attachments.Attachment, error) {
	if state.Step == Asking {
		if attachment, err := h.adopt(ctx, *state); err != nil || attachment != nil {
			return h.granted(state, attachment, err)
		}
	}
	connector, err := h.connector(ctx)
	if err != nil {
		return nil, err
	}
	before, err := h.cloud.Attachments(ctx, volume.ID)
	if err != nil {
		return nil, err
	}
	*state = state.remains()
	state.VolumeID, state.VolumeName, state.Step, state.ReadOnly = volume.ID, volume.Name, Asking, o.ReadOnly
	for _, attachment := range before {
		state.Before = append(state.Before, attachment.ID)
	}
	if err := h.states.Save(*state); err != nil {
		return nil, err
	}
	attachment, err := h.cloud.Attach(ctx, request{volumeID: volume.ID, connector: connector, readOnly: o.ReadOnly})
	if refused(err) {
		return nil, h.forget(ctx, *state, err)
	}
	return h.granted(state, attachment, err)
}

// refused tells whether the service said no, so that nothing was made.
func refused(err error) bool {
	return err != nil && !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Timeout) && !fault.Is(err, fault.Internal)
}

// granted writes the attachment down.
func (h *Host) granted(state *State, attachment *attachments.Attachment, err error) (*attachments.Attachment, error) {
	if err != nil {
		return nil, err
	}
	state.AttachmentID, state.Step, state.Before = attachment.ID, Granted, nil
	return attachment, h.states.Save(*state)
}

// forget removes the state after a refusal, and what open-iscsi keeps of an earlier
// attachment.
func (h *Host) forget(ctx context.Context, state State, refusal error) error {
	if err := h.leave(ctx, state, Connection{}); err != nil {
		slog.WarnContext(ctx, "what open-iscsi keeps of an earlier attachment could not be deleted", "volume", state.VolumeID, "portal", state.Portal, "error", err)
	}
	if err := h.states.Remove(state.VolumeID); err != nil {
		slog.WarnContext(ctx, "a state file could not be removed", "volume", state.VolumeID, "error", err)
	}
	return refusal
}

// adopt looks for an attachment that was made for this machine without this
// machine learning its id: a crash or a lost answer. It is one that was not
// there before, belongs to no server, and whose target lets this machine in:
// a grant names its initiator, so that nobody else's does. nil when there is none.
func (h *Host) adopt(ctx context.Context, state State) (*attachments.Attachment, error) {
	listed, err := h.cloud.Attachments(ctx, state.VolumeID)
	if err != nil {
		return nil, err
	}
	for _, candidate := range listed {
		if candidate.Instance != "" || slices.Contains(state.Before, candidate.ID) {
			continue
		}
		attachment, err := h.cloud.Attachment(ctx, candidate.ID)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		c, err := connectionOf(attachment.ConnectionInfo)
		if err != nil {
			continue // reserved by somebody, without a connection so far
		}
		c = h.reach(ctx, c)
		err = h.initiator.Login(ctx, c)
		if err == nil {
			return attachment, nil
		}
		if !fault.Is(err, fault.Unauthorized) {
			return nil, err
		}
		if err := h.initiator.Logout(ctx, c.IQN, c.Portal); err != nil { // its record goes
			return nil, err
		}
	}
	return nil, nil
}

// finish tells the service, then writes down that all is done.
func (h *Host) finish(ctx context.Context, attachment *attachments.Attachment, state *State, path string) (string, error) {
	if attachment.Status != "attached" {
		if err := h.cloud.Complete(ctx, attachment.ID); err != nil {
			return "", err
		}
	}
	state.Step, state.Device = Attached, path
	if err := h.states.Save(*state); err != nil {
		return "", err
	}
	slog.InfoContext(ctx, "volume attached", "volume", state.VolumeID, "attachment", attachment.ID, "device", state.Device)
	return state.Device, nil
}
