package copy

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"clinker/internal/fault"
	"clinker/internal/run"
)

// canary is a file outside of the Copier's directory, and a watch that tells of
// every process that opens it (inotify(7)).
type canary struct {
	t     *testing.T
	path  string
	watch int
}

const secretLine = "this is a secret of the storage node\n"

func newCanary(t *testing.T) *canary {
	t.Helper()
	c := &canary{t: t, path: filepath.Join(t.TempDir(), "canary")}
	if err := os.WriteFile(c.path, []byte(strings.Repeat(secretLine, 40000)), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if c.watch, err = unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(c.watch) })
	if _, err := unix.InotifyAddWatch(c.watch, c.path, unix.IN_OPEN|unix.IN_ACCESS); err != nil {
		t.Fatal(err)
	}
	return c
}

// touched tells whether anybody has opened the file since the last time.
func (c *canary) touched() bool {
	var b [4096]byte
	n, err := unix.Read(c.watch, b[:])
	if err != nil && !errors.Is(err, unix.EAGAIN) {
		c.t.Fatal(err)
	}
	return n > 0
}

// qemu makes something with a program; what it opens meanwhile does not count.
func (c *canary) qemu(args ...string) {
	c.t.Helper()
	if _, err := run.Output(c.t.Context(), args...); err != nil {
		c.t.Fatal(err)
	}
	c.touched()
}

