package builtin

import (
	"sync"
	"time"
)

// revoked remembers the audit ids of revoked tokens until these would have
// expired anyway. Only a holder of a valid token can add one, and a login costs
// a bcrypt, which bounds it.
type revoked struct {
	mu    sync.RWMutex
	until map[string]time.Time
	sweep time.Time // when to drop the expired next
}

func (r *revoked) add(auditID string, expires time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until == nil {
		r.until = map[string]time.Time{}
	}
	if now := time.Now(); now.After(r.sweep) {
		for id, t := range r.until {
			if now.After(t) {
				delete(r.until, id)
			}
		}
		r.sweep = now.Add(time.Minute)
	}
	r.until[auditID] = expires
}

func (r *revoked) has(auditID string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, ok := r.until[auditID]
	return ok
}
