package api

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"maps"
	"strings"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/volumed/rpc"
)

// connector is what a host says of itself; the keys that matter here.
type connector struct {
	Host       string `json:"host"`
	Initiator  string `json:"initiator"`
	Mountpoint string `json:"mountpoint"`
	Mode       string `json:"mode"`

	raw json.RawMessage
}

// parseConnector reads a connector; nil for none, also where it is an empty
// object, as the openstack client sends one that it does not have.
func parseConnector(raw json.RawMessage) (*connector, error) {
	if text := strings.Join(strings.Fields(string(raw)), ""); text == "" || text == "null" || text == "{}" {
		return nil, nil
	}
	parsed := connector{raw: raw}
	if err := exact(raw, &parsed); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "Invalid input for field/attribute connector: host, initiator, mountpoint and mode must be strings.")
	}
	switch {
	case parsed.Host == "":
		return nil, fault.New(fault.Invalid, "Invalid input for field/attribute connector: it must name its 'host'.")
	case parsed.Initiator == "":
		return nil, fault.New(fault.Invalid, "Invalid input for field/attribute connector: it must name its 'initiator', the host's iSCSI qualified name.")
	case parsed.Mode != "" && parsed.Mode != "rw" && parsed.Mode != "ro":
		return nil, fault.New(fault.Invalid, "Invalid input for field/attribute mode. Value: %s. It must be one of rw, ro.", parsed.Mode)
	}
	return &parsed, nil
}

