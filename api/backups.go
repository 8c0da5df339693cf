package api

import (
	"net/http"

	"clinker/db"
)

func init() { register(backupRoutes) }

// backupRoutes are /backups and /backups/{id}; what starts work is in the
// backup_*.go files.
func backupRoutes(s *Server) []Route {
	const items, item = "/backups", "/backups/:backup_id"
	return []Route{
		{Name: "backups.list", Method: "GET", Path: items, Status: http.StatusOK,
			Policy: []string{"backup:get_all"}, Handler: s.listBackups},
		{Name: "backups.detail", Method: "GET", Path: items + "/detail", Status: http.StatusOK,
			Policy: []string{"backup:get_all"}, Handler: s.detailBackups},
		{Name: "backups.create", Method: "POST", Path: items, Status: http.StatusAccepted,
			Policy: []string{"volume:get", "backup:create"}, Object: true, Handler: s.createBackup},
		{Name: "backups.show", Method: "GET", Path: item, Status: http.StatusOK,
			Policy: []string{"backup:get"}, Object: true, Handler: s.showBackup},
		{Name: "backups.update", Method: "PUT", Path: item, Since: 9, Status: http.StatusOK,
			Policy: []string{"backup:update"}, Object: true, Handler: s.updateBackup},
		{Name: "backups.delete", Method: "DELETE", Path: item, Status: http.StatusAccepted,
			Policy: []string{"backup:get", "backup:delete"}, Object: true, Handler: s.deleteBackup},
		{Name: "backups.restore", Method: "POST", Path: item + "/restore", Status: http.StatusAccepted,
			Policy: []string{"backup:get", "backup:restore"}, Object: true, Handler: s.restoreBackup},
		{Name: "backups.export", Method: "GET", Path: item + "/export_record", Status: http.StatusOK,
			Policy: []string{"backup:get", "backup:export-import"}, Object: true, Handler: s.exportBackup},
		{Name: "backups.import", Method: "POST", Path: items + "/import_record", Status: http.StatusCreated,
			Policy: []string{"backup:backup-import"}, Handler: s.importBackup},
	}
}

// backup reads the backup that the path names and asks the policy about it.
func (c *Call) backup() (db.Backup, error) {
	b, err := c.database().Backup(c.Context(), c.Param("backup_id"), c.Scope())
	if err != nil {
		return b, err
	}
	return b, c.Allow(backupOwner(b))
}

func backupOwner(b db.Backup) Owner { return Owner{b.ProjectID, b.UserID} }

var backupFilters = filterSpec{
	resource: "backup",
	rename:   volumeRename,
	equal:    db.BackupFilter,
	like:     db.BackupLike,
	of:       db.BackupsOf,
	every:    &db.EveryBackup,
	special: map[string]func(*Call, string) ([]db.Condition, error){
		"metadata": dictFilter("metadata", db.BackupHas),
	},
}

func (s *Server) listBackups(c *Call) (View, error) {
	return c.backupList("/backups", c.backupSummary)
}

func (s *Server) detailBackups(c *Call) (View, error) {
	owned := c.Can(backupOwnership, c.caller())
	return c.backupList("/backups/detail", func(o object, b db.Backup) { c.backupDetail(o, b, owned) })
}

// backupList runs at most two statements: the page and the count.
func (c *Call) backupList(path string, view func(object, db.Backup)) (View, error) {
	q, withCount, err := c.countedQuery(backupFilters, c.sortedByName(37))
	if err != nil {
		return nil, err
	}
	found, total, err := counted(c, q, withCount, c.database().Backups, c.database().CountBackups)
	return func(o object) {
		objects(o, "backups", found, view)
		if len(found) > 0 {
			c.next(o, "backups_links", path, q, len(found), found[len(found)-1].ID)
		}
		total(o)
	}, err
}

func (s *Server) showBackup(c *Call) (View, error) {
	b, err := c.backup()
	if err != nil {
		return nil, err
	}
	if b, err = c.withProgress(b); err != nil {
		return nil, err
	}
	owned := c.Can(backupOwnership, backupOwner(b))
	return func(o object) {
		o.object("backup", func(o object) { c.backupDetail(o, b, owned) })
	}, nil
}

func (s *Server) updateBackup(c *Call) (View, error) {
	b, err := c.backup()
	if err != nil {
		return nil, err
	}
	var in struct {
		Backup struct {
			Name        given[trimmed]      `json:"name"`
			Description given[trimmed]      `json:"description"`
			Metadata    given[db.StringMap] `json:"metadata"`
		} `json:"backup"`
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	set := map[string]any{}
	if in.Backup.Name.is {
		set["name"] = in.Backup.Name.value.optional()
	}
	if in.Backup.Description.is {
		set["description"] = in.Backup.Description.value.optional()
	}
	if in.Backup.Metadata.value != nil {
		set["metadata"] = *in.Backup.Metadata.value
	}
	if len(set) > 0 {
		err = c.tx(func(tx *db.Tx) error {
			b, err = tx.UpdateBackup(c.Context(), b.ID, set)
			return err
		})
	}
	return c.backupAnswer(b), err
}
