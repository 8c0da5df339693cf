package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"clinker/volumed/backup"
)

type backupRecord struct {
	stored
	Project string   `placeholder:"ID" help:"Only backups that were made in that project."`
	IDs     []string `arg:"" optional:"" name:"id" help:"The backups. Default: all in the container, full ones before those that add to them."`
}

// Run is kong's. Each line is what the import command takes: the service and the
// record.
func (r backupRecord) Run(ctx context.Context, c *commands) error {
	return r.withStore(ctx, c, func(ctx context.Context, store *backup.Store, container string) error {
		all, err := r.manifests(ctx, store, container)
		if err != nil {
			return err
		}
		for _, m := range parentsFirst(all) {
			if r.Project != "" && m.Metadata["project_id"] != r.Project {
				continue
			}
			fmt.Println("clinker", recordOf(store.ID(), m))
		}
		return nil
	})
}

func (r backupRecord) manifests(ctx context.Context, store *backup.Store, container string) (all []*backup.Manifest, err error) {
	for _, id := range r.IDs {
		m, err := store.Manifest(ctx, backup.Place{ID: id, Container: container})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		all = append(all, m)
	}
	for after := ""; len(r.IDs) == 0; after = all[len(all)-1].ID {
		page, err := store.Manifests(ctx, container, after, backupsPerPage)
		if err != nil || len(page) == 0 {
			return all, err
		}
		all = append(all, page...)
	}
	return all, nil
}

// parentsFirst gives those that others add to before these.
func parentsFirst(all []*backup.Manifest) (sorted []*backup.Manifest) {
	waiting := map[string]*backup.Manifest{}
	for _, m := range all {
		waiting[m.ID] = m
	}
	var add func(m *backup.Manifest)
	add = func(m *backup.Manifest) {
		if waiting[m.ID] == nil {
			return
		}
		delete(waiting, m.ID)
		if m.Parent != nil && waiting[m.Parent.ID] != nil {
			add(waiting[m.Parent.ID])
		}
		sorted = append(sorted, m)
	}
	for _, m := range all {
		add(m)
	}
	return sorted
}

// recordOf writes the record: base64 of JSON with the names that Cinder's have. The
// project becomes that of whoever imports it.
func recordOf(store string, m *backup.Manifest) string {
	origin := json.RawMessage("{}")
	if text := m.Metadata["origin"]; json.Valid([]byte(text)) {
		origin = json.RawMessage(text)
	}
	record := map[string]any{
		"id": m.ID, "volume_id": m.VolumeID, "size": (m.Bytes + 1<<30 - 1) >> 30, "container": m.Container,
		"object_count": m.Objects, "display_name": nil, "display_description": nil, "service_metadata": nil,
		"status": "available", "driver_info": map[string]any{"store": store, "origin": origin},
	}
	if project := m.Metadata["project_id"]; project != "" {
		record["project_id"] = project
	}
	if m.Parent != nil {
		record["parent_id"] = m.Parent.ID
	}
	if key := m.Metadata["encryption_key_id"]; key != "" {
		record["encryption_key_id"] = key
	}
	text, _ := json.Marshal(record) // texts and numbers always can be
	return base64.StdEncoding.EncodeToString(text)
}
