package carry

import (
	"context"
	"log/slog"
	"strings"

	"clinker/internal/fault"
)

// Detach takes the volume, named by id or name, away from this machine: what the kernel
// holds back is written, the session ended, the node record removed, the attachment
// deleted, in this order. Busy, and nothing changed, while anything uses the device; the
// message says what. Unavailable, and nothing changed, while the storage node does not
// answer, unless the attachment was deleted elsewhere: what is not written yet would be
// lost. It may be repeated after any error or crash. NotFound when the volume is not
// attached here.
func (h *Host) Detach(ctx context.Context, reference string) error {
	state, found, err := h.states.Find(reference)
	if err != nil {
		return err
	}
	if !found {
		if state, err = h.byCloud(ctx, reference); err != nil {
			return err
		}
	}
	unlock, err := h.states.Lock(ctx, state.VolumeID, h.options.Poll)
	if err != nil {
		return err
	}
	defer unlock()
	if state, err = h.states.Load(state.VolumeID); err != nil || state.VolumeID == "" {
		return err // another process was faster
	}
	return h.detach(ctx, state)
}

// byCloud serves a volume that was renamed after it was attached.
func (h *Host) byCloud(ctx context.Context, reference string) (State, error) {
	volume, err := h.cloud.Volume(ctx, reference)
	if err != nil {
		return State{}, err
	}
	state, err := h.states.Load(volume.ID)
	if err == nil && state.VolumeID == "" {
		err = fault.New(fault.NotFound, "volume %s was not attached to this machine with clinker", reference)
	}
	return state, err
}

// detach does the work; the volume's lock is held.
func (h *Host) detach(ctx context.Context, state State) error {
	if state.AttachmentID == "" {
		found, err := h.orphan(ctx, &state)
		if err != nil || !found {
			return err
		}
	}
	_, err := h.cloud.Attachment(ctx, state.AttachmentID)
	gone := fault.Is(err, fault.NotFound)
	if err != nil && !gone {
		return err // the service cannot be reached: better to leave all as it is
	}
	if err := h.release(ctx, &state, gone); err != nil {
		return err
	}
	if state.IQN != "" {
		if err := h.initiator.Logout(ctx, state.IQN, state.Portal); err != nil {
			return err
		}
	}
	if err := h.cloud.Release(ctx, state.AttachmentID); err != nil {
		return err
	}
	slog.InfoContext(ctx, "volume detached", "volume", state.VolumeID, "attachment", state.AttachmentID)
	return h.states.Remove(state.VolumeID)
}

// release makes sure that nothing uses the disk, takes back a header that is not whole,
// frees the disk, and writes down that the way leads back.
func (h *Host) release(ctx context.Context, state *State, gone bool) error {
	if err := h.locked(ctx, *state, gone); err != nil {
		return err
	}
	if disk := h.diskOf(*state); disk != "" {
		if uses := h.usesOf(ctx, disk); len(uses) > 0 {
			return fault.New(fault.Busy, "volume %s is in use: %s", state.VolumeID, strings.Join(uses, ", "))
		}
		if err := h.reachable(ctx, *state, disk, gone); err != nil {
			return err
		}
		if state.Formatting != "" && !gone {
			if err := h.unformatted(ctx, state, h.system.node(h.system.topOf(disk))); err != nil {
				slog.WarnContext(ctx, "a LUKS header that was begun is left as it is", "volume", state.VolumeID, "error", err)
			}
			state.Formatting = ""
		}
		if gone {
			slog.WarnContext(ctx, "the attachment was deleted elsewhere: what was not written yet is lost", "volume", state.VolumeID)
		}
		if err := h.free(ctx, disk, gone); err != nil {
			return err
		}
	}
	state.Step = Detaching
	return h.states.Save(*state)
}

// reachable refuses while what the kernel holds back of a disk cannot be written, and says
// how it can be given up.
func (h *Host) reachable(ctx context.Context, state State, disk string, gone bool) error {
	if gone {
		return nil
	}
	if why := h.silent(ctx, state.IQN, state.Portal, disk); why != "" {
		return fault.New(fault.Unavailable, "%s. Detach again when it does; to give up what is not written yet, delete the attachment %s before", why, state.AttachmentID)
	}
	return nil
}

// diskOf is the kernel name of the volume's disk, "" when it is not there.
func (h *Host) diskOf(state State) string {
	found, exists := h.system.sessionOf(state.IQN, state.Portal)
	if !exists {
		return ""
	}
	return h.system.diskOf(found, state.LUN)
}

// orphan completes a state that was left at Asking, and leaves what open-iscsi keeps of
// an earlier attachment. When no attachment was made, the state goes and there is nothing
// more to do.
func (h *Host) orphan(ctx context.Context, state *State) (found bool, err error) {
	attachment, err := h.adopt(ctx, *state)
	if err != nil {
		return false, err
	}
	if attachment == nil {
		if err := h.leave(ctx, *state, Connection{}); err != nil {
			return false, err
		}
		return false, h.states.Remove(state.VolumeID)
	}
	c, err := connectionOf(attachment.ConnectionInfo)
	if err != nil {
		return false, err
	}
	c = h.reach(ctx, c)
	if err := h.leave(ctx, *state, c); err != nil {
		return false, err
	}
	state.IQN, state.Portal, state.LUN = c.IQN, c.Portal, c.LUN
	_, err = h.granted(state, attachment, nil)
	return true, err
}
