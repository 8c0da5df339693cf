package keystest

import (
	"context"
	"slices"
	"sync"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/internal/keys"
)

// Strict is a store in memory that lets a project's token alone at a project's
// keys, as Barbican does.
type Strict struct {
	mu   sync.Mutex
	keys map[string]*held
	away error
}

type held struct {
	project string
	key     *keys.Key
}

// NewStrict makes one.
func NewStrict() *Strict { return &Strict{keys: map[string]*held{}} }

var _ keys.Store = (*Strict)(nil)

// Away has every call fail with an error, until it is nil.
func (s *Strict) Away(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = err
}

// IDs are the keys of a project, "" for Clinker's own, in order.
func (s *Strict) IDs(project string) (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, h := range s.keys {
		if h.project == project {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Secrets are the passphrases of all keys.
func (s *Strict) Secrets() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.keys {
		if h.key != nil {
			all = append(all, h.key.Passphrase())
		}
	}
	return all
}

func (s *Strict) find(b keys.Bearer, id string) (*held, error) {
	h := s.keys[id]
	switch {
	case s.away != nil:
		return nil, s.away
	case h == nil:
		return nil, fault.New(fault.NotFound, "The key manager has no such key.")
	case h.project != b.ProjectID || b.ProjectID != "" && b.Token == "":
		return nil, fault.New(fault.Forbidden, "The key manager refuses the request.")
	}
	return h, nil
}

// Reserve implements keys.Store.
func (s *Strict) Reserve(_ context.Context, b keys.Bearer, _ keys.Spec) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away != nil {
		return "", s.away
	}
	id := uuid.NewString()
	s.keys[id] = &held{project: b.ProjectID}
	return id, nil
}

// Fill implements keys.Store.
func (s *Strict) Fill(_ context.Context, b keys.Bearer, id string, k keys.Key) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, err := s.find(b, id)
	if err == nil && h.key != nil {
		err = fault.New(fault.Conflict, "The key is there already.")
	}
	if err == nil {
		h.key = &k
	}
	return err
}

// Key implements keys.Store.
func (s *Strict) Key(_ context.Context, b keys.Bearer, id string) (keys.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, err := s.find(b, id)
	if err == nil && h.key == nil {
		err = fault.New(fault.NotFound, "The key manager has no such key.")
	}
	if err != nil {
		return keys.Key{}, err
	}
	return *h.key, nil
}

// Delete implements keys.Store.
func (s *Strict) Delete(_ context.Context, b keys.Bearer, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.find(b, id)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err == nil {
		delete(s.keys, id)
	}
	return err
}

// Trusted implements keys.Store.
func (s *Strict) Trusted() bool { return false }
