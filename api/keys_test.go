package api

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"clinker/db"
	"clinker/internal/fault"
	"clinker/internal/keys"
	"clinker/internal/keys/keystest"
)

// imageKey is the key of an image that holds an encrypted volume; tests of it put
// a key there.
const imageKey = "dddddddd-dddd-4ddd-8ddd-dddddddddddd"

// luksType makes an encrypted type.
func (w *world) luksType(encryption string) string {
	w.t.Helper()
	w.made++
	id := w.volumeType(fmt.Sprintf(`{"name": "luks-%d"}`, w.made))
	w.do("admin", "POST", "/v3/types/"+id+"/encryption", `{"encryption": {`+encryption+`}}`).want(w.t, 200)
	return id
}

const usual = `"provider": "luks", "control_location": "front-end", "cipher": "aes-xts-plain64", "key_size": 256`

// keyOf reads the id of a volume's key as a client does, and the key.
func (w *world) keyOf(persona, volume string) (string, keys.Key) {
	w.t.Helper()
	r := w.do(persona, "GET", "/v3/volumes/"+volume+"/encryption", "").want(w.t, 200)
	id, _ := r.at("encryption_key_id").(string)
	who := personas.(tokens)[persona]
	k, err := w.keys.Key(w.t.Context(), keys.Bearer{Token: persona, ProjectID: who.ProjectID, UserID: who.UserID}, id)
	if err != nil {
		w.t.Fatalf("%s reads key %s of volume %s: %v", persona, id, volume, err)
	}
	return id, k
}

// owned are the keys in the store, by project: own, the other, Clinker's.
func (w *world) owned() [3]int {
	return [3]int{len(w.keys.IDs(ownProject)), len(w.keys.IDs(otherProject)), len(w.keys.IDs(""))}
}

func (w *world) owns(what string, want [3]int) {
	w.t.Helper()
	if got := w.owned(); got != want {
		w.t.Errorf("%s: keys of the project, of the other and of Clinker's own: %v, want %v", what, got, want)
	}
}

// An encrypted volume has a key of its project, and takes it along when it goes.
func TestKeyOfVolume(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.volume("member", `, "volume_type": "`+w.luksType(usual)+`"`)
	key, k := w.keyOf("member", id)
	if k.Bits() != 256 || k.Algorithm != "aes" {
		t.Errorf("%d bits for %s", k.Bits(), k.Algorithm)
	}
	if r := w.do("member@64", "GET", "/v3/volumes/"+id, ""); r.at("volume", "encrypted") != true || r.at("volume", "encryption_key_id") != key {
		t.Errorf("%s", r.body)
	}
	w.owns("made", [3]int{1, 0, 0})
	copied := w.volume("member", `, "source_volid": "`+id+`"`)
	another, k2 := w.keyOf("member", copied)
	if another == key || k2.Passphrase() != k.Passphrase() {
		t.Error("a copy needs a key of its own that opens the same bytes")
	}
	w.do("member", "DELETE", "/v3/volumes/"+copied, "").want(t, 202)
	w.owns("deleted the copy", [3]int{1, 0, 0})
	if _, again := w.keyOf("member", id); again.Passphrase() != k.Passphrase() {
		t.Error("the copy took its source's key away")
	}
	w.do("member", "DELETE", "/v3/volumes/"+id, "").want(t, 202)
	w.owns("deleted", [3]int{0, 0, 0})
}

// What a request makes and does not use it takes away again; what it cannot take
// away the database knows of.
func TestKeysOfRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	create := `{"volume": {"size": 1, "volume_type": "` + w.luksType(usual) + `"}}`
	w.do("admin", "PUT", "/v3/os-quota-sets/"+ownProject, `{"quota_set": {"volumes": 0}}`).want(t, 200)
	w.do("member", "POST", "/v3/volumes", create).want(t, 413)
	w.owns("over quota", [3]int{0, 0, 0})
	w.keys.Away(fault.New(fault.Unavailable, "The key manager does not answer."))
	if r := w.do("member", "POST", "/v3/volumes", create); r.status != 503 || !strings.Contains(r.body, "Key manager error") {
		t.Errorf("%d %s", r.status, r.body)
	}
	w.keys.Away(fault.New(fault.Forbidden, "The key manager refuses the request."))
	w.do("member", "POST", "/v3/volumes", create).want(t, 400)
	if due, err := w.db.DueKeys(t.Context(), 10); err != nil || len(due) != 0 {
		t.Error(due, err)
	}
}

