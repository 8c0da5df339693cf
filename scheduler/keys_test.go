package scheduler_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/db/dbtest"
	"clinker/internal/fault"
	"clinker/internal/keys"
	"clinker/internal/keys/keystest"
	"clinker/scheduler"
	"clinker/scheduler/nodetest"
)

// owner is the project that the volumes of these tests are of.
var owner = keys.Bearer{Token: "t", ProjectID: "p", UserID: "u"}

// newKeyRig is an image rig with a key store that lets nobody but a project's
// token at its keys, as Barbican does.
func newKeyRig(t *testing.T) (*rig, *nodetest.Node, *keystest.Strict) {
	r, node, _ := newImageRig(t)
	store := keystest.NewStrict()
	r.adjust = func(adjust func(*scheduler.Options)) func(*scheduler.Options) {
		return func(o *scheduler.Options) {
			adjust(o)
			o.Keys, o.Jobs.Keys, o.Quiet = store, store, time.Millisecond
		}
	}(r.adjust)
	return r, node, store
}

// noted makes a key as the API does, and keeps it for an owner unless that is "".
func (r *rig) noted(store keys.Store, b keys.Bearer, use, ownerID string, k keys.Key) string {
	r.Helper()
	id, err := store.Reserve(r.Context(), b, keys.Spec{Name: "key", Algorithm: "aes", Bits: k.Bits()})
	if err == nil {
		err = r.db.NoteKey(r.Context(), id, b.ProjectID, use)
	}
	if err == nil {
		err = store.Fill(r.Context(), b, id, k)
	}
	if err == nil && ownerID != "" {
		err = r.db.Tx(r.Context(), func(tx *db.Tx) error { tx.KeepKey(id, ownerID); return nil })
	}
	if err != nil {
		r.Fatal(err)
	}
	return id
}

// sealed asks for a volume of an image, of an encrypted type.
func (r *rig) sealed(store *keystest.Strict, work bool) (db.Volume, keys.Key) {
	r.Helper()
	kind := r.kind("sealed-"+uuid.NewString(), nil)
	cipher, bits := "aes-xts-plain64", 256
	if err := r.db.Tx(r.Context(), func(tx *db.Tx) error {
		return tx.InsertTypeEncryption(r.Context(), &db.TypeEncryption{VolumeTypeID: kind.ID, EncryptionID: uuid.NewString(), Provider: "luks",
			ControlLocation: "front-end", Cipher: &cipher, KeySize: &bits})
	}); err != nil {
		r.Fatal(err)
	}
	k, err := keys.New(keys.Spec{Algorithm: "aes", Bits: bits})
	if err != nil {
		r.Fatal(err)
	}
	image := uuid.NewString()
	return r.request(1, func(v *db.Volume, _ *db.VolumeCreateArgs) {
		id := r.noted(store, owner, db.KeyOfVolume, v.ID, k)
		if work {
			r.noted(store, keys.Service, db.KeyForWork, v.ID, k)
		}
		v.ImageID, v.VolumeTypeID, v.VolumeType, v.EncryptionKeyID = &image, kind.ID, kind.Name, &id
	}), k
}

// A node gets what it needs to write an image encrypted, and the copy of the key
// that was made for that goes.
func TestEncryptedVolumeOfImage(t *testing.T) {
	r, node, store := newKeyRig(t)
	r.start()
	asked, k := r.sealed(store, true)
	v := r.rests(asked.ID, "available")
	if got := node.Volumes()[v.ID].Content; !strings.HasSuffix(got, " in luks1 under "+k.Passphrase()) {
		t.Errorf("the volume is not encrypted with its key: %d bytes", len(got))
	}
	if _, err := r.db.DropUnwantedKeys(t.Context(), time.Hour, 0, 10); err != nil {
		t.Fatal(err)
	}
	r.eventually("the copy of the key goes", func() bool { return len(store.IDs("")) == 0 })
	if len(store.IDs("p")) != 1 {
		t.Error("the volume's key went too")
	}
}

