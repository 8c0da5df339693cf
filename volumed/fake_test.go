package volumed

import (
	"context"
	"slices"
	"sync"

	"clinker/internal/fault"
	"clinker/volumed/backend"
	"clinker/volumed/diskio"
	"clinker/volumed/target"
)

const prefix = "iqn.2010-10.org.openstack:"

// fakeTarget is a target with logins, in memory. It outlives a server as a
// kernel's or a daemon's target does.
type fakeTarget struct {
	mu       sync.Mutex
	exports  map[string]target.Export
	sessions map[string][]string // IQN → initiators
	fail     func(method, iqn string) error
	applied  int
}

func newFakeTarget() *fakeTarget {
	return &fakeTarget{
		exports:  map[string]target.Export{},
		sessions: map[string][]string{},
		fail:     func(string, string) error { return nil },
	}
}

func (*fakeTarget) Traits() target.Traits {
	return target.Traits{StorageProtocol: "iSCSI", DriverVolumeType: "iscsi"}
}

func (f *fakeTarget) Apply(_ context.Context, e target.Export) (target.Address, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := e.Check(prefix); err != nil {
		return target.Address{}, err
	}
	if err := f.fail("apply", e.IQN); err != nil {
		return target.Address{}, err
	}
	f.applied++
	f.exports[e.IQN] = e
	f.cut(e)
	return target.Address{Portals: []string{"127.0.0.1:3260"}, LUN: 1}, nil
}

func (f *fakeTarget) cut(e target.Export) {
	f.sessions[e.IQN] = slices.DeleteFunc(f.sessions[e.IQN], func(initiator string) bool {
		return !slices.ContainsFunc(e.Grants, func(g target.Grant) bool { return g.Initiator == initiator })
	})
}

func (f *fakeTarget) Remove(_ context.Context, iqn string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fail("remove", iqn); err != nil {
		return err
	}
	delete(f.exports, iqn)
	delete(f.sessions, iqn)
	return nil
}

func (f *fakeTarget) List(context.Context) ([]target.Export, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []target.Export
	for _, e := range f.exports {
		e.Grants = slices.Clone(e.Grants)
		for i := range e.Grants {
			e.Grants[i].Password = ""
		}
		all = append(all, e)
	}
	return all, nil
}

// login is what an initiator does; false when it is not let in.
func (f *fakeTarget) login(iqn, initiator, username string, password target.Secret) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, g := range f.exports[iqn].Grants {
		if g.Initiator == initiator && g.Username == username && g.Password == password {
			f.sessions[iqn] = append(f.sessions[iqn], initiator)
			return true
		}
	}
	return false
}

func (f *fakeTarget) session(iqn, initiator string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.sessions[iqn], initiator)
}

// lose is a daemon that died and came back empty.
func (f *fakeTarget) lose() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.exports)
	clear(f.sessions)
}

func (f *fakeTarget) setFail(fail func(method, iqn string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = fail
}

// fakeStorage is a backend with hooks.
type fakeStorage struct {
	backend.Backend
	before func(ctx context.Context, method, name string) error
	copy   func(ctx context.Context, progress func(int64)) error
}

func (f *fakeStorage) hook(ctx context.Context, method, name string) error {
	if f.before == nil {
		return nil
	}
	return f.before(ctx, method, name)
}

func (f *fakeStorage) Create(ctx context.Context, name string, size int64) error {
	if err := f.hook(ctx, "create", name); err != nil {
		return err
	}
	return f.Backend.Create(ctx, name, size)
}

func (f *fakeStorage) Clone(ctx context.Context, source, name string, size int64, progress func(int64)) error {
	if f.copy != nil {
		if err := f.copy(ctx, progress); err != nil {
			return err
		}
	}
	return f.Backend.Clone(ctx, source, name, size, progress)
}

func (f *fakeStorage) Device(ctx context.Context, name string) (string, error) {
	if err := f.hook(ctx, "device", name); err != nil {
		return "", err
	}
	return f.Backend.Device(ctx, name)
}

// idle is a node without disks.
type idle struct{}

func (idle) Read([]string) diskio.IO { return diskio.IO{BusyShare: 0.25, OperationsPerSecond: 3} }

var errDown = fault.New(fault.Unavailable, "the daemon does not answer")