// A volume is deleted also while the key store is away; its key then goes later.
func TestKeyStoreIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.volume("member", `, "volume_type": "`+w.luksType(usual)+`"`)
	key, _ := w.keyOf("member", id)
	w.keys.Away(fault.New(fault.Unavailable, "The key manager does not answer."))
	w.do("member", "DELETE", "/v3/volumes/"+id, "").want(t, 202)
	v, err := w.db.Volume(t.Context(), id, "")
	if err == nil {
		err = w.db.Tx(t.Context(), func(tx *db.Tx) error { return tx.FinishDelete(t.Context(), v) })
	}
	if err != nil {
		t.Fatal(err)
	}
	due, err := w.db.DueKeys(t.Context(), 10)
	if err != nil || len(due) != 1 || due[0].ID != key {
		t.Error(due, err)
	}
}

// An offered volume's key is Clinker's own, and then the next owner's.
func TestKeyIsTransferred(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.volume("member", `, "volume_type": "`+w.luksType(usual)+`"`)
	first, k := w.keyOf("member", id)
	s := w.do("member", "POST", "/v3/snapshots", `{"snapshot": {"volume_id": "`+id+`"}}`).want(t, 202).at("snapshot", "id").(string)
	if _, err := w.db.Pool().Exec(t.Context(), "UPDATE snapshots SET status = 'available' WHERE id = $1", s); err != nil {
		t.Fatal(err)
	}
	offer := func() response {
		return w.do("member@70", "POST", "/v3/volume-transfers", `{"transfer": {"volume_id": "`+id+`"}}`).want(t, 202)
	}
	transfer := offer().at("transfer", "id").(string)
	w.owns("offered", [3]int{0, 0, 1})
	w.do("member", "DELETE", "/v3/volume-transfers/"+transfer, "").want(t, 202)
	w.owns("withdrawn", [3]int{1, 0, 0})
	if home, again := w.keyOf("member", id); home == first || again.Passphrase() != k.Passphrase() {
		t.Error("withdrawn, the volume has another key")
	}
	r := offer()
	w.do("admin@70", "DELETE", "/v3/volume-transfers/"+r.at("transfer", "id").(string), "").want(t, 202) // of the same project
	r = offer()
	accept := `{"accept": {"auth_key": "` + r.at("transfer", "auth_key").(string) + `"}}`
	path := "/v3/volume-transfers/" + r.at("transfer", "id").(string)
	w.do("other@70", "POST", path+"/accept", accept).want(t, 202)
	w.owns("accepted", [3]int{0, 1, 0})
	key, again := w.keyOf("other", id)
	if again.Passphrase() != k.Passphrase() {
		t.Error("accepted, the volume has another key")
	}
	found, err := w.db.Snapshot(t.Context(), s, "")
	if err != nil || found.EncryptionKeyID == nil || *found.EncryptionKeyID != key {
		t.Errorf("the snapshot has key %v, the volume %s: %v", found.EncryptionKeyID, key, err)
	}
	w.do("other@70", "POST", path+"/accept", accept).want(t, 404)
	w.owns("accepted twice", [3]int{0, 1, 0})
}