// A volume that is to be encrypted by whoever attaches it is asked for blank.
func TestEncryptedVolumeIsBlank(t *testing.T) {
	r, node, store := newKeyRig(t)
	r.start()
	k, err := keys.New(keys.Spec{Algorithm: "aes", Bits: 256})
	if err != nil {
		t.Fatal(err)
	}
	for _, encrypted := range []bool{true, false} {
		v := r.request(1, func(v *db.Volume, _ *db.VolumeCreateArgs) {
			if encrypted {
				id := r.noted(store, owner, db.KeyOfVolume, v.ID, k)
				v.EncryptionKeyID = &id
			}
		})
		r.rests(v.ID, "available")
		if node.Volumes()[v.ID].Blank != encrypted {
			t.Errorf("encrypted %v: %+v", encrypted, node.Volumes()[v.ID])
		}
	}
}

// Without its key no volume is made, and none that is not encrypted.
func TestEncryptedVolumeWithoutKey(t *testing.T) {
	r, node, store := newKeyRig(t)
	r.start()
	asked, _ := r.sealed(store, false) // the store lets nobody but the project read it
	v := r.rests(asked.ID, "error")
	if len(node.Volumes()) != 0 {
		t.Error("there is a volume all the same")
	}
	told := dbtest.Rows(r, r.db, "SELECT detail FROM messages WHERE resource_uuid = $1", v.ID)
	if len(told) != 1 || !strings.Contains(told[0], "key cannot be read") {
		t.Errorf("told %q", told)
	}
}

// Whatever a killed request has left, its keys go, also while the store is away
// for a time; what the store does not let go of stays known.
func TestOrphanKeys(t *testing.T) {
	r, _, store := newKeyRig(t)
	k, err := keys.New(keys.Spec{Algorithm: "aes", Bits: 256})
	if err != nil {
		t.Fatal(err)
	}
	ours := r.noted(store, keys.Service, db.KeyOfVolume, "", k)               // killed before its row
	gone := r.noted(store, keys.Service, db.KeyOfVolume, uuid.NewString(), k) // of a row that is no more
	theirs := r.noted(store, owner, db.KeyOfVolume, uuid.NewString(), k)      // which only they may delete
	kept := r.noted(store, keys.Service, db.KeyOfImage, uuid.NewString(), k)  // somebody else's
	if _, err := r.db.Pool().Exec(t.Context(), "UPDATE kept_keys SET changed_at = now() - interval '1 day'"); err != nil {
		t.Fatal(err)
	}
	store.Away(fault.New(fault.Unavailable, "The key manager does not answer."))
	s, err := scheduler.New(scheduler.Options{DB: r.db, Nodes: r.network, Host: "control", Keys: store})
	if err != nil {
		t.Fatal(err)
	}
	sweep := func() {
		t.Helper()
		if err := s.Reconciler().Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := r.db.Pool().Exec(t.Context(), "UPDATE kept_keys SET next_try = now()"); err != nil {
			t.Fatal(err)
		}
	}
	sweep()
	if got := len(store.IDs("")); got != 3 {
		t.Errorf("%d keys while the store is away", got)
	}
	store.Away(nil)
	sweep()
	sweep()
	if got := store.IDs(""); len(got) != 1 || got[0] != kept {
		t.Errorf("left: %v, not %s or %s", got, ours, gone)
	}
	left := dbtest.Rows(r, r.db, "SELECT id::text FROM kept_keys WHERE state = 'due' AND failure LIKE '%refuses%'")
	if len(left) != 1 || left[0] != theirs {
		t.Errorf("the database does not say what is left: %v", left)
	}
}

// A volume whose key went before it could be deleted is no free volume again.
func TestBusyWithoutKey(t *testing.T) {
	r, node, store := newKeyRig(t)
	r.adjust = func(adjust func(*scheduler.Options)) func(*scheduler.Options) {
		return func(o *scheduler.Options) { adjust(o); o.Jobs.BusyTries = 1 }
	}(r.adjust)
	r.start()
	asked, _ := r.sealed(store, true)
	v := r.rests(asked.ID, "available")
	if err := r.db.ForgetKey(t.Context(), *v.EncryptionKeyID); err != nil {
		t.Fatal(err)
	}
	node.Break(nodetest.Fault{Method: "destroy", Err: fault.New(fault.Busy, "something holds it open")})
	err := r.db.Tx(t.Context(), func(tx *db.Tx) error {
		if _, err := tx.MoveVolume(t.Context(), v.ID, db.DeleteBegin, "", nil); err != nil {
			return err
		}
		return tx.Enqueue(t.Context(), db.VolumeDeleteArgs{VolumeID: v.ID})
	})
	if err != nil {
		t.Fatal(err)
	}
	r.rests(v.ID, "error_deleting")
}
