package lio

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"golang.org/x/sys/unix"

	"clinker/testbed/guest"
	"clinker/volumed/target"
	"clinker/volumed/target/targettest"
)

const portal = "127.0.0.1:3260"

func suite(t *testing.T) targettest.Suite {
	guest.Require(t)
	if err := Available(); err != nil {
		t.Fatal(err)
	}
	return targettest.Suite{
		Prefix: prefix,
		Open: func(t *testing.T, prefix string) target.Target {
			return New(Options{Portals: []string{portal}, Prefix: prefix})
		},
		Initiator:     targettest.NewOpenISCSI(t),
		Device:        targettest.LogicalVolume,
		Sessions:      sessionsOf,
		Interruptions: interruptions(),
	}
}

// TestConformance exports logical volumes.
func TestConformance(t *testing.T) { targettest.Run(t, suite(t)) }

// TestConformanceFiles exports files: the cases in which they differ.
func TestConformanceFiles(t *testing.T) {
	s := suite(t)
	s.Device = targettest.FileDevice(nil)
	targettest.Run(t, s, "Login", "ReadOnlyAndWritable", "ApplyAgain", "Grow", "GrowUnderLoad", "RemoveWithSession", "List")
}

var sessionID = regexp.MustCompile(`LIO Session ID: (\d+)`)

// sessionsOf asks the kernel who is logged in.
func sessionsOf(t *testing.T, iqn string) []string {
	t.Helper()
	infos, err := filepath.Glob(filepath.Join(DefaultRoot, "iscsi", iqn, "tpgt_1/acls/*/info"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, path := range infos {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range sessionID.FindAllSubmatch(b, -1) {
			all = append(all, fmt.Sprintf("%s %s", filepath.Base(filepath.Dir(path)), m[1]))
		}
	}
	return all
}

// interruptions breaks Apply and Remove off after some of their operations;
// TestBrokenOff does so after each, but has no kernel.
func interruptions() []targettest.Interruption {
	var all []targettest.Interruption
	for _, n := range []int{1, 3, 6, 9, 12, 15, 18, 21} {
		all = append(all, targettest.Interruption{Name: fmt.Sprintf("Apply%d", n), Make: func(t *testing.T, e target.Export) {
			tg := New(Options{Portals: []string{portal}, Prefix: prefix})
			tg.fs = &counted{configfs: tg.fs, budget: n}
			if _, err := tg.Apply(t.Context(), e); err == nil {
				t.Fatalf("%d operations were enough", n)
			}
		}})
	}
	for _, n := range []int{1, 3, 6, 9, 12} {
		all = append(all, targettest.Interruption{Name: fmt.Sprintf("Remove%d", n), Make: func(t *testing.T, e target.Export) {
			tg := New(Options{Portals: []string{portal}, Prefix: prefix})
			if _, err := tg.Apply(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			tg.fs = &counted{configfs: tg.fs, budget: n}
			if err := tg.Remove(t.Context(), e.IQN); err == nil {
				t.Fatalf("%d operations were enough", n)
			}
		}})
	}
	return all
}

// counted lets so many operations happen and fails from there on.
type counted struct {
	configfs
	budget int
}

func (c *counted) spend() error {
	if c.budget == 0 {
		return unix.EIO
	}
	c.budget--
	return nil
}

func (c *counted) write(path, value string) error {
	if err := c.spend(); err != nil {
		return err
	}
	return c.configfs.write(path, value)
}

func (c *counted) mkdir(path string) error {
	if _, err := os.Lstat(filepath.Join(DefaultRoot, path)); err == nil {
		return nil
	}
	if err := c.spend(); err != nil {
		return err
	}
	return c.configfs.mkdir(path)
}

func (c *counted) rmdir(path string) error {
	if _, err := os.Lstat(filepath.Join(DefaultRoot, path)); err != nil {
		return nil
	}
	if err := c.spend(); err != nil {
		return err
	}
	return c.configfs.rmdir(path)
}

func (c *counted) link(to, path string) error {
	if err := c.spend(); err != nil {
		return err
	}
	return c.configfs.link(to, path)
}

func (c *counted) unlink(path string) error {
	if err := c.spend(); err != nil {
		return err
	}
	return c.configfs.unlink(path)
}