// corpus are images that would have a program open the canary, or do worse, by
// the format that they would be uploaded as.
func corpus(t *testing.T, c *canary) map[string][]byte {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	read := func(path string) []byte {
		all, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	all := map[string][]byte{}
	made := func(name string, args ...string) {
		path := file(strings.ReplaceAll(name, " ", "-"))
		c.qemu(append(append([]string{"qemu-img", "create"}, args...), path, "4M")...)
		all[name] = read(path)
	}
	made("qcow2 with a backing file", "-f", "qcow2", "-F", "raw", "-b", c.path)
	made("qcow2 of version 2 with a backing file", "-f", "qcow2", "-o", "compat=0.10", "-F", "raw", "-b", c.path)
	made("qcow2 with a json: backing file", "-u", "-f", "qcow2", "-F", "raw", "-b", `json:{"driver":"raw","file":{"driver":"file","filename":"`+c.path+`"}}`)
	made("qcow2 with a backing file in the net", "-u", "-f", "qcow2", "-F", "raw", "-b", "nbd://127.0.0.1:1/x")
	all["qcow2 with a data file"] = dataFile(t, c, file("data.qcow2"))
	all["qcow2 with a json: data file"] = named(all["qcow2 with a data file"], c.path, `json:{"driver":"file","filename":"`+c.path+`"}`)
	made("vmdk of flat extents", "-f", "vmdk", "-o", "subformat=monolithicFlat")
	all["vmdk that is a descriptor"] = []byte("# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\n\n# Extent description\nRW 2048 FLAT \"" +
		c.path + "\" 0\n\n# The Disk Data Base\nddb.adapterType = \"ide\"\n")
	all["raw that is a descriptor"] = all["vmdk that is a descriptor"]
	sparse := file("sparse.vmdk")
	c.qemu("qemu-img", "create", "-f", "vmdk", sparse, "4M")
	embedded := read(sparse)
	all["vmdk with an embedded flat extent"] = descriptor(embedded, c.path)
	all["vmdk without a capacity"] = changed(descriptor(embedded, c.path), vmdkCapacity, strings.Repeat("\x00", 8))
	all["vmdk cut short"] = embedded[:3000]
	all["raw that is a qcow2"] = all["qcow2 with a backing file"]
	all["iso that is a qcow2"] = changed(append(bytes.Clone(all["qcow2 with a backing file"]), make([]byte, 64<<10)...), isoAt, "CD001")
	all["vdi that is a qcow2"] = changed(all["qcow2 with a backing file"], vdiMagicAt, "\x7f\x10\xda\xbe")
	all["vhd that is a qcow2"] = append(bytes.Clone(all["qcow2 with a backing file"]), changed(make([]byte, tailBytes), 0, "conectix\x00\x00\x00\x02")...)
	all["raw that ends as a vhd"] = append(make([]byte, 1<<20), changed(make([]byte, tailBytes), 0, "conectix")...)
	all["raw that is encrypted"] = changed(make([]byte, 1<<20), 0, "LUKS\xba\xbe")
	all["raw that is a qed"] = changed(make([]byte, 1<<20), 0, "QED\x00")
	for name, format := range map[string]Format{"vhd that differs": VHD, "vdi that differs": VDI, "vhdx with a parent": VHDX} {
		path := file(string(format))
		c.qemu("qemu-img", "create", "-f", driver(format), path, "4M")
		all[name] = differing(read(path), format)
	}
	return all
}

// dataFile makes an image whose clusters are in the canary, by a name in an
// extension of its header.
func dataFile(t *testing.T, c *canary, path string) []byte {
	t.Helper()
	c.qemu("qemu-img", "create", "-f", "qcow2", "-o", "data_file="+path+".data,data_file_raw=on", path, "1M")
	all, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return named(all, path+".data", c.path)
}

// named gives a qcow2 whose data file has another name: the header's extensions
// are written anew.
func named(image []byte, from, to string) []byte {
	at := bytes.Index(image, []byte("DATA"))
	if at < 0 {
		return image
	}
	was := int(be.Uint32(image[at+4:]))
	rest := bytes.Clone(image[at+8+(was+7)&^7 : 4096])
	other := bytes.Clone(image)
	clear(other[at:4096])
	copy(other[at:], "DATA")
	be.PutUint32(other[at+4:], uint32(len(to)))
	copy(other[at+8:], to)
	copy(other[at+8+(len(to)+7)&^7:4096], rest)
	_ = from
	return other
}

// descriptor gives a sparse VMDK whose descriptor has one extent more, by path.
func descriptor(vmdk []byte, path string) []byte {
	other := bytes.Clone(vmdk)
	text := other[512 : 20*512]
	end := bytes.Index(text, []byte("\n# The Disk Data Base"))
	extent := fmt.Sprintf("RW 2048 FLAT %q 0\n", path)
	tail := bytes.TrimRight(bytes.Clone(text[end:]), "\x00")
	copy(text[end:], extent)
	copy(text[end+len(extent):], tail)
	return other
}

func differing(image []byte, f Format) []byte {
	switch f {
	case VHD:
		return changed(image, vhdDiskType, "\x00\x00\x00\x04")
	case VDI:
		return changed(changed(image, vdiType, "\x04\x00\x00\x00"), vdiParent, "\x01")
	}
	return changed(image, bytes.Index(image, vhdxVirtualSize), string(vhdxParentLocator))
}

// TestHostileCorpus: each is refused before any other program sees it, and nobody
// opens what it names.
func TestHostileCorpus(t *testing.T) {
	r := newRig(t)
	c := newCanary(t)
	all := corpus(t, c)
	if len(all) < 20 {
		t.Fatalf("%d images", len(all))
	}
	for name, image := range all {
		r.fresh()
		err := r.write(r.image(formatOf(name), image), true)
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		if c.touched() {
			t.Errorf("%s: the file outside was opened", name)
		}
		device, _ := os.ReadFile(r.device)
		if bytes.Contains(device, []byte(secretLine)) {
			t.Errorf("%s: the volume holds the secret", name)
		}
		if strings.Contains(fmt.Sprint(err), c.path) {
			t.Errorf("%s: the refusal names the file: %v", name, err)
		}
	}
}

// TestCorpusIsHostile shows that the corpus does what it is feared for, and that
// the canary tells: a program that guesses opens it.
func TestCorpusIsHostile(t *testing.T) {
	t.Parallel()
	c := newCanary(t)
	opened := 0
	for name, image := range corpus(t, c) {
		path := filepath.Join(t.TempDir(), "image")
		if err := os.WriteFile(path, image, 0o600); err != nil {
			t.Fatal(err)
		}
		_ = exec.Command("qemu-img", "convert", "-O", "raw", path, path+".out").Run()
		out, _ := os.ReadFile(path + ".out")
		if c.touched() {
			opened++
			t.Logf("%s: opened, secret copied: %v", name, bytes.Contains(out, []byte(secretLine)))
		}
	}
	if opened < 6 {
		t.Errorf("only %d images of the corpus have qemu-img open the file", opened)
	}
}

var openedPath = regexp.MustCompile(`open(?:at)?\((?:AT_FDCWD, )?"([^"]*)", ([A-Z_|]+)[^)]*\)\s+= \d`)

// TestOnlyTwoFilesAreOpened follows the program itself (strace(1)) through what the
// Copier has it do: beside the machine's libraries it opens the scratch file and
// the volume.
func TestOnlyTwoFilesAreOpened(t *testing.T) {
	r := newRig(t)
	for name, image := range good(t) {
		r.fresh()
		dir := t.TempDir()
		scratch, log := filepath.Join(dir, "image"), filepath.Join(dir, "strace")
		if err := os.WriteFile(scratch, image, 0o600); err != nil {
			t.Fatal(err)
		}
		args := r.copier.limited(4<<20, deviceBytes, convertArgs(formatOf(name), scratch, Target{Path: r.device, Bytes: deviceBytes, Blank: true})...)
		trace := append([]string{"strace", "-f", "-qq", "-e", "trace=open,openat,openat2,connect,execve", "-o", log}, args...)
		if _, err := (run.Command{Args: trace, Env: oneArena}).Output(t.Context()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, m := range openedPath.FindAllStringSubmatch(string(text), -1) {
			seen[m[1]] = true
			if m[1] != scratch && m[1] != r.device && !ofTheMachine(m[1]) {
				t.Errorf("%s: qemu-img opened %s", name, m[1])
			}
			if m[1] == scratch && strings.Contains(m[2], "O_RDWR") {
				t.Errorf("%s: the image was opened for writing", name)
			}
		}
		if !seen[scratch] || !seen[r.device] || bytes.Contains(text, []byte("connect(")) {
			t.Errorf("%s: %d files seen; %s", name, len(seen), text[:min(len(text), 500)])
		}
		r.holds(content())
	}
}

// ofTheMachine are libraries, locales and what the kernel tells of a process and
// of disks.
func ofTheMachine(path string) bool {
	for _, prefix := range []string{"/lib/", "/lib64/", "/usr/lib/", "/usr/share/", "/usr/local/share/", "/etc/ld.so", "/etc/ssl/", "/etc/gnutls", "/etc/crypto-policies",
		"/etc/gcrypt", "/proc/self/", "/proc/sys/", "/proc/cpuinfo", "/sys/", "/dev/null", "/dev/urandom", "/etc/nsswitch.conf", "/etc/localtime", "/etc/libnl", "/etc/ceph", "/run/systemd"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// bomb is a qcow2 of so many GiB, all of whose clusters are one compressed cluster
// of zeroes: little to fetch, and much to do.
func bomb(gib int) []byte {
	const cluster = 64 << 10
	var deflated bytes.Buffer
	w, _ := flate.NewWriter(&deflated, flate.BestCompression)
	_, _ = w.Write(make([]byte, cluster))
	_ = w.Close()
	entries := gib * 2 // of L1; each is 512 MiB
	image := make([]byte, 5*cluster)
	copy(image, "QFI\xfb")
	be.PutUint32(image[qcow2Version:], 2)
	be.PutUint32(image[qcow2ClusterBits:], 16)
	be.PutUint64(image[qcow2Size:], uint64(gib)<<30)
	be.PutUint32(image[36:], uint32(entries))
	be.PutUint64(image[40:], cluster)
	be.PutUint64(image[48:], 4*cluster) // refcounts, of which nobody asks who only reads
	be.PutUint32(image[56:], 1)
	for i := range entries {
		be.PutUint64(image[cluster+8*i:], 2*cluster|1<<63)
	}
	sectors := uint64(deflated.Len()+511) / 512
	for i := range cluster / 8 {
		be.PutUint64(image[2*cluster+8*i:], 1<<62|(sectors-1)<<(62-8)|3*cluster)
	}
	copy(image[3*cluster:], deflated.Bytes())
	return image
}

// TestBoundOfProcessorTime: a bomb is ended.
func TestBoundOfProcessorTime(t *testing.T) {
	r := newRig(t)
	r.copier.CPULimit = time.Second
	scratch := filepath.Join(t.TempDir(), "bomb")
	if err := errorsOf(os.WriteFile(scratch, bomb(256), 0o600), os.Truncate(r.device, 256<<30)); err != nil {
		t.Fatal(err)
	}
	args := convertArgs(QCOW2, scratch, Target{Path: r.device, Bytes: 256 << 30, Blank: true})
	_, err := r.copier.qemuImg(t.Context(), 1<<30, 256<<30, args...)
	var exit *run.ExitError
	if !errors.As(err, &exit) || exit.Status != -1 { // by the kernel's signal
		t.Errorf("got %v", err)
	}
	// The whole way refuses it for its size first.
	r.fresh()
	if err := r.write(r.image(QCOW2, bomb(256)), true); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("got %v", err)
	}
}

// TestBoundOfMemory: a program that wants more than it may have fails.
func TestBoundOfMemory(t *testing.T) {
	r := newRig(t)
	r.copier.AddressSpaceBytes = 48 << 20
	if err := r.write(r.image(QCOW2, made(t, QCOW2)), true); !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Unsupported) {
		t.Errorf("got %v", err)
	}
}

// TestBoundOfOutput: a program cannot write behind the volume's end.
func TestBoundOfOutput(t *testing.T) {
	r := newRig(t)
	scratch := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(scratch, made(t, QCOW2), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := r.copier.qemuImg(t.Context(), 4<<20, 1<<20, convertArgs(QCOW2, scratch, Target{Path: r.device, Bytes: deviceBytes, Blank: true})...)
	var exit *run.ExitError
	if !errors.As(err, &exit) {
		t.Errorf("got %v", err)
	}
	if got := r.blocks(); got > 2<<20 {
		t.Errorf("%d bytes were written", got)
	}
}
