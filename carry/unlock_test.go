package carry

import (
	"context"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gophercloud/gophercloud/v2"

	"clinker/internal/fault"
)

// rawKey is the key of the encrypted volume, passphraseOfKey what opens it.
const rawKey = "\x00\x01secret-key-of-thirty-two-bytes"

var passphraseOfKey = secret(hex.EncodeToString([]byte(rawKey)))

// dmCrypt is a fake of the kernel's, on a fake machine.
type dmCrypt struct {
	*machine
	formats int
	resizes int
	partial []byte // what Format writes before it is interrupted; nil: it is not
	broken  bool   // Resize fails
}

func (d *dmCrypt) Format(_ context.Context, device string, e Encryption, p secret) error {
	before, after := d.trap.step()
	if before {
		return errCrash
	}
	d.formats++
	if d.partial != nil {
		if err := os.WriteFile(device, d.partial, 0o600); err != nil {
			return err
		}
		return errCrash
	}
	if p != passphraseOfKey || e.format() != "luks1" {
		d.t.Errorf("formatted with another key, or as %s", e.format())
	}
	if err := os.WriteFile(device, luksMagic, 0o600); err != nil {
		return err
	}
	if after {
		return errCrash
	}
	return nil
}

func (d *dmCrypt) Open(_ context.Context, device, name string, p secret, _ bool) error {
	before, after := d.trap.step()
	if before {
		return errCrash
	}
	head, err := os.ReadFile(device)
	if err != nil || string(head) != string(luksMagic) || p != passphraseOfKey {
		return fault.New(fault.Unauthorized, "the volume's key does not open it")
	}
	d.file("dev/mapper/"+name, "")
	d.file("dev/dm-0", "")
	d.file("sys/class/block/dm-0/dm/name", name+"\n")
	d.file("sys/class/block/dm-0/dev", "253:0\n")
	d.file("sys/class/block/sda/holders/dm-0/x", "")
	d.plain()
	if after {
		return errCrash
	}
	return nil
}

func (d *dmCrypt) Resize(context.Context, string, secret) error {
	if d.broken {
		return errCrash
	}
	d.resizes++
	d.plain()
	return nil
}

// plain has the decrypted device show the disk's size, less a header.
func (d *dmCrypt) plain() {
	d.file("sys/class/block/dm-0/size", strconv.Itoa(d.sizeGiB<<21-4096)+"\n")
}

func (d *dmCrypt) Close(_ context.Context, name string) error {
	before, after := d.trap.step()
	if before {
		return errCrash
	}
	d.gone("dev/mapper/" + name)
	d.gone("dev/dm-0")
	d.gone("sys/class/block/dm-0")
	d.gone("sys/class/block/sda/holders")
	if after {
		return errCrash
	}
	return nil
}

// keyManager is a client of one that has the volume's key.
func keyManager(t *testing.T) *gophercloud.ServiceClient {
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/secrets/"+otherID+"/payload" || r.Header.Get("X-Auth-Token") != "token" || r.Header.Get("Accept") != "application/octet-stream" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(rawKey))
	}))
	t.Cleanup(keys.Close)
	return &gophercloud.ServiceClient{ProviderClient: &gophercloud.ProviderClient{TokenID: "token"}, Endpoint: keys.URL + "/", ResourceBase: keys.URL + "/v1/"}
}

// newVault is a machine, an encrypted volume and its key manager.
func newVault(t *testing.T, trap *trap) (*machine, *dmCrypt, func() *Host) {
	t.Helper()
	s := newService(t, trap)
	s.encrypted = true
	m := newMachine(t, s)
	crypt := &dmCrypt{machine: m}
	keys := keyManager(t)
	return m, crypt, func() *Host {
		h := m.host()
		h.crypt = crypt
		h.cloud.WithKeys(keys)
		return h
	}
}

func TestEncryptedVolume(t *testing.T) {
	t.Parallel()
	m, crypt, host := newVault(t, nil)
	for range 2 {
		path, err := host().Attach(t.Context(), volumeID, AttachOptions{})
		if err != nil || path != "/dev/mapper/clinker-"+volumeID {
			t.Fatal(path, err)
		}
	}
	if crypt.formats != 1 {
		t.Errorf("formatted %d times", crypt.formats)
	}
	for _, file := range stateFiles(t, m) {
		if text, _ := os.ReadFile(file); strings.Contains(string(text), string(passphraseOfKey)) {
			t.Error("the key is in a state file")
		}
	}
	m.file("sys/class/block/dm-0/holders/dm-1/x", "")
	if err := host().Detach(t.Context(), volumeID); !fault.Is(err, fault.Busy) || !m.loggedIn() {
		t.Errorf("detached while in use: %v", err)
	}
	m.gone("sys/class/block/dm-0/holders")
	if err := host().Detach(t.Context(), volumeID); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(m.root, "dev/mapper/*")); len(left) > 0 || m.loggedIn() {
		t.Error("left:", left)
	}
}

