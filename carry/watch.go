package carry

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// News is what happened to a volume.
type News string

// The kinds of news.
const (
	Ready  News = "ready"  // the device is there: after attach, or again after a reboot
	Grown  News = "grown"  // the device has its new size
	Gone   News = "gone"   // the attachment was deleted elsewhere; the device is dead
	Failed News = "failed" // something went wrong; it is tried again next round
)

// Event is news of one volume.
type Event struct {
	News       News   `json:"news"`
	VolumeID   string `json:"volume_id"`
	VolumeName string `json:"volume_name"`
	Device     string `json:"device,omitempty"`
	SizeBytes  int64  `json:"size_bytes,omitempty"`
	Reason     string `json:"reason,omitempty"` // for Failed and Gone
}

// looksAtOnce is how many volumes are looked at side by side. A login to a storage node
// that is off takes minutes, and the volumes of others do not wait for it.
const looksAtOnce = 16

// watch remembers what was told, so that every piece of news is told once.
type watch struct {
	*Host
	slots chan struct{}
	looks sync.WaitGroup

	mu   sync.Mutex // of what follows, and held while tell is called
	tell func(Event)
	last map[string]Event // by volume
	busy map[string]bool  // volumes that are being looked at
}

func (h *Host) newWatch(tell func(Event)) *watch {
	return &watch{Host: h, slots: make(chan struct{}, looksAtOnce), tell: tell, last: map[string]Event{}, busy: map[string]bool{}}
}

// Watch looks after this machine's volumes until ctx ends: those whose session
// is missing (after a reboot, or a crash in the middle of attach) are
// attached again, those that have grown are rescanned, and tell hears of it, one piece
// of news at a time. The volumes are those with a state file; attach and detach may
// run meanwhile.
func (h *Host) Watch(ctx context.Context, tell func(Event)) error {
	w := h.newWatch(tell)
	defer w.looks.Wait()
	ticker := time.NewTicker(h.options.Interval)
	defer ticker.Stop()
	for {
		if err := w.round(ctx); err != nil {
			slog.WarnContext(ctx, "the state files cannot be read", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// round looks at every volume that is not being looked at since an earlier round. It
// returns when all have been seen, or after the interval.
func (w *watch) round(ctx context.Context) error {
	all, err := w.states.All()
	if err != nil {
		return err
	}
	present := map[string]bool{}
	var mine sync.WaitGroup
	for _, state := range all {
		present[state.VolumeID] = true
		if state.Step == Detaching || !w.begin(state.VolumeID) {
			continue // somebody wants it gone, or is at it
		}
		mine.Add(1)
		w.looks.Go(func() {
			defer mine.Done()
			defer w.end(state.VolumeID)
			w.lookAt(ctx, state)
		})
	}
	w.forgetBut(present)
	w.waitFor(&mine)
	return nil
}

// begin is false while the volume is looked at.
func (w *watch) begin(volumeID string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy[volumeID] {
		return false
	}
	w.busy[volumeID] = true
	return true
}

func (w *watch) end(volumeID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.busy, volumeID)
}

// forgetBut forgets what was told of volumes that are not here any more.
func (w *watch) forgetBut(present map[string]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.last {
		if !present[id] {
			delete(w.last, id)
		}
	}
}

// waitFor waits for a round's looks, for an interval at most.
func (w *watch) waitFor(looks *sync.WaitGroup) {
	done := make(chan struct{})
	go func() { defer close(done); looks.Wait() }()
	timer := time.NewTimer(w.options.Interval)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// lookAt looks at one volume and tells what there is to tell.
func (w *watch) lookAt(ctx context.Context, state State) {
	select {
	case w.slots <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-w.slots }()
	event, err := w.look(ctx, state)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		event = Event{News: Failed, VolumeID: state.VolumeID, VolumeName: state.VolumeName, Reason: reason(err)}
		slog.WarnContext(ctx, "watch", "volume", state.VolumeID, "error", err)
	}
	w.hear(event)
}

// hear passes news on, once. A device that is there with another size than
// last time has grown, whoever made the kernel notice.
func (w *watch) hear(event Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last, known := w.last[event.VolumeID]
	if event.News == "" || known && last == event {
		return
	}
	if known && last.alive() && event.alive() && last.Device == event.Device {
		if last.SizeBytes == event.SizeBytes {
			return
		}
		event.News = Grown
	}
	w.last[event.VolumeID] = event
	w.tell(event)
}

func (e Event) alive() bool { return e.News == Ready || e.News == Grown }
