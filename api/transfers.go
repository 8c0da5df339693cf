package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/keys"
)

func init() { register(transferRoutes) }

// transferRoutes are one family under two paths: the older os-volume-transfer
// never leaves snapshots behind, and lists the oldest first.
func transferRoutes(s *Server) []Route {
	return append(s.transferFamily("os_transfers", "/os-volume-transfer"), s.transferFamily("transfers", "/volume-transfers")...)
}

func (s *Server) transferFamily(name, items string) []Route {
	item := items + "/:transfer_id"
	return []Route{
		{Name: name + ".list", Method: "GET", Path: items, Status: http.StatusOK,
			Policy: []string{"volume:get_all_transfers"}, Handler: s.listTransfers},
		{Name: name + ".detail", Method: "GET", Path: items + "/detail", Status: http.StatusOK,
			Policy: []string{"volume:get_all_transfers"}, Handler: s.detailTransfers},
		{Name: name + ".create", Method: "POST", Path: items, Status: http.StatusAccepted,
			Policy: []string{"volume:create_transfer"}, Object: true, Handler: s.createTransfer},
		{Name: name + ".show", Method: "GET", Path: item, Status: http.StatusOK,
			Policy: []string{"volume:get_transfer"}, Object: true, Handler: s.showTransfer},
		{Name: name + ".accept", Method: "POST", Path: item + "/accept", Status: http.StatusAccepted,
			Policy: []string{"volume:accept_transfer"}, Handler: s.acceptTransfer},
		{Name: name + ".delete", Method: "DELETE", Path: item, Status: http.StatusAccepted,
			Policy: []string{"volume:delete_transfer"}, Object: true, Handler: s.deleteTransfer},
	}
}

// transfer reads the transfer that the path names and asks the policy about it.
func (c *Call) transfer() (db.Transfer, error) {
	t, err := c.database().Transfer(c.Context(), c.Param("transfer_id"), c.Scope())
	if err != nil {
		return t, err
	}
	return t, c.Allow(Owner{ProjectID: t.SourceProjectID})
}

func (s *Server) showTransfer(c *Call) (View, error) {
	t, err := c.transfer()
	if err != nil {
		return nil, err
	}
	return func(o object) { o.object("transfer", func(o object) { c.transferDetail(o, t) }) }, nil
}

func (s *Server) deleteTransfer(c *Call) (View, error) {
	t, err := c.transfer()
	if err != nil {
		return nil, err
	}
	v, err := c.database().Volume(c.Context(), t.VolumeID, "")
	if err != nil {
		return nil, err
	}
	home, err := c.homeBearer(v)
	if err != nil {
		return nil, err
	}
	key, err := c.moveKey(v, home)
	if err != nil {
		return nil, err
	}
	err = c.tx(func(tx *db.Tx) error {
		if err := tx.WithdrawTransfer(c.Context(), t); err != nil {
			return err
		}
		return key.write(tx)
	})
	key.end(err)
	return nil, err
}

// transferRequest is the body of transfers.create.
type transferRequest struct {
	Transfer struct {
		VolumeID    string   `json:"volume_id"`
		Name        *trimmed `json:"name"`
		NoSnapshots boolish  `json:"no_snapshots"`
	} `json:"transfer"`
}

// createTransfer answers with the key, the only time that it is shown.
func (s *Server) createTransfer(c *Call) (View, error) {
	var in transferRequest
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	v, err := c.database().Volume(c.Context(), in.Transfer.VolumeID, c.Scope())
	if err != nil {
		return nil, err
	}
	if err := c.Allow(ownerOf(v)); err != nil {
		return nil, err
	}
	t := db.Transfer{ID: uuid.NewString(), VolumeID: v.ID, Name: in.Transfer.Name.optional(), NoSnapshots: bool(in.Transfer.NoSnapshots)}
	if err := c.checkEncrypted(v, t); err != nil {
		return nil, err
	}
	key, err := newTransferKey(&t)
	if err != nil {
		return nil, err
	}
	encryption, err := c.moveKey(v, keys.Service)
	if err != nil {
		return nil, err
	}
	err = c.tx(func(tx *db.Tx) error {
		if err := tx.InsertTransfer(c.Context(), &t); err != nil {
			return err
		}
		return encryption.write(tx)
	})
	encryption.end(err)
	if err != nil {
		return nil, err
	}
	return func(o object) {
		o.object("transfer", func(o object) {
			c.transferDetail(o, t)
			o.str("auth_key", key)
		})
	}, nil
}

// checkEncrypted: the key of an encrypted volume goes with it from 3.70 on, and
// its snapshots have the same one.
func (c *Call) checkEncrypted(v db.Volume, t db.Transfer) error {
	switch {
	case v.EncryptionKeyID == nil:
		return nil
	case v.Status != "available":
		return fault.New(fault.Invalid, "Invalid volume: status must be available")
	case !c.Since(70):
		return fault.New(fault.Invalid, "Invalid volume: transferring encrypted volume is not supported")
	case t.NoSnapshots:
		return fault.New(fault.Invalid, "Invalid volume: transferring an encrypted volume without its snapshots is not supported")
	}
	return nil
}

