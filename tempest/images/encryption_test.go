package images

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/transfers"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumetypes"

	"clinker/internal/keys"
	"clinker/tempest/rig"
)

// sealed is a world with a key store and an encrypted type.
type sealed struct {
	*world
	kind    string
	secrets []string // passphrases that were in use
}

func newSealed(t *testing.T) *sealed {
	t.Parallel()
	images := newService(t)
	file := filepath.Join(t.TempDir(), "key-file")
	if _, err := keys.MakeFile(file); err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf("glance_api_servers = %s\n[key_manager]\nbackend = local\nlocal_key_file = %s", images.url, file)
	s := &sealed{world: &world{t, rig.Start(t, rig.Options{Settings: settings}), images, rig.NewProject()}}
	c := s.Client(s, s.project)
	kind, err := volumetypes.Create(t.Context(), c, volumetypes.CreateOpts{Name: "sealed"}).Extract()
	if err == nil {
		_, err = volumetypes.CreateEncryption(t.Context(), c, kind.ID, volumetypes.CreateEncryptionOpts{
			Provider: "luks", Cipher: "aes-xts-plain64", KeySize: 256, ControlLocation: "front-end"}).Extract()
	}
	if err != nil {
		t.Fatal(err)
	}
	s.kind = kind.ID
	return s
}

// make asks for a volume of the encrypted type and waits for it.
func (s *sealed) make(o volumes.CreateOpts) string {
	s.Helper()
	o.Size, o.VolumeType = 1, s.kind
	c := s.Client(s, s.project)
	v, err := volumes.Create(s.Context(), c, o, nil).Extract()
	if err != nil {
		s.Fatal(err)
	}
	rig.AwaitVolume(s, c, v.ID, "available")
	return v.ID
}

// keyID reads which key a volume has.
func (s *sealed) keyID(project, id string) string {
	s.Helper()
	var body struct {
		KeyID string `json:"encryption_key_id"`
	}
	c := s.Client(s, project)
	if _, err := c.Get(s.Context(), c.ServiceURL("volumes", id, "encryption"), &body, nil); err != nil {
		s.Fatal(err)
	}
	return body.KeyID
}

// key fetches a key as Nova does; "" when it is not given.
func (s *sealed) key(project, id string) string {
	s.Helper()
	url := strings.TrimSuffix(s.Endpoint, "/v3") + keys.ServedAt + "/v1/secrets/" + id + "/payload"
	r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, url, nil)
	if err != nil {
		s.Fatal(err)
	}
	r.Header = http.Header{"X-Auth-Token": {s.Client(s, project).Token()}, "Accept": {"application/octet-stream"}}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return ""
	}
	return hex.EncodeToString(raw)
}

// opens has QEMU open a volume's bytes on the node with its key, and compares what
// is in it with the image.
func (s *sealed) opens(project, id string) {
	s.Helper()
	path := filepath.Join(s.Nodes[0].Volumes, "volume-"+id)
	passphrase := s.key(project, s.keyID(project, id))
	if len(passphrase) != 64 {
		s.Fatalf("the key of volume %s is not to be had", id)
	}
	s.secrets = append(s.secrets, passphrase)
	said, err := exec.CommandContext(s.Context(), "qemu-img", "info", path).CombinedOutput()
	if err != nil || !strings.Contains(string(said), "file format: luks") || !strings.Contains(string(said), "encrypted: yes") {
		s.Errorf("%v %s", err, said)
	}
	secret, plain := filepath.Join(s.TempDir(), "secret"), filepath.Join(s.TempDir(), "plain")
	if err := os.WriteFile(secret, []byte(passphrase), 0o600); err != nil {
		s.Fatal(err)
	}
	said, err = exec.CommandContext(s.Context(), "qemu-img", "dd", "--object", "secret,id=s,file="+secret, "--image-opts",
		"if=driver=luks,key-secret=s,file.driver=file,file.filename="+path, "-O", "raw", "of="+plain, "bs=1M", fmt.Sprint("count=", len(s.images.content)>>20)).CombinedOutput()
	if err != nil {
		s.Fatalf("%v %s", err, said)
	}
	if got, err := os.ReadFile(plain); err != nil || !bytes.Equal(got, s.images.content) {
		s.Errorf("what is in volume %s is not the image: %v", id, err)
	}
}

// keysLeft are all that the database knows of.
func (s *sealed) keysLeft() (n int) {
	s.Helper()
	if err := s.DB.QueryRow(s.Context(), "SELECT (SELECT count(*) FROM local_keys) + (SELECT count(*) FROM kept_keys)").Scan(&n); err != nil {
		s.Fatal(err)
	}
	return n
}

