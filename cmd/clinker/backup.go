package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/internal/pace"
	"clinker/volumed/backup"
)

// backupCommand works on the store that the configuration of a storage node names,
// and on nothing else: it is for the day on which there is no database.
type backupCommand struct {
	List    backupList    `cmd:"" help:"List the whole backups in a container."`
	Verify  backupVerify  `cmd:"" help:"Read all that backups consist of, and verify it."`
	Restore backupRestore `cmd:"" help:"Write a backup to a file, or over a device."`
	Record  backupRecord  `cmd:"" help:"Print the record that openstack volume backup record import takes, made of what the store knows."`
}

// backupsPerPage is how many are read at once.
const backupsPerPage = 100

// stored is the container of a subcommand.
type stored struct {
	Container string `placeholder:"NAME" help:"The container. Default: backup_container."`
}

// withStore opens the store and runs what a subcommand is to do with it, as fast as
// volume_copy_bps_limit lets one process copy.
func (s stored) withStore(ctx context.Context, c *commands, do func(ctx context.Context, store *backup.Store, container string) error) error {
	cfg, err := c.load(ctx)
	if err != nil {
		return err
	}
	b, err := newBackups(cfg)
	if err != nil {
		return err
	}
	if b == nil {
		return fault.New(fault.Invalid, "[DEFAULT] backup_driver is none: this configuration names no backup store")
	}
	if err := b.Store.Open(ctx); err != nil {
		return err
	}
	if s.Container == "" {
		s.Container = b.Container
	}
	return do(pace.With(ctx, pace.New(cfg.VolumeCopyBPSLimit).Copy()), b.Store, s.Container)
}

type backupList struct {
	stored
	JSON bool `name:"json" help:"Print JSON, one backup a line."`
}

// Run is kong's.
func (l backupList) Run(ctx context.Context, c *commands) error {
	return l.withStore(ctx, c, func(ctx context.Context, store *backup.Store, container string) error {
		w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
		if !l.JSON {
			fmt.Fprintln(w, "ID\tVOLUME\tCREATED\tGIB\tSTORED MIB\tADDS TO\tPROJECT")
		}
		for after := ""; ; {
			page, err := store.Manifests(ctx, container, after, backupsPerPage)
			if err != nil || len(page) == 0 {
				return errors.Join(err, w.Flush())
			}
			for _, m := range page {
				if err := l.print(w, m); err != nil {
					return err
				}
			}
			after = page[len(page)-1].ID
		}
	})
}

func (l backupList) print(w io.Writer, m *backup.Manifest) error {
	if l.JSON {
		told := *m
		told.Table = nil // digests of no use to anybody
		return json.NewEncoder(w).Encode(told)
	}
	parent := "-"
	if m.Parent != nil {
		parent = m.Parent.ID
	}
	_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%s\n", m.ID, m.VolumeID, time.Unix(m.CreatedAt, 0).UTC().Format(time.DateTime),
		m.Bytes>>30, m.StoredBytes>>20, parent, cmp.Or(m.Metadata["project_id"], "-"))
	return err
}

type backupVerify struct {
	stored
	IDs []string `arg:"" name:"id" help:"The backups."`
}

// Run is kong's. It looks at all of them, and fails if one is damaged.
func (v backupVerify) Run(ctx context.Context, c *commands) error {
	return v.withStore(ctx, c, func(ctx context.Context, store *backup.Store, container string) error {
		var failed error
		for _, id := range v.IDs {
			err := store.Verify(ctx, backup.Place{ID: id, Container: container}, func(int64) {})
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("%s: %w", id, err))
				continue
			}
			fmt.Println(id, "is whole")
		}
		return failed
	})
}

type backupRestore struct {
	stored
	ID   string `arg:"" help:"The backup."`
	Path string `arg:"" help:"A file that there is not yet, or a block device, which is written over."`
}

// Run is kong's.
func (r backupRestore) Run(ctx context.Context, c *commands) error {
	return r.withStore(ctx, c, func(ctx context.Context, store *backup.Store, container string) error {
		place := backup.Place{ID: r.ID, Container: container}
		m, err := store.Manifest(ctx, place)
		if err != nil {
			return err
		}
		blank, err := r.prepare(m.Bytes)
		if err != nil {
			return err
		}
		err = store.Restore(ctx, place, backup.Target{Path: r.Path, Bytes: m.Bytes, Blank: blank, Progress: func(int64) {}})
		if err != nil && blank {
			err = errors.Join(err, os.Remove(r.Path)) // nobody shall take it for the volume
		}
		return err
	})
}

// prepare makes the file; blank tells that it did. A device must be long enough.
func (r backupRestore) prepare(bytes int64) (blank bool, err error) {
	if info, err := os.Stat(r.Path); err == nil && info.Mode()&os.ModeDevice != 0 {
		device, err := os.OpenFile(r.Path, os.O_RDWR|os.O_EXCL, 0) // fails while something has it mounted
		if errors.Is(err, unix.EBUSY) {
			err = fault.New(fault.Conflict, "%s is in use: unmount it, or take away what else holds it", r.Path)
		}
		if err != nil {
			return false, err
		}
		defer device.Close()
		have, err := device.Seek(0, io.SeekEnd)
		if err == nil && have < bytes {
			err = fault.New(fault.Invalid, "%s has %d bytes, and the backup %d", r.Path, have, bytes)
		}
		return false, err
	}
	f, err := os.OpenFile(r.Path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		err = fault.New(fault.Conflict, "%s is there already: name a file that there is not yet, or a block device", r.Path)
	}
	if err != nil {
		return false, err
	}
	return true, errors.Join(f.Truncate(bytes), f.Close())
}
