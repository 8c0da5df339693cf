package load

import (
	"fmt"
	"time"
)

// create asks for a volume and waits until it is available.
func (s *session) create(w *worker) (string, error) {
	begin := time.Now()
	body, err := w.call("POST", "/volumes", s.volume())
	if err != nil {
		return "", err
	}
	id := text(body, "id")
	s.remember(id)
	w.steps.add("create accepted", begin)
	err = w.await(s.pace("create"), "/volumes/"+id, "available", s.Limit)
	w.steps.add("create until available", begin)
	return id, err
}

// delete asks for a volume's end and waits until it is gone.
func (s *session) delete(w *worker, id string) error {
	begin := time.Now()
	if _, err := w.call("DELETE", "/volumes/"+id, nil); err != nil {
		return err
	}
	w.steps.add("delete accepted", begin)
	if err := w.await(s.pace("delete"), "/volumes/"+id, gone, s.Limit); err != nil {
		return err
	}
	s.forget(id)
	w.steps.add("delete until gone", begin)
	return nil
}

// extend asks for a size, in GiB, and waits until the volume is available again.
func (s *session) extend(w *worker, id string, sizeGiB int) error {
	begin := time.Now()
	if _, err := w.call("POST", "/volumes/"+id+"/action", fmt.Appendf(nil, `{"os-extend":{"new_size":%d}}`, sizeGiB)); err != nil {
		return err
	}
	w.steps.add("extend accepted", begin)
	return w.await(s.pace("extend"), "/volumes/"+id, "available", s.Limit)
}

// snapshot makes one and deletes it.
func (s *session) snapshot(w *worker, id string) error {
	begin := time.Now()
	body, err := w.call("POST", "/snapshots", fmt.Appendf(nil, `{"snapshot":{"volume_id":%q,"name":"load"}}`, id))
	if err != nil {
		return err
	}
	path := "/snapshots/" + text(body, "id")
	if err := w.await(s.pace("snapshot"), path, "available", s.Limit); err != nil {
		return err
	}
	if _, err := w.call("DELETE", path, nil); err != nil {
		return err
	}
	err = w.await(s.pace("snapshot delete"), path, gone, s.Limit)
	w.steps.add("snapshot and its deletion", begin)
	return err
}