// Types and sources that do not go together, in Cinder's words.
func TestEncryptedCopies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.script()
	s.words["{luks}"], s.words["{longer}"] = w.luksType(usual), w.luksType(strings.Replace(usual, "256", "512", 1))
	s.words["{none}"] = w.luksType(`"provider": "luks", "control_location": "front-end"`)
	s.words["{sizeless}"] = w.luksType(`"provider": "luks", "control_location": "front-end", "cipher": "aes-xts-plain64"`)
	s.words["{back}"] = w.luksType(strings.Replace(usual, "front-end", "back-end", 1))
	s.words["{plain}"], s.words["{serpent}"] = w.luksType(strings.Replace(usual, "luks", "plain", 1)), w.luksType(strings.Replace(usual, "aes", "serpent", 1))
	s.words["{locked}"], s.words["{clear}"] = w.volume("member", `, "volume_type": "`+s.words["{luks}"]+`"`), w.volume("member", "")
	const wrong = ` -> 400 (requested type is not compatible; either match source volume, or omit type argument).`
	create := func(more string) string { return `member POST /volumes {"volume": {"size": 1, ` + more + `}}` }
	for _, line := range []string{
		create(`"source_volid": "{locked}", "volume_type": "__DEFAULT__"`) + wrong, create(`"source_volid": "{locked}", "volume_type": "{longer}"`) + wrong,
		create(`"source_volid": "{clear}", "volume_type": "{luks}"`) + wrong, create(`"source_volid": "{locked}", "volume_type": "{luks}"`) + ` -> 202 "encrypted":true`,
		create(`"volume_type": "{none}"`) + ` -> 400 Invalid encryption spec`, create(`"volume_type": "{sizeless}"`) + ` -> 400 Key manager error`,
		create(`"volume_type": "{back}"`) + ` -> 400 control_location back-end`,
		create(`"volume_type": "{plain}"`) + ` -> 202 "encrypted":true`,
		create(`"volume_type": "{plain}", "imageRef": "`+imageIDOf("fine")+`"`) + ` -> 400 encryption provider plain`,
		create(`"volume_type": "{serpent}", "imageRef": "`+imageIDOf("fine")+`"`) + ` -> 400 with the cipher serpent-xts-plain64`,
		create(`"volume_type": "{luks}", "imageRef": "`+imageIDOf("raw")+`"`) + ` -> 400 has no room`,
		create(`"imageRef": "`+imageIDOf("locked")+`"`) + ` -> 400 holds an encrypted volume, and the volumes of type`,
		create(`"volume_type": "{luks}", "imageRef": "`+imageIDOf("locked")+`"`) + ` -> 400 Key manager error: The key manager has no such key`,
	} {
		if err := s.run(line); err != nil {
			t.Error(err)
		}
	}
}

// A job that writes an image encrypted has a copy of the key, of Clinker's own.
func TestKeyForWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.do("member", "POST", "/v3/volumes", `{"volume": {"size": 2, "volume_type": "`+w.luksType(usual)+`", "imageRef": "`+imageIDOf("fine")+`"}}`).want(t, 202)
	id := r.at("volume", "id").(string)
	_, k := w.keyOf("member", id)
	work, known, err := w.db.WorkKey(t.Context(), id)
	if err != nil || !known {
		t.Fatal(err)
	}
	got, err := w.keys.Key(t.Context(), keys.Service, work.ID)
	if err != nil || got.Passphrase() != k.Passphrase() {
		t.Fatal(err)
	}
	w.settle(id)
	if n, err := w.db.DropUnwantedKeys(t.Context(), 0, 0, 10); err != nil || n != 1 {
		t.Errorf("with the volume made, its copy of the key is not due: %d %v", n, err)
	}
}

// Copies of a group have keys of their own, too.
func TestKeysOfGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.volume("member", `, "volume_type": "`+w.luksType(usual)+`"`)
	_, k := w.keyOf("member", id)
	g := w.script().fill("{group}")
	if _, err := w.db.Pool().Exec(t.Context(), "UPDATE volumes SET group_id = $1 WHERE id = $2", g, id); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.Pool().Exec(t.Context(), "UPDATE groups SET status = 'available', pool_id = $2 WHERE id = $1", g, w.pool.ID); err != nil {
		t.Fatal(err)
	}
	r := w.do("member@14", "POST", "/v3/groups/action", `{"create-from-src": {"source_group_id": "`+g+`"}}`).want(t, 202)
	w.owns("copied", [3]int{2, 0, 0})
	var copied string
	if err := w.db.Pool().QueryRow(t.Context(), "SELECT id FROM volumes WHERE group_id = $1", r.at("group", "id")).Scan(&copied); err != nil {
		t.Fatal(err)
	}
	if _, again := w.keyOf("member", copied); again.Passphrase() != k.Passphrase() {
		t.Error("the copy's key does not open it")
	}
}

// No answer has a key in it, whoever asks.
func TestAnswersHaveNoKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kind := w.luksType(usual)
	id := w.volume("member", `, "volume_type": "`+kind+`"`)
	var all strings.Builder
	for _, persona := range []string{"admin@71", "member@71", "reader@71"} {
		for _, path := range []string{"/volumes/" + id, "/volumes/detail", "/volumes/" + id + "/encryption", "/volumes/" + id + "/encryption/encryption_key_id", "/types/" + kind + "/encryption", "/messages"} {
			all.WriteString(w.do(persona, "GET", "/v3"+path, "").body)
		}
	}
	r := w.do("member@71", "POST", "/v3/attachments", `{"attachment": {"volume_uuid": "`+id+`", "connector": {"host": "h", "initiator": "iqn.2026-01.org.test:h", "ip": "10.0.0.9"}}}`)
	if r.at("attachment", "connection_info", "encrypted") != true {
		t.Errorf("%s", r.body)
	}
	all.WriteString(r.body)
	for _, secret := range w.keys.Secrets() {
		raw, _ := hex.DecodeString(secret)
		if text := all.String(); strings.Contains(text, secret) || strings.Contains(text, string(raw)) {
			t.Error("an answer has a key in it")
		}
	}
	if len(w.keys.Secrets()) == 0 {
		t.Error("there is no key to look for")
	}
}

