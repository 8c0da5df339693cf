package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"
)

// format is the version of what is in the buckets; a file with a higher one
// was written by a later Clinker and is left alone.
const format = "1"

var (
	bucketNode    = []byte("node")    // uuid, format
	bucketFences  = []byte("fences")  // resource id → fenceRecord
	bucketTombs   = []byte("tombs")   // time, resource id → nothing
	bucketExports = []byte("exports") // volume id → Export
	bucketResults = []byte("results") // operation id → Result
	bucketEnds    = []byte("ends")    // time, operation id → nothing
	bucketKept    = []byte("kept")    // volume id → Kept
	buckets       = [][]byte{bucketNode, bucketFences, bucketTombs, bucketExports, bucketResults, bucketEnds, bucketKept}

	keyUUID   = []byte("uuid")
	keyFormat = []byte("format")
)

// Journal is an open journal. It may be used by many goroutines at once.
type Journal struct {
	db   *bbolt.DB
	uuid string

	mu      sync.Mutex
	queue   []*change         // in the order in which they were asked for
	pending map[string]Result // results that are not in the database yet
	closed  bool
	ends    int // results in the database

	wake    chan struct{} // somebody waits for the queue
	closing chan struct{}
	stopped chan struct{}
}

// Open opens the journal in a file, and makes it if there is none. It gives
// Busy when another process has it open, Invalid when the file is damaged.
func Open(path string) (*Journal, error) {
	if err := sound(path); err != nil {
		return nil, err
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:         openPatience,
		NoFreelistSync:  true,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: 64 << 20, // so that readers do not hold up the writer
		NoStatistics:    true,
	})
	if err != nil {
		return nil, explain(path, err)
	}
	j := &Journal{
		db:      db,
		pending: map[string]Result{},
		wake:    make(chan struct{}, 1),
		closing: make(chan struct{}),
		stopped: make(chan struct{}),
	}
	if err := j.prepare(path); err != nil {
		db.Close()
		return nil, fmt.Errorf("prepare the journal %s: %w", path, err)
	}
	go j.write()
	return j, nil
}

// prepare makes what a new file lacks, and has the directory remember it.
func (j *Journal) prepare(path string) error {
	if err := os.Chmod(path, 0o600); err != nil {
		return err
	}
	if err := j.db.Update(j.lay); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func (j *Journal) lay(tx *bbolt.Tx) error {
	for _, name := range buckets {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	node := tx.Bucket(bucketNode)
	switch have := string(node.Get(keyFormat)); have {
	case format:
	case "":
		if err := node.Put(keyFormat, []byte(format)); err != nil {
			return err
		}
		if err := node.Put(keyUUID, []byte(uuid.NewString())); err != nil {
			return err
		}
	default:
		return fmt.Errorf("its format %q is not known; it was written by another version", have)
	}
	j.uuid = string(node.Get(keyUUID))
	j.ends = tx.Bucket(bucketEnds).Stats().KeyN
	return nil
}

// NodeUUID gives the id that the node got on its first start.
func (j *Journal) NodeUUID() string { return j.uuid }

// Close writes what is waiting and closes the file. Later changes are refused
// with Unavailable.
func (j *Journal) Close() error {
	j.mu.Lock()
	if !j.closed {
		j.closed = true
		close(j.closing)
	}
	j.mu.Unlock()
	<-j.stopped
	return j.db.Close()
}
