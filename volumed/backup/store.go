package backup

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"clinker/internal/fault"
)

// Options of a Store.
type Options struct {
	Driver   Driver
	Location string // for people and for Note: posix:/srv/backups
	// KeyFile holds 32 bytes in hex that authenticate all that is stored
	// (backup_key_file). "": the store makes a key and keeps it itself, which
	// shows damage but not forgery by one who may write to the store.
	KeyFile string
	// Note is a file of this machine that remembers which store the location had,
	// so that a directory whose mount is missing is not taken for a new store. ""
	// remembers nothing.
	Note     string
	Compress bool // with zstd
	Workers  int  // chunks that one backup or restore works on at once; 6

	// ChunkBytes is how large chunks are, a power of two from 64 KiB; 0: as a volume's
	// size makes it best.
	ChunkBytes int64
	// Now is the clock; time.Now.
	Now func() time.Time
}

// Store is where a node keeps backups. It may be used by many goroutines at once,
// and several nodes may have the same one.
type Store struct {
	Options
	opening chan struct{} // has one place, for who opens it

	mu   sync.Mutex // held for no time: a store that hangs must not hang who asks for its id
	id   string     // "" until it has been opened
	keys keys
}

// identity is the object that tells one store from another.
type identity struct {
	Format int    `json:"format"`
	ID     string `json:"id"`
	Key    string `json:"key,omitempty"`   // in hex, of a store that keeps its own
	Check  string `json:"check,omitempty"` // of one that does not: what only the right key makes of the id
}

const (
	identityKey    = ".clinker/store"
	identityFormat = 1
	maxIdentity    = 4 << 10
)

// New gives a Store that nothing has been read of yet.
func New(o Options) *Store {
	if o.Workers <= 0 {
		o.Workers = defaultWorkers
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Store{Options: o, opening: make(chan struct{}, 1)}
}

// ID is the store's own; "" until Open has succeeded once. Nodes that share a
// store see the same.
func (s *Store) ID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id
}

// Open reads the store's identity, or gives a new store one. When that was done before
// it only looks whether the store is still in its place. Unavailable when the store cannot be reached or is not the
// one that was there before, Invalid when the key is not the store's.
func (s *Store) Open(ctx context.Context) error {
	if s.ID() != "" {
		return s.follow()
	}
	select {
	case s.opening <- struct{}{}:
	case <-ctx.Done():
		return fault.Wrap(ctx.Err(), fault.Timeout, "the backup store did not answer in time")
	}
	defer func() { <-s.opening }()
	if s.ID() != "" {
		return nil
	}
	id, master, err := s.read(ctx)
	if err == nil {
		err = s.note(id)
	}
	if err != nil {
		if f, ok := s.Driver.(Forgetter); ok {
			f.Forget()
		}
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys, s.id = derive(master), id
	return nil
}

// follow goes over to what lies in the store's place now, if that is the store.
func (s *Store) follow() error {
	f, ok := s.Driver.(Follower)
	if !ok {
		return nil
	}
	return f.Follow(identityKey, func(text []byte) error {
		var i identity
		if json.Unmarshal(text, &i) != nil || i.ID != s.ID() {
			return fault.New(fault.Unavailable, "the backup store is another than before: see whether the right one is mounted")
		}
		return nil
	})
}

// read gives the store's identity and the key that all others come from.
func (s *Store) read(ctx context.Context) (id string, master []byte, err error) {
	own, err := s.ownKey()
	if err != nil {
		return "", nil, err
	}
	known, err := s.noted()
	if err != nil {
		return "", nil, err
	}
	have, err := s.identify(ctx, known, own)
	if err != nil {
		return "", nil, err
	}
	if master, err = have.master(own); err != nil {
		return "", nil, err
	}
	if known != "" && known != have.ID {
		return "", nil, fault.New(fault.Unavailable, "the backup store is another than before; is the right one mounted? If so, remove %s on this node", s.Note)
	}
	return have.ID, master, nil
}

// ownKey reads the key file, nil when there is to be none.
func (s *Store) ownKey() ([]byte, error) {
	if s.KeyFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(s.KeyFile)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "backup_key_file cannot be read")
	}
	key, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(key) != keyBytes {
		return nil, fault.New(fault.Invalid, "backup_key_file does not hold %d bytes in hex; make it: openssl rand -hex %d", keyBytes, keyBytes)
	}
	return key, nil
}

// identify reads the identity. Only a store that this node has not seen gets a new
// one; of several nodes that give it one at once, the first does.
func (s *Store) identify(ctx context.Context, known string, own []byte) (identity, error) {
	have, err := s.readIdentity(ctx)
	if !fault.Is(err, fault.NotFound) {
		return have, err
	}
	if known != "" {
		return have, fault.Wrap(err, fault.Unavailable, "there is no backup store where there was one; is it mounted? If it was emptied, remove %s on this node", s.Note)
	}
	text, err := json.Marshal(newIdentity(own))
	if err != nil {
		return have, err
	}
	if err := s.Driver.Create(ctx, identityKey, text); err != nil && !fault.Is(err, fault.Conflict) {
		return have, err
	}
	return s.readIdentity(ctx)
}

func newIdentity(own []byte) identity {
	i := identity{Format: identityFormat, ID: uuid.NewString()}
	if own != nil {
		i.Check = check(own, i.ID)
		return i
	}
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	i.Key = hex.EncodeToString(key)
	return i
}

func (s *Store) readIdentity(ctx context.Context) (i identity, err error) {
	text, err := s.Driver.Get(ctx, identityKey, make([]byte, 0, maxIdentity))
	if err != nil {
		return i, err
	}
	if json.Unmarshal(text, &i) != nil || uuid.Validate(i.ID) != nil {
		return i, fault.New(fault.Unavailable, "the backup store's own record %s is damaged", identityKey)
	}
	if i.Format != identityFormat {
		return i, fault.New(fault.Unsupported, "the backup store has format %d, which is not known here", i.Format)
	}
	return i, nil
}

// master gives the key that all others come from.
func (i identity) master(own []byte) ([]byte, error) {
	key, err := hex.DecodeString(i.Key)
	switch {
	case err != nil || len(key) != keyBytes && len(key) != 0:
		return nil, fault.New(fault.Unavailable, "the backup store's own record %s is damaged", identityKey)
	case own == nil && len(key) == 0:
		return nil, fault.New(fault.Invalid, "the backup store was made with a key of its own: set backup_key_file to a copy of that")
	case own == nil:
		return key, nil
	case len(key) != 0 && !hmac.Equal(key, own):
		return nil, fault.New(fault.Invalid, "the backup store was made without backup_key_file and has another key")
	case len(key) == 0 && !hmac.Equal([]byte(i.Check), []byte(check(own, i.ID))):
		return nil, fault.New(fault.Invalid, "backup_key_file is not the key that the backup store was made with")
	}
	return own, nil
}

// noted gives the id that this node knows the location by.
func (s *Store) noted() (string, error) {
	if s.Note == "" {
		return "", nil
	}
	text, err := os.ReadFile(s.Note)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	var id, location string
	if n, _ := fmt.Sscanf(string(text), "%s %q", &id, &location); err == nil && n == 2 && location == s.Location {
		return id, nil
	}
	return "", err
}

// note remembers the id, durably: a note that a power cut made empty would have a
// directory without its mount taken for a new store.
func (s *Store) note(id string) error {
	if known, err := s.noted(); s.Note == "" || err == nil && known == id {
		return nil
	}
	f, err := os.OpenFile(s.Note+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s %q\n", id, s.Location)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), s.Note)
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(s.Note))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
