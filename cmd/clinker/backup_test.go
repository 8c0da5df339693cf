package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"clinker/internal/pace"
	"clinker/volumed/backup"
)

// What a subcommand copies is bounded as a node's copies are.
func TestBackupsByHandKeepTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		conf := filepath.Join(dir, "clinker.conf")
		text := "[DEFAULT]\nstate_path = " + dir + "\nbackup_driver = posix\nvolume_copy_bps_limit = 1000000\n"
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := stored{}.withStore(t.Context(), &commands{Config: conf}, func(ctx context.Context, _ *backup.Store, container string) error {
			since := time.Now()
			err := pace.Spend(ctx, 30_000_000)
			if took := time.Since(since); took < 29*time.Second || container != "volumebackups" {
				t.Errorf("took %v in %s", took, container)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
