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
	special: map[string]func(*Call, string) ([]db.Condition, error){
		"metadata": func(_ *Call, value string) ([]db.Condition, error) {
			pairs, err := dict("metadata", value)
			return []db.Condition{db.BackupHas(pairs)}, err
		},
		"project_id": func(c *Call, value string) ([]db.Condition, error) {
			if all, err := c.allProjects(); err != nil || !all {
				return nil, err
			}
			return []db.Condition{db.BackupsOf(value)}, nil
		},
	},
}

// backupQuery reads a list's query and tells whether the total is wanted too.
// Sorting by name is from 3.37; before, the key is display_name.
func (c *Call) backupQuery() (q db.Query, withCount bool, err error) {
	var rename map[string]string
	if c.Since(37) {
		rename = map[string]string{"name": "display_name"}
	}
	if q, err = c.page(rename); err != nil {
		return q, false, err
	}
	spec := backupFilters
	if c.Since(45) {
		spec.skip = []string{"with_count"}
		if withCount, err = c.boolean("with_count", false); err != nil {
			return q, false, err
		}
	}
	if q.Where, err = c.filters(spec); err != nil {
		return q, false, err
	}
	all, err := c.allProjects()
	if all {
		q.Where = append(q.Where, db.EveryBackup)
	} else {
		q.Where = append(q.Where, db.BackupsOf(c.Identity.ProjectID))
	}
	return q, withCount, err
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
	q, withCount, err := c.backupQuery()
	if err != nil {
		return nil, err
	}
	if err := c.takeTurn(q.Limit); err != nil {
		return nil, err
	}
	found, err := c.database().Backups(c.Context(), q)
	if err != nil {
		return nil, err
	}
	total := 0
	if withCount {
		if total, err = c.database().CountBackups(c.Context(), q); err != nil {
			return nil, err
		}
	}
	return func(o object) {
		objects(o, "backups", found, view)
		if len(found) > 0 {
			c.next(o, "backups_links", path, q, len(found), found[len(found)-1].ID)
		}
		if withCount {
			o.int("count", total)
		}
	}, nil
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
