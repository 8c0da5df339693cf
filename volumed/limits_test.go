package volumed

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/volumed/rpc"
	"clinker/volumed/throttle"
)

// fakeThrottle is a kernel's rules, by the name of the device.
type fakeThrottle struct {
	mu    sync.Mutex
	rules map[string]throttle.Limits
	fail  error
	seen  func(device string, l throttle.Limits)
}

func (f *fakeThrottle) Set(device string, l throttle.Limits) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail
	}
	if f.seen != nil {
		f.seen(device, l)
	}
	f.rules[filepath.Base(device)] = l
	return nil
}

func (f *fakeThrottle) of(volume string) throttle.Limits {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rules["volume-"+volume]
}

func newLimitedRig(t *testing.T) (*rig, *fakeThrottle) {
	limits := &fakeThrottle{rules: map[string]throttle.Limits{}}
	r := &rig{t: t, path: filepath.Join(t.TempDir(), "journal"), dir: filepath.Join(t.TempDir(), "volumes"),
		target: newFakeTarget(), storage: &fakeStorage{}, throttle: limits}
	r.start()
	return r, limits
}

// limited is a grant with limits of the volume's generation.
func limited(attachment, host string, generation, bytes int64) rpc.Grant {
	g := grantOf(attachment, host)
	g.Limits, g.VolumeGeneration = rpc.Limits{ReadBytesSec: bytes, WriteBytesSec: bytes}, generation
	return g
}

func bytesSec(n int64) throttle.Limits { return throttle.Limits{ReadBytesSec: n, WriteBytesSec: n} }

func TestLimitsComeBeforeTheHost(t *testing.T) {
	t.Parallel()
	r, limits := newLimitedRig(t)
	v, a := r.volume(), uuid.NewString()
	limits.seen = func(device string, l throttle.Limits) {
		if !strings.HasSuffix(device, v) || l != bytesSec(5) {
			t.Errorf("%s: %+v", device, l)
		}
		if list, _ := r.target.List(t.Context()); len(list) > 0 {
			t.Error("the host was let in first")
		}
	}
	_, err := r.Grant(t.Context(), fence(a, 1), poolName, v, limited(a, "host1", 4, 5))
	r.must(err)
	limits.seen = nil
	if limits.of(v) != bytesSec(5) {
		t.Errorf("%+v", limits.of(v))
	}
}

func TestNoHostWithoutItsLimits(t *testing.T) {
	t.Parallel()
	r, limits := newLimitedRig(t)
	v, a, b := r.volume(), uuid.NewString(), uuid.NewString()
	limits.fail = errDown
	if _, err := r.Grant(t.Context(), fence(a, 1), poolName, v, limited(a, "host1", 4, 5)); err == nil {
		t.Error("granted")
	}
	if list, _ := r.target.List(t.Context()); len(list) > 0 {
		t.Error("the host is let in without its limits")
	}
	free := r.volume()
	r.attach(free, b, "host1") // nothing is promised there
}

// TestLimitsThatStay hold nobody up who wants the volume gone.
func TestLimitsThatStay(t *testing.T) {
	t.Parallel()
	r, limits := newLimitedRig(t)
	v, a := r.volume(), uuid.NewString()
	if _, err := r.Grant(t.Context(), fence(a, 1), poolName, v, limited(a, "host1", 4, 5)); err != nil {
		t.Fatal(err)
	}
	limits.fail = errDown // as when the controller has been unmounted
	r.must(r.Revoke(t.Context(), fence(a, 2), poolName, v))
	r.done(r.Destroy(t.Context(), fence(v, 5), poolName))
}

func TestLimitsReturnAfterAReboot(t *testing.T) {
	t.Parallel()
	r, limits := newLimitedRig(t)
	v, a := r.volume(), uuid.NewString()
	_, err := r.Grant(t.Context(), fence(a, 1), poolName, v, limited(a, "host1", 4, 5))
	r.must(err)
	clear(limits.rules)
	r.target.lose()
	r.restart()
	if limits.of(v) != bytesSec(5) {
		t.Errorf("%+v", limits.of(v))
	}
}

func TestLimitsOfTheNewestGenerationStay(t *testing.T) {
	t.Parallel()
	r, limits := newLimitedRig(t)
	ctx, v, a, b := t.Context(), r.volume(), uuid.NewString(), uuid.NewString()
	_, err := r.Grant(ctx, fence(a, 1), poolName, v, limited(a, "host1", 4, 5))
	r.must(err)
	r.must(r.Limit(ctx, fence(v, 6), poolName, rpc.Limits{ReadBytesSec: 9, WriteBytesSec: 9}))
	if limits.of(v) != bytesSec(9) {
		t.Errorf("changed: %+v", limits.of(v))
	}
	_, err = r.Grant(ctx, fence(b, 1), poolName, v, limited(b, "host2", 5, 5)) // read before the change
	r.must(err)
	r.must(r.Limit(ctx, fence(v, 5), poolName, rpc.Limits{}))
	if limits.of(v) != bytesSec(9) {
		t.Errorf("an older generation: %+v", limits.of(v))
	}
	r.must(r.Limit(ctx, fence(v, 7), poolName, rpc.Limits{}))
	if !limits.of(v).None() {
		t.Errorf("lifted: %+v", limits.of(v))
	}
	r.done(r.Extend(ctx, fence(v, 8), poolName, 2*size))
	if err := r.Limit(ctx, fence(v, 7), poolName, rpc.Limits{}); !fault.Is(err, fault.Stale) {
		t.Errorf("after the volume moved on: %v", err)
	}
}

func TestLimitsGoWithTheExport(t *testing.T) {
	t.Parallel()
	r, limits := newLimitedRig(t)
	ctx, v, a := t.Context(), r.volume(), uuid.NewString()
	_, err := r.Grant(ctx, fence(a, 1), poolName, v, limited(a, "host1", 4, 5))
	r.must(err)
	r.must(r.Revoke(ctx, fence(a, 2), poolName, v))
	if !limits.of(v).None() {
		t.Errorf("what nobody uses is limited: %+v", limits.of(v))
	}
	r.must(r.Limit(ctx, fence(v, 9), poolName, rpc.Limits{ReadIopsSec: 1}))
	if !limits.of(v).None() {
		t.Errorf("what is not exported was limited: %+v", limits.of(v))
	}
	r.done(r.Destroy(ctx, fence(v, 10), poolName))
}

func TestLimitsBelowZero(t *testing.T) {
	t.Parallel()
	r, _ := newLimitedRig(t)
	v, a := r.volume(), uuid.NewString()
	if err := r.Limit(t.Context(), fence(v, 2), poolName, rpc.Limits{ReadIopsSec: -1}); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	if _, err := r.Grant(t.Context(), fence(a, 1), poolName, v, limited(a, "host1", 1, -1)); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}
