package lvm

import "sync"

// nameSet is a set of names, for many goroutines. It is empty at first.
type nameSet struct {
	mutex sync.Mutex
	names map[string]bool
}

func (s *nameSet) add(name string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.names == nil {
		s.names = map[string]bool{}
	}
	s.names[name] = true
}

func (s *nameSet) remove(name string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.names, name)
}

func (s *nameSet) has(name string) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.names[name]
}
