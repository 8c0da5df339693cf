package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"clinker/db"
	"clinker/volumed/rpc"
)

func init() {
	comparisons = append(comparisons, comparison{"exports", 10 * time.Second, (*Reconciler).exports})
}

// exports compares who may log in to a pool's volumes with the attachments.
func (r *Reconciler) exports(ctx context.Context, p db.PoolService, node rpc.Volumed) error {
	// The rows first: an attachment that is connected meanwhile is not missed.
	connected, err := ofPool(ctx, r, p, r.DB.AttachmentsConnected)
	if err != nil {
		return err
	}
	exports, err := node.Exports(ctx, rpc.PoolOf(p.Name))
	if err != nil {
		return err
	}
	if err := r.cutEnded(ctx, p, node, connected, exports); err != nil {
		return err
	}
	return r.letIn(ctx, p, node, connected, exports)
}

// cutEnded revokes exports whose attachment has ended or failed, which none of
// the connected has. A Stranger is left alone.
func (r *Reconciler) cutEnded(ctx context.Context, p db.PoolService, node rpc.Volumed, connected []db.Attachment, exports []*rpc.Export) error {
	exports = unconnected(exports, connected)
	if len(exports) == 0 {
		return nil
	}
	known, err := attachmentsOf(ctx, r.DB, exports)
	if err != nil {
		return err
	}
	for _, e := range exports {
		a, ok := known[e.AttachmentID]
		if !ok {
			if r.first("export " + e.AttachmentID) {
				alarm(ctx, "exports", "a node exports a volume for an attachment that the database does not know",
					"pool", p.Name, "volume", e.VolumeID, "attachment", e.AttachmentID, "initiator", e.Initiator)
			}
			continue
		}
		if err := r.cut(ctx, p, node, a, e.VolumeID); err != nil && !gone(err) {
			slog.WarnContext(ctx, "an export could not be revoked", "pool", p.Name, "attachment", a.ID, "error", err)
		}
	}
	return nil
}

// attachmentsOf gives those of the exports' attachments that the database has ever heard
// of, by their ids.
func attachmentsOf(ctx context.Context, d *db.DB, exports []*rpc.Export) (map[string]db.Attachment, error) {
	ids := make([]string, len(exports))
	for i, e := range exports {
		ids[i] = e.AttachmentID
	}
	return d.AttachmentsEver(ctx, ids)
}

// unconnected leaves out the exports of attachments that are connected.
func unconnected(exports []*rpc.Export, connected []db.Attachment) (others []*rpc.Export) {
	known := make(map[string]bool, len(connected))
	for _, a := range connected {
		known[a.ID] = true
	}
	for _, e := range exports {
		if !known[e.AttachmentID] {
			others = append(others, e)
		}
	}
	return others
}

// cut revokes the grant of an attachment that may have none.
func (r *Reconciler) cut(ctx context.Context, p db.PoolService, node rpc.Volumed, a db.Attachment, volumeID string) error {
	switch {
	case a.DeletedAt != nil:
		a.Generation++ // the row does not change any more
	case r.cutOff(a) && r.quiet(a):
		moved, err := r.moveAttachment(ctx, a, a.AttachStatus)
		if err != nil {
			return err
		}
		a = moved
	default:
		return nil
	}
	slog.WarnContext(ctx, "a node let a host in whose attachment has ended", "pool", p.Name, "volume", a.VolumeID, "attachment", a.ID)
	return node.Revoke(ctx, revokeFence(a), rpc.PoolOf(p.Name), volumeID)
}

// cutOff tells whether an attachment is one whose host is not to be let in:
// that was not told how, or that was cut off by os-terminate_connection.
func (r *Reconciler) cutOff(a db.Attachment) bool {
	switch a.AttachStatus {
	case db.AttachReserved, db.AttachErrorAttaching:
		return true
	case db.AttachAttached:
		return a.ConnectionInfo == nil
	}
	return false
}

func (r *Reconciler) quiet(a db.Attachment) bool {
	changed := a.CreatedAt
	if a.UpdatedAt != nil {
		changed = *a.UpdatedAt
	}
	return time.Since(changed) >= r.Quiet
}

// letIn grants again what the node should have and has not: its journal was
// lost. The credentials are those that the host was told.
func (r *Reconciler) letIn(ctx context.Context, p db.PoolService, node rpc.Volumed, connected []db.Attachment, exports []*rpc.Export) error {
	has := make(map[string]bool, len(exports))
	for _, e := range exports {
		has[e.AttachmentID] = true
	}
	for _, a := range connected {
		if has[a.ID] {
			continue
		}
		grant, err := grantOf(a)
		volumeID := ""
		if err == nil {
			volumeID, err = r.limits(ctx, a.VolumeID, &grant)
		}
		if err == nil {
			_, err = node.Grant(ctx, rpc.Fence{OperationID: fmt.Sprintf("grant-%s-%d", a.ID, a.Generation),
				ResourceID: a.ID, Generation: a.Generation}, rpc.PoolOf(p.Name), volumeID, grant)
		}
		if err == nil || r.first("grant "+a.ID) {
			slog.WarnContext(ctx, "a node had lost the export of an attachment", "pool", p.Name, "volume", a.VolumeID,
				"attachment", a.ID, "granted_again", err == nil, "error", err)
		}
	}
	return nil
}

// limits notes in the grant what the volume is limited to. It gives the id by which
// the node knows the volume.
func (r *Reconciler) limits(ctx context.Context, volumeID string, grant *rpc.Grant) (string, error) {
	v, err := r.DB.Volume(ctx, volumeID, "")
	if err != nil {
		return "", err
	}
	o, err := r.DB.AttachOptions(ctx, v.VolumeTypeID)
	grant.Limits, grant.VolumeGeneration = rpc.Limits(o.Limits(v.SizeGiB)), v.Generation
	return v.StorageID(), err
}

// grantOf reads the grant back from how to connect.
func grantOf(a db.Attachment) (rpc.Grant, error) {
	var connector struct {
		Initiator string `json:"initiator"`
	}
	var info struct {
		Username string     `json:"auth_username"`
		Password rpc.Secret `json:"auth_password"`
		Mode     string     `json:"access_mode"`
	}
	if err := json.Unmarshal(a.Connector, &connector); err != nil {
		return rpc.Grant{}, fmt.Errorf("read the connector: %w", err)
	}
	if err := json.Unmarshal(a.ConnectionInfo, &info); err != nil {
		return rpc.Grant{}, fmt.Errorf("read how to connect: %T", err) // its text may quote the password
	}
	return rpc.Grant{AttachmentID: a.ID, Initiator: connector.Initiator, Username: info.Username,
		Password: info.Password, ReadOnly: info.Mode == "ro"}, nil
}