// Of a delete and a clone at the same time, the clone has a key that opens it, or
// is refused; and no key is left of which the database does not know.
func TestCloneAgainstDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Limits = nil })
	kind := w.luksType(usual)
	for range 8 {
		id := w.volume("member", `, "volume_type": "`+kind+`"`)
		_, k := w.keyOf("member", id)
		done := make(chan response, 2)
		go func() { done <- w.do("member", "DELETE", "/v3/volumes/"+id, "") }()
		go func() {
			done <- w.do("member", "POST", "/v3/volumes", `{"volume": {"size": 1, "source_volid": "`+id+`"}}`)
		}()
		for range 2 {
			r := <-done
			made, cloned := r.at("volume", "id").(string)
			switch {
			case cloned && r.status == 202:
				if _, copied := w.keyOf("member", made); copied.Passphrase() != k.Passphrase() {
					t.Error("the clone's key does not open it")
				}
				w.settle(made)
				w.do("member", "DELETE", "/v3/volumes/"+made, "").want(t, 202)
			case r.status != 202 && r.status != 400 && r.status != 404 && r.status != 409:
				t.Errorf("%d %s", r.status, r.body)
			}
		}
	}
	w.owns("all deleted", [3]int{0, 0, 0})
}

// A key that was made for a request that was killed is known, and goes.
func TestKilledRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bearer := keys.Bearer{Token: "member", ProjectID: ownProject, UserID: "u"}
	id, _ := keystest.Made(t, w.keys, bearer, 256)
	if err := w.db.NoteKey(t.Context(), id, ownProject, db.KeyOfVolume); err != nil {
		t.Fatal(err)
	}
	if n, err := w.db.DropUnwantedKeys(t.Context(), 0, 0, 10); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	due, err := w.db.DueKeys(t.Context(), 10)
	if err != nil || !slices.ContainsFunc(due, func(k db.KeptKey) bool { return k.ID == id }) {
		t.Fatal(due, err)
	}
	err = w.db.Tx(t.Context(), func(tx *db.Tx) error { tx.KeepKey(id, uuid.NewString()); return nil })
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("a request that was taken for dead keeps its key: %v", err)
	}
}

// A backup of an encrypted volume outlives it, with the key; what is restored
// from it gets a key that opens it.
func TestKeysOfBackups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kind := w.luksType(usual)
	id := w.volume("member", `, "volume_type": "`+kind+`"`)
	_, k := w.keyOf("member", id)
	r := w.do("member@64", "POST", "/v3/backups", `{"backup": {"volume_id": "`+id+`"}}`).want(t, 202)
	backup := r.at("backup", "id").(string)
	w.owns("backed up", [3]int{2, 0, 0})
	w.backedUp(backup)
	w.do("member", "DELETE", "/v3/volumes/"+id, "").want(t, 202)
	w.owns("volume deleted", [3]int{1, 0, 0})
	another := w.volume("member", `, "volume_type": "`+kind+`"`)
	_, own := w.keyOf("member", another)
	clear := w.volume("member", "")
	restore := func(to string) response {
		return w.do("member", "POST", "/v3/backups/"+backup+"/restore", `{"restore": {"volume_id": "`+to+`"}}`)
	}
	if r := restore(clear); r.status != 400 || !strings.Contains(r.body, "is not encrypted") {
		t.Errorf("%d %s", r.status, r.body)
	}
	other := w.luksType(`"provider": "luks2", "control_location": "front-end", "cipher": "aes-xts-plain64", "key_size": 256`)
	if r := restore(w.volume("member", `, "volume_type": "`+other+`"`)); r.status != 400 || !strings.Contains(r.body, "encrypted in another way") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := w.do("member@47", "POST", "/v3/volumes", `{"volume": {"backup_id": "`+backup+`", "volume_type": "`+other+`"}}`); r.status != 400 || !strings.Contains(r.body, "requested type is not compatible") {
		t.Errorf("%d %s", r.status, r.body)
	}
	restore(another).want(t, 202)
	if _, now := w.keyOf("member", another); now.Passphrase() != own.Passphrase() {
		t.Error("the volume has the backup's key before its bytes")
	}
	// It is interrupted, for longer than keys without an owner are kept, and goes on.
	v, err := w.db.Volume(t.Context(), another, "")
	if err == nil {
		err = w.db.Tx(t.Context(), func(tx *db.Tx) error { return tx.FailRestoreOver(t.Context(), v, "its node does not answer") })
	}
	if err == nil {
		_, err = w.db.DropUnwantedKeys(t.Context(), 0, 0, 10)
	}
	if err == nil {
		v, err = w.db.Volume(t.Context(), another, "")
	}
	if err == nil {
		err = w.db.Tx(t.Context(), func(tx *db.Tx) error { return tx.ResumeRestore(t.Context(), v) })
	}
	if err != nil {
		t.Fatal(err)
	}
	w.restored(another, backup)
	if _, now := w.keyOf("member", another); now.Passphrase() != k.Passphrase() {
		t.Error("the restored volume's key does not open it")
	}
	if due, err := w.db.DueKeys(t.Context(), 10); err != nil || len(due) != 1 {
		t.Errorf("the former key is not due: %v %v", due, err)
	}
	w.do("member", "DELETE", "/v3/backups/"+backup, "").want(t, 202)
	if n, err := w.db.DropUnwantedKeys(t.Context(), 0, 0, 10); err != nil || n != 0 {
		t.Errorf("%d keys nobody wants, %v", n, err)
	}
}