// acceptTransfer gives the volume to the caller's project, whoever offers it:
// what counts is the key.
func (s *Server) acceptTransfer(c *Call) (View, error) {
	var in struct {
		Accept struct {
			AuthKey transferKey `json:"auth_key"`
		} `json:"accept"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if c.Identity.ProjectID == "" {
		return nil, fault.New(fault.Invalid, "A volume goes to a project, and the token is of none.")
	}
	t, err := c.database().Transfer(c.Context(), c.Param("transfer_id"), "")
	if err != nil {
		return nil, err
	}
	if err := checkTransferKey(t, string(in.Accept.AuthKey)); err != nil {
		return nil, err
	}
	v, err := c.database().Volume(c.Context(), t.VolumeID, "")
	if err == nil {
		_, err = c.database().VolumeType(c.Context(), v.VolumeTypeID, c.Scope()) // one that the caller may use
	}
	if err == nil {
		err = c.checkVolumeSize(v.SizeGiB)
	}
	if err != nil {
		return nil, err
	}
	key, err := c.moveKey(v, c.bearer())
	if err != nil {
		return nil, err
	}
	err = s.db.Tx(c.Context(), func(tx *db.Tx) error {
		if err := tx.AcceptTransfer(c.Context(), t, c.Identity.ProjectID, c.Identity.UserID, s.Limits); err != nil {
			return err
		}
		return key.write(tx)
	})
	key.end(err)
	if err != nil {
		return nil, plainSize(err)
	}
	return func(o object) { o.object("transfer", func(o object) { c.transferSummary(o, t) }) }, nil
}

// plainSize leaves the name of Cinder's exception out of a refusal for size, as
// Cinder does here.
func plainSize(err error) error {
	if text, found := strings.CutPrefix(fault.MessageOf(err), "VolumeSizeExceedsAvailableQuota: "); found {
		return fault.Wrap(err, fault.CodeOf(err), "%s", text)
	}
	return err
}

// transferSummary has the fields of transfer.summary (fields.tsv). Links are to
// the older path, whichever was used.
func (c *Call) transferSummary(o object, t db.Transfer) {
	o.str("id", t.ID)
	o.str("volume_id", t.VolumeID)
	o.text("name", t.Name)
	c.links(o, "/os-volume-transfer", t.ID)
}

// transferDetail has the fields of transfer.detail.
func (c *Call) transferDetail(o object, t db.Transfer) {
	o.str("id", t.ID)
	o.time("created_at", t.CreatedAt)
	o.text("name", t.Name)
	o.str("volume_id", t.VolumeID)
	c.links(o, "/os-volume-transfer", t.ID)
	if c.Since(55) {
		o.bool("no_snapshots", t.NoSnapshots)
	}
	if c.Since(57) {
		o.text("destination_project_id", t.DestinationProjectID)
		o.str("source_project_id", t.SourceProjectID)
		o.bool("accepted", t.Accepted)
	}
}

func (s *Server) listTransfers(c *Call) (View, error) { return c.transferList("", c.transferSummary) }

func (s *Server) detailTransfers(c *Call) (View, error) {
	return c.transferList("/detail", c.transferDetail)
}

// transferList runs one statement. The link to the next page says the order,
// for it leads to the older path, where another one is usual.
func (c *Call) transferList(path string, view func(object, db.Transfer)) (View, error) {
	q, err := c.transferQuery()
	if err != nil {
		return nil, err
	}
	found, err := c.database().Transfers(c.Context(), q)
	if err != nil {
		return nil, err
	}
	return func(o object) {
		objects(o, "transfers", found, view)
		if len(found) == 0 {
			return
		}
		if c.transfersPaged() && !c.Query.Has("sort") && !c.Query.Has("sort_key") && !c.Query.Has("sort_dir") {
			c.Query.Set("sort", "created_at:desc")
		}
		c.next(o, "transfers_links", "/os-volume-transfer"+path, q, len(found), found[len(found)-1].ID)
	}, nil
}

// transfersPaged tells whether the list is in the order of later lists.
func (c *Call) transfersPaged() bool { return c.Since(59) && c.route.Path[:2] == "/v" }

// transferQuery reads a list's query. Nothing is refused: what is no column is
// met by no row, and before 3.59 a sort key is none.
func (c *Call) transferQuery() (q db.Query, err error) {
	if q, err = c.page(nil); err != nil {
		return q, err
	}
	sorted := c.Query.Has("sort") || c.Query.Has("sort_key") || c.Query.Has("sort_dir")
	if !c.Since(59) && sorted {
		q.Where, sorted = append(q.Where, db.Nothing), false
	}
	if !c.transfersPaged() && !sorted {
		q.Sort = []db.Sort{{Key: "created_at"}}
	}
	all, err := c.allProjects()
	if err != nil {
		return q, err
	}
	if !all {
		q.Where = append(q.Where, db.TransfersOf(c.Identity.ProjectID))
	}
	for name, values := range c.Query {
		if slices.Contains(pageParameters, name) || name == "project_id" && !all {
			continue
		}
		for _, value := range values {
			condition, _, err := db.TransferFilter(renamed(map[string]string{"name": "display_name"}, name), value)
			if err != nil {
				return q, err
			}
			q.Where = append(q.Where, condition)
		}
	}
	return q, nil
}