// What is not blank and has no header is not what the service says it is.
func TestOnlyBlankVolumesAreFormatted(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		content  string
		readOnly bool
		code     fault.Code
	}{
		"a file system":   {strings.Repeat("\x00", 1080) + "\x53\xef", false, fault.Conflict},
		"far behind":      {strings.Repeat("\x00", 31<<20) + "x", false, fault.Conflict},
		"blank, to read":  {strings.Repeat("\x00", 1<<20), true, fault.Conflict},
		"LUKS, to read":   {string(luksMagic), true, ""},
		"blank, to write": {strings.Repeat("\x00", 33<<20) + "x", false, ""},
	} {
		m, crypt, host := newVault(t, nil)
		m.content = c.content
		_, err := host().Attach(t.Context(), volumeID, AttachOptions{ReadOnly: c.readOnly})
		if fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v", what, err)
		}
		if kept, _ := os.ReadFile(filepath.Join(m.root, "dev/sda")); c.code != "" && (crypt.formats > 0 || string(kept) != c.content) {
			t.Errorf("%s: formatted all the same", what)
		}
	}
}

// Killed at any step, the same command finishes, and detach leaves nothing.
func TestEncryptedStepsCanBeRepeated(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for n, snapped := 1, true; snapped; n++ {
			trap := &trap{}
			m, crypt, host := newVault(t, trap)
			trap.set(n, after)
			_, err := host().Attach(t.Context(), volumeID, AttachOptions{})
			if snapped = trap.snapped(); snapped != (err != nil) {
				t.Fatalf("attach, step %d after=%v: snapped %v, error %v", n, after, snapped, err)
			}
			if path, err := host().Attach(t.Context(), volumeID, AttachOptions{}); err != nil || path != "/dev/mapper/clinker-"+volumeID || crypt.formats != 1 {
				t.Fatalf("attach again, step %d after=%v: %q %v, formatted %d times", n, after, path, err, crypt.formats)
			}
			trap.set(n, after)
			_ = host().Detach(t.Context(), volumeID)
			trap.snapped()
			if err := host().Detach(t.Context(), volumeID); err != nil && !fault.Is(err, fault.NotFound) {
				t.Fatalf("detach, step %d after=%v: %v", n, after, err)
			}
			if left, _ := filepath.Glob(filepath.Join(m.root, "dev/mapper/*")); len(left) > 0 || m.loggedIn() || len(stateFiles(t, m)) > 0 {
				t.Fatalf("detach, step %d after=%v: left %v", n, after, left)
			}
		}
	}
}

// TestInterruptedFormat: a header that is not whole is written anew by the same
// command, or taken back by detach, so that the volume is of use to somebody.
func TestInterruptedFormat(t *testing.T) {
	t.Parallel()
	for what, partial := range map[string]string{
		"no magic yet":     strings.Repeat("\x00", 4096) + "random",
		"no key in it yet": string(luksMagic) + strings.Repeat("\x00", 4096),
	} {
		for _, back := range []string{"", "detached", "detached elsewhere"} {
			m, crypt, host := newVault(t, nil)
			crypt.partial = []byte(partial)
			if _, err := host().Attach(t.Context(), volumeID, AttachOptions{}); err == nil {
				t.Fatalf("%s: not interrupted", what)
			}
			crypt.partial = nil
			if back == "detached elsewhere" {
				clear(m.service.attachments)
				m.service.volumes[volumeID]["status"] = "available"
				m.hide()
			}
			if back == "detached" {
				if err := host().Detach(t.Context(), volumeID); err != nil {
					t.Fatalf("%s: detach: %v", what, err)
				}
			}
			if path, err := host().Attach(t.Context(), volumeID, AttachOptions{}); err != nil || path != "/dev/mapper/clinker-"+volumeID {
				t.Errorf("%s, %s in between: %q %v", what, back, path, err)
			}
			if err := host().Detach(t.Context(), volumeID); err != nil || m.loggedIn() {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
}

// TestInterruptedFormatKeepsData: what somebody else has written meanwhile stays.
func TestInterruptedFormatKeepsData(t *testing.T) {
	t.Parallel()
	m, crypt, host := newVault(t, nil)
	crypt.partial = []byte("random")
	if _, err := host().Attach(t.Context(), volumeID, AttachOptions{}); err == nil {
		t.Fatal("not interrupted")
	}
	crypt.partial = nil
	data := "random" + strings.Repeat("\x00", 3<<20) + "data"
	m.file("dev/sda", data)
	if _, err := host().Attach(t.Context(), volumeID, AttachOptions{}); !fault.Is(err, fault.Conflict) {
		t.Error(err)
	}
	if err := host().Detach(t.Context(), volumeID); err != nil {
		t.Error(err)
	}
	if m.content != data {
		t.Error("it is gone")
	}
}

// TestDecryptedFollows: a size that was not passed on is passed on later.
func TestDecryptedFollows(t *testing.T) {
	t.Parallel()
	m, crypt, host := newVault(t, nil)
	if _, err := host().Attach(t.Context(), volumeID, AttachOptions{}); err != nil {
		t.Fatal(err)
	}
	var heard []News
	w := host().newWatch(func(e Event) { heard = append(heard, e.News) })
	round := func() {
		t.Helper()
		if err := w.round(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	round()
	m.service.volumes[volumeID]["size"], m.sizeGiB, crypt.broken = 2, 2, true
	round()
	crypt.broken = false
	round()
	round()
	if want := []News{Ready, Failed, Ready}; !slices.Equal(heard, want) || crypt.resizes != 1 {
		t.Errorf("heard %v, want %v; resized %d times", heard, want, crypt.resizes)
	}
	m.sizeGiB = 3
	m.size() // somebody has rescanned
	if _, err := host().Attach(t.Context(), volumeID, AttachOptions{}); err != nil || crypt.resizes != 2 {
		t.Errorf("attach: resized %d times, %v", crypt.resizes, err)
	}
}
