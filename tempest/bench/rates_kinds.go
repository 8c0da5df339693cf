package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/backups"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
)

// kinds are what is compared. The copies of volumes are all of one, made of the
// raw image, and so are the programs' of its file.
func (r *ratesCloud) kinds(ctx context.Context) ([]copyKind, error) {
	source, err := r.ofImage(ctx, "raw")
	if err != nil {
		return nil, err
	}
	v, err := volumes.Get(ctx, r.client, source).Extract()
	if err != nil {
		return nil, err
	}
	home := r.nodes[0]
	if v.Host != "node1@file#file" {
		home = r.nodes[1]
	}
	file := filepath.Join(home, "volume-"+source)
	backup, err := r.backUp(ctx, source)
	if err != nil {
		return nil, err
	}
	image := func(format string) func(context.Context) (string, error) {
		return func(ctx context.Context) (string, error) { return r.ofImage(ctx, format) }
	}
	return []copyKind{
		{"raw image to volume", "raw", r.images.files["raw"], image("raw"), r.drop},
		{"qcow2 image to volume", "qcow2", r.images.files["qcow2"], image("qcow2"), r.drop},
		{"clone", "raw", file, func(ctx context.Context) (string, error) {
			return r.create(ctx, volumes.CreateOpts{SourceVolID: source})
		}, r.drop},
		{"backup", "raw", file, func(ctx context.Context) (string, error) { return r.backUp(ctx, source) }, r.dropBackup},
		{"restore", "raw", file, func(ctx context.Context) (string, error) { return r.create(ctx, volumes.CreateOpts{BackupID: backup}) }, r.drop},
		{"migration", "raw", file, func(ctx context.Context) (string, error) { return r.move(ctx, source) }, func(ctx context.Context, _ string) error {
			_, err := r.move(ctx, source) // and back: the programs copy from where it was
			return err
		}},
	}, nil
}

func (r *ratesCloud) ofImage(ctx context.Context, format string) (string, error) {
	return r.create(ctx, volumes.CreateOpts{ImageID: imageIDs[format]})
}

// create makes a volume and waits until it is available.
func (r *ratesCloud) create(ctx context.Context, o volumes.CreateOpts) (string, error) {
	o.Size = r.size
	v, err := volumes.Create(ctx, r.client, o, nil).Extract()
	if err != nil {
		return "", err
	}
	return v.ID, r.await(ctx, v.ID, "available", nil)
}

// await waits until a volume has the status, and what else is wanted of it.
func (r *ratesCloud) await(ctx context.Context, id, status string, also func(*volumes.Volume) bool) error {
	return await(ctx, func() (bool, error) {
		v, err := volumes.Get(ctx, r.client, id).Extract()
		if status == "" && gophercloud.ResponseCodeIs(err, 404) {
			return true, nil
		}
		if err == nil && (v.Status == "error" || v.Status == "error_deleting") {
			err = fmt.Errorf("the volume is in %s: %s", v.Status, tail(filepath.Join(r.dir, "scheduler.log")))
		}
		return err == nil && v.Status == status && (also == nil || also(v)), err
	})
}

func (r *ratesCloud) drop(ctx context.Context, id string) error {
	if err := volumes.Delete(ctx, r.client, id, nil).ExtractErr(); err != nil {
		return err
	}
	return r.await(ctx, id, "", nil)
}

func (r *ratesCloud) backUp(ctx context.Context, volume string) (string, error) {
	b, err := backups.Create(ctx, r.client, backups.CreateOpts{VolumeID: volume}).Extract()
	if err != nil {
		return "", err
	}
	return b.ID, await(ctx, func() (bool, error) {
		b, err := backups.Get(ctx, r.client, b.ID).Extract()
		if err == nil && b.Status == "error" {
			err = fmt.Errorf("the backup is in error: %s", b.FailReason)
		}
		return err == nil && b.Status == "available", err
	})
}

func (r *ratesCloud) dropBackup(ctx context.Context, id string) error {
	if err := backups.Delete(ctx, r.client, id).ExtractErr(); err != nil {
		return err
	}
	return await(ctx, func() (bool, error) {
		_, err := backups.Get(ctx, r.client, id).Extract()
		if gophercloud.ResponseCodeIs(err, 404) {
			return true, nil
		}
		return false, err
	})
}

// move brings a volume to the other node.
func (r *ratesCloud) move(ctx context.Context, id string) (string, error) {
	v, err := volumes.Get(ctx, r.client, id).Extract()
	if err != nil {
		return "", err
	}
	to := map[string]string{"node1@file#file": "node2@file#file", "node2@file#file": "node1@file#file"}[v.Host]
	body := map[string]any{"os-migrate_volume": map[string]any{"host": to, "force_host_copy": false, "lock_volume": true}}
	if _, err := r.client.Post(ctx, r.client.ServiceURL("volumes", id, "action"), body, nil, &gophercloud.RequestOpts{OkCodes: []int{202}}); err != nil {
		return "", err
	}
	return id, r.await(ctx, id, "available", func(v *volumes.Volume) bool { return v.Host == to })
}

// await repeats a look until it has seen what it looks for, for ten minutes at most.
func await(ctx context.Context, look func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if done, err := look(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