// Of two backups that were restored to a volume, the first in vain, it gets the key of
// the second.
func TestKeyOfTheLastRestore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kind := `, "volume_type": "` + w.luksType(usual) + `"`
	onto := w.volume("member", kind)
	var want keys.Key
	begin := func() (backup string) {
		source := w.volume("member", kind)
		_, want = w.keyOf("member", source)
		backup = w.do("member@64", "POST", "/v3/backups", `{"backup": {"volume_id": "`+source+`"}}`).want(t, 202).at("backup", "id").(string)
		w.backedUp(backup)
		w.do("member", "POST", "/v3/backups/"+backup+"/restore", `{"restore": {"volume_id": "`+onto+`"}}`).want(t, 202)
		return backup
	}
	for range 3 {
		begin()
		v, err := w.db.Volume(t.Context(), onto, "")
		if err == nil {
			err = w.db.Tx(t.Context(), func(tx *db.Tx) error { return tx.FailRestoreOver(t.Context(), v, "in vain") })
		}
		if err != nil {
			t.Fatal(err)
		}
		w.do("admin", "POST", "/v3/volumes/"+onto+"/action", `{"os-reset_status": {"status": "available"}}`).want(t, 202)
		w.restored(onto, begin())
		if _, now := w.keyOf("member", onto); now.Passphrase() != want.Passphrase() {
			t.Fatal("the volume's key does not open what was restored")
		}
	}
}

// The image of an encrypted volume has a key of its own, and says which.
func TestKeyOfImage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.volume("member", `, "volume_type": "`+w.luksType(usual)+`"`)
	upload := `{"os-volume_upload_image": {"image_name": "i", "disk_format": "%s", "container_format": "bare"}}`
	if r := w.do("member", "POST", "/v3/volumes/"+id+"/action", fmt.Sprintf(upload, "qcow2")); r.status != 400 {
		t.Errorf("%d %s", r.status, r.body)
	}
	w.owns("refused", [3]int{1, 0, 0})
	r := w.do("member", "POST", "/v3/volumes/"+id+"/action", fmt.Sprintf(upload, "raw")).want(t, 202)
	w.owns("uploaded", [3]int{2, 0, 0})
	image := r.at("os-volume_upload_image", "image_id").(string)
	whole := func(tx *db.Tx) error {
		return tx.FinishUpload(t.Context(), db.ImageUpload{ImageID: image, VolumeID: id})
	}
	if err := w.db.Tx(t.Context(), whole); err != nil {
		t.Fatal(err)
	}
	if n, err := w.db.DropUnwantedKeys(t.Context(), 0, 0, 10); err != nil || n != 0 {
		t.Errorf("the image's key is taken away: %d, %v", n, err)
	}
	w.do("member", "DELETE", "/v3/volumes/"+id, "").want(t, 202)
	w.owns("volume deleted", [3]int{1, 0, 0})
}
