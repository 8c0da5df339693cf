package journal

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"clinker/internal/fault"
)

// openPatience is how long another process may take to close the file.
const openPatience = 2 * time.Second

// sound reads a journal from beginning to end. A power cut does no harm to one, but a
// disk can: bbolt then panics when it is opened to be written, in a goroutine of its own.
func sound(path string) (err error) {
	if info, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	// Of a page that the file has lost, the kernel tells by a signal.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = damaged(path, fmt.Errorf("%v", p))
		}
	}()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: openPatience})
	if err != nil {
		return explain(path, err)
	}
	defer db.Close()
	return db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
			return b.ForEach(func(_, value []byte) error { read(value); return nil })
		})
	})
}

// read has the processor look at every byte.
func read(value []byte) { crc32.ChecksumIEEE(value) }

// damaged says what there is to do.
func damaged(path string, err error) error {
	return fault.Wrap(err, fault.Invalid, "the journal %s is damaged: move the file away and start again; "+
		"a scheduler has the exports made anew, as the database has them", path)
}

// explain turns what bbolt says of a file into a fault where there is something to do.
func explain(path string, err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fault.Wrap(err, fault.Busy, "another process has the journal %s open", path)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum):
		return damaged(path, err)
	}
	return fmt.Errorf("open the journal %s: %w", path, err)
}