func (s *Server) updateAttachment(c *Call) (View, error) {
	a, v, err := c.attachment()
	if err != nil {
		return nil, err
	}
	var in struct {
		Attachment struct {
			Connector json.RawMessage `json:"connector"`
		} `json:"attachment"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	from, err := parseConnector(in.Attachment.Connector)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(v.Status, "error") {
		return nil, fault.New(fault.Conflict, "Resource conflict: Volume %s is in status %s and cannot be attached.", v.ID, v.Status)
	}
	if a, err = c.connect(v, a, from); err != nil {
		return nil, attachFailure(err, "Unable to update attachment")
	}
	return attachmentAnswer(a), nil
}

// connect lets the connector's initiator reach the volume, with credentials of
// this attachment's own. The row says attaching before the node is asked and
// holds how to connect after; a crash in between leaves a grant that the
// reconciler takes away, or that the client's next try takes over.
func (c *Call) connect(v db.Volume, a db.Attachment, from *connector) (db.Attachment, error) {
	if v.PoolID == nil {
		return a, fault.New(fault.Conflict, "Resource conflict: Volume %s has no place on a storage node yet.", v.ID)
	}
	mode, err := c.attachMode(v, a, from)
	if err != nil {
		return a, err
	}
	if a, err = c.beginConnect(v, a, from, mode); err != nil {
		return a, err
	}
	info, err := c.grant(v, a, from.Initiator, mode, newLogin(v, a))
	if err != nil {
		c.noteFailure(v, a, db.AttachAttaching, db.AttachErrorAttaching)
		return a, err
	}
	return c.database().SetConnectionInfo(c.Context(), a, info)
}

// attachMode: what the attachment was made for, else what the connector wants,
// else what the volume is. A read-only volume is not connected for writing.
func (c *Call) attachMode(v db.Volume, a db.Attachment, from *connector) (string, error) {
	mode := *firstOf(a.AttachMode, nullIf(from.Mode, ""), modeOf(v))
	return mode, modeAllowed(v, mode)
}

// beginConnect notes the connector. An attachment that is attached stays so
// while its connector is sent again. A second host on a volume that only one
// may have is refused, unless both attachments are one server's.
func (c *Call) beginConnect(v db.Volume, a db.Attachment, from *connector, mode string) (begun db.Attachment, err error) {
	return begun, c.tx(func(tx *db.Tx) error {
		if err := tx.TouchAttachments(c.Context(), v.ID); err != nil {
			return err
		}
		others, err := tx.AttachmentsIn(c.Context(), v.ID)
		if err != nil {
			return err
		}
		if !v.Multiattach && connectedElsewhere(others, a) {
			return fault.New(fault.Conflict, "Resource conflict: Volume %s is connected to another host already.", v.ID)
		}
		status := db.AttachAttaching
		if a.AttachStatus == db.AttachAttached {
			status = db.AttachAttached
		}
		begun, err = tx.MoveAttachment(c.Context(), a.ID,
			[]string{db.AttachReserved, db.AttachAttaching, db.AttachErrorAttaching, db.AttachAttached}, status,
			map[string]any{"connector": string(from.raw), "attached_host": from.Host,
				"mountpoint": nullIf(from.Mountpoint, ""), "attach_mode": mode, "initialized": false})
		if err != nil {
			return err
		}
		return tx.SettleAttachments(c.Context(), v.ID)
	})
}

func connectedElsewhere(others []db.Attachment, a db.Attachment) bool {
	for _, o := range others {
		if o.ID != a.ID && o.Connector != nil && !sameID(o.InstanceUUID, a.InstanceUUID) {
			return true
		}
	}
	return false
}

// grant asks the volume's node and gives the connection info to keep.
func (c *Call) grant(v db.Volume, a db.Attachment, initiator, mode string, as login) ([]byte, error) {
	node, pool, err := c.node(v)
	if err != nil {
		return nil, err
	}
	options, limits, err := c.connectionOptions(v)
	if err != nil {
		return nil, err
	}
	connection, err := node.Grant(c.Context(), rpc.Fence{
		OperationID: c.RequestID, ResourceID: a.ID, Generation: a.Generation,
	}, pool, v.StorageID(), rpc.Grant{
		AttachmentID: a.ID, Initiator: initiator, Username: as.username, Password: as.password, ReadOnly: mode == "ro",
		Limits: limits, VolumeGeneration: v.Generation,
	})
	if err != nil {
		return nil, nodeFailure(err)
	}
	return connectionInfo(v, a, connection, mode, options)
}

// node finds who keeps the volume, and under which name of a pool.
func (c *Call) node(v db.Volume) (rpc.Volumed, string, error) {
	pool, err := c.server.pools.get(*v.PoolID, func() (db.PoolService, error) {
		return c.database().PoolOf(c.Context(), *v.PoolID)
	})
	if err != nil {
		return nil, "", err
	}
	return c.server.Nodes.Node(pool.Service.Endpoint), rpc.PoolOf(pool.Name), nil
}

// nodeLost tells whether the volume's node was declared lost (failover).
func (c *Call) nodeLost(v db.Volume) bool {
	pool, err := c.database().PoolOf(c.Context(), *v.PoolID)
	return err == nil && pool.Service.Lost()
}

// login is an attachment's username and password.
type login struct {
	username string
	password rpc.Secret
}

// newLogin makes a username and a password for one attachment: the MD5 of
// who asks for what together with 32 random bytes, in hex. The digest only
// gives the random bytes their form; nothing rests on its strength. The name
// begins with a letter: iSCSI takes 0b and 0x for encodings (RFC 3720 §5.1).
func newLogin(v db.Volume, a db.Attachment) login {
	var random [32]byte
	_, _ = rand.Read(random[:])
	digest := md5.New()
	for _, part := range []string{a.UserID, a.ProjectID, v.ID, a.ID} {
		digest.Write([]byte(part + "\x00"))
	}
	digest.Write(random[:])
	return login{"u" + strings.ReplaceAll(a.ID, "-", ""), rpc.Secret(hex.EncodeToString(digest.Sum(nil)))}
}

// told reads back the login and the mode that a host was told.
func told(a db.Attachment) (as login, mode string, err error) {
	var info struct {
		Username string     `json:"auth_username"`
		Password rpc.Secret `json:"auth_password"`
		Mode     string     `json:"access_mode"`
	}
	if err := json.Unmarshal(a.ConnectionInfo, &info); err != nil {
		return as, "", fault.New(fault.Internal, "how to connect attachment %s cannot be read", a.ID) // the error may quote the password
	}
	return login{info.Username, info.Password}, info.Mode, nil
}

// connectionInfo is the flat object that Nova hands to os-brick (fields.tsv,
// attachment.connection_info). options are those of connectionOptions.
func connectionInfo(v db.Volume, a db.Attachment, n *rpc.Connection, mode string, options map[string]any) ([]byte, error) {
	info := map[string]any{
		"driver_volume_type": n.Protocol, "attachment_id": a.ID, "volume_id": v.ID,
		"target_discovered": false, "target_portal": n.Portals[0], "target_iqn": n.IQN, "target_lun": n.LUN,
		"auth_method": "CHAP", "auth_username": n.Username, "auth_password": string(n.Password),
		"access_mode": mode, "enforce_multipath": false,
	}
	maps.Copy(info, options)
	if len(n.Portals) > 1 {
		iqns, luns := make([]string, len(n.Portals)), make([]int, len(n.Portals))
		for i := range n.Portals {
			iqns[i], luns[i] = n.IQN, int(n.LUN)
		}
		info["target_portals"], info["target_iqns"], info["target_luns"] = n.Portals, iqns, luns
	}
	return json.Marshal(info)
}

// nodeFailure answers 500 for whatever a node could not do, as Cinder does and
// as Nova's retries expect. What the connector is to blame for stays a 400.
func nodeFailure(err error) error {
	switch fault.CodeOf(err) {
	case "", fault.Invalid:
		return err
	case fault.Unsupported:
		return fault.Wrap(err, fault.Invalid, "Invalid input received: %s", fault.MessageOf(err))
	case fault.Stale: // the node has been asked by a later one
		return fault.Wrap(err, fault.Conflict, "Resource conflict: the attachment was changed by another request at the same time.")
	}
	return fault.Wrap(err, attachFailed, "the storage node could not do it.")
}

// attachFailure says which request a node failed.
func attachFailure(err error, sentence string) error {
	if fault.Is(err, attachFailed) {
		return fault.Wrap(err, attachFailed, "%s: %s", sentence, fault.MessageOf(err))
	}
	return err
}