// TestEncryptedVolumes follows encrypted volumes through their lives.
func TestEncryptedVolumes(t *testing.T) {
	s := newSealed(t)
	watch := watchCommands(t)
	id := s.make(volumes.CreateOpts{ImageID: imageID})
	s.opens(s.project, id)
	copied := s.make(volumes.CreateOpts{SourceVolID: id})
	s.opens(s.project, copied)
	if s.keyID(s.project, copied) == s.keyID(s.project, id) {
		t.Error("the copy has no key of its own")
	}
	other := s.transferred(copied)
	s.opens(other, copied)
	if s.key(s.project, s.keyID(other, copied)) != "" || s.key(other, s.keyID(s.project, id)) != "" {
		t.Error("a project reads another's key")
	}
	for project, volume := range map[string]string{s.project: id, other: copied} {
		if err := volumes.Delete(t.Context(), s.Client(t, project), volume, nil).ExtractErr(); err != nil {
			t.Error(err)
		}
	}
	rig.Eventually(t, time.Minute, func() error {
		if n := s.keysLeft(); n > 0 {
			return fmt.Errorf("%d keys are left", n)
		}
		return nil
	})
	s.hidden(watch())
}

// transferred gives a volume to a new project.
func (s *sealed) transferred(id string) (project string) {
	s.Helper()
	project = rig.NewProject()
	from, to := at70(s.Client(s, s.project)), at70(s.Client(s, project))
	var offer transfers.CreateResult
	_, offer.Err = from.Post(s.Context(), from.ServiceURL("volume-transfers"), map[string]any{"transfer": map[string]any{"volume_id": id}}, &offer.Body, &gophercloud.RequestOpts{OkCodes: []int{202}})
	t, err := offer.Extract()
	if err == nil {
		_, err = to.Post(s.Context(), to.ServiceURL("volume-transfers", t.ID, "accept"), map[string]any{"accept": map[string]any{"auth_key": t.AuthKey}}, nil, &gophercloud.RequestOpts{OkCodes: []int{202}})
	}
	if err != nil {
		s.Fatal(err)
	}
	return project
}

func at70(c *gophercloud.ServiceClient) *gophercloud.ServiceClient {
	c.Type, c.Microversion = "block-storage", "3.70"
	c.MoreHeaders = map[string]string{"OpenStack-API-Version": "volume 3.70"}
	return c
}

// watchCommands looks at the command lines and environments of all processes until
// it is told to end; then it gives what it has seen of cryptsetup and qemu-img.
func watchCommands(t *testing.T) func() string {
	seen, done := map[string]bool{}, make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, file := range files {
				line, _ := os.ReadFile(file)
				if bytes.Contains(line, []byte("cryptsetup")) || bytes.Contains(line, []byte("qemu-img")) {
					environment, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "environ"))
					seen[string(line)+string(environment)] = true
				}
			}
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	stop := sync.OnceFunc(func() { close(done); watching.Wait() })
	t.Cleanup(stop)
	return func() string {
		stop()
		var all strings.Builder
		for line := range seen {
			all.WriteString(line)
		}
		return all.String()
	}
}

// hidden: no key is in a log, a database's file, the node's journal, or a command.
func (s *sealed) hidden(commands string) {
	s.Helper()
	if !strings.Contains(commands, "luksFormat") {
		s.Log("cryptsetup was too quick to be seen")
	}
	if _, err := s.DB.Exec(s.Context(), "CHECKPOINT"); err != nil {
		s.Fatal(err)
	}
	texts := map[string][]byte{"the commands": []byte(commands)}
	_ = filepath.WalkDir(s.Dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.HasPrefix(path, s.Nodes[0].Volumes) {
			texts[path], _ = os.ReadFile(path)
		}
		return nil
	})
	for _, passphrase := range s.secrets {
		raw, _ := hex.DecodeString(passphrase)
		for where, text := range texts {
			if bytes.Contains(text, []byte(passphrase)) || bytes.Contains(text, raw) {
				s.Errorf("a key is in %s", where)
			}
		}
	}
}

// TestEncryptedCopyKilled: killed in the middle, the copy begins anew, and no
// volume is shown that is encrypted in part.
func TestEncryptedCopyKilled(t *testing.T) {
	s := newSealed(t)
	s.images.set(func() { s.images.stalls = true })
	c := s.Client(t, s.project)
	v, err := volumes.Create(t.Context(), c, volumes.CreateOpts{Size: 1, ImageID: imageID, VolumeType: s.kind}, nil).Extract()
	if err != nil {
		t.Fatal(err)
	}
	<-s.images.begun
	s.Scheduler.Kill()
	restart(t, s.Nodes[0].Role)
	if err := s.Scheduler.Start(); err != nil {
		t.Fatal(err)
	}
	s.images.set(func() { s.images.stalls = false })
	rig.AwaitVolume(t, c, v.ID, "available")
	s.opens(s.project, v.ID)
	s.tidy()
}
