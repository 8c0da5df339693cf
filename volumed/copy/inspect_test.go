package copy

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"clinker/internal/fault"
	"clinker/internal/run"
)

// made has qemu-img make an image of 4 MiB with something in it.
func made(t testing.TB, f Format, options ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	raw, image := filepath.Join(dir, "raw"), filepath.Join(dir, "image")
	if err := os.WriteFile(raw, content(), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"qemu-img", "convert", "-f", "raw", "-O", driver(f)}, options...)
	if _, err := run.Output(t.Context(), append(args, raw, image)...); err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// content is 4 MiB: a little at both ends and nothing in between.
func content() []byte {
	all := make([]byte, 4<<20)
	for i := range 5000 {
		all[i], all[len(all)-1-i] = byte(i), byte(i>>3)
	}
	return all
}

// good are images that must pass, by name.
func good(t testing.TB) map[string][]byte {
	return map[string][]byte{
		"qcow2":                 made(t, QCOW2),
		"qcow2 of version 2":    made(t, QCOW2, "-o", "compat=0.10"),
		"qcow2 compressed":      made(t, QCOW2, "-c"),
		"vmdk monolithicSparse": made(t, VMDK),
		"vmdk streamOptimized":  made(t, VMDK, "-o", "subformat=streamOptimized"),
		"vhd dynamic":           made(t, VHD),
		"vhd fixed":             made(t, VHD, "-o", "subformat=fixed"),
		"vhdx":                  made(t, VHDX),
		"vdi":                   made(t, VDI),
		"vdi static":            made(t, VDI, "-o", "static=on"),
	}
}

func formatOf(name string) Format {
	first, _, _ := strings.Cut(name, " ")
	return Format(first)
}

func TestGoodImages(t *testing.T) {
	t.Parallel()
	for name, image := range good(t) {
		claim := formatOf(name)
		if err := match(claim, image[:min(len(image), headBytes)], image[len(image)-tailBytes:]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := inspect(claim, bytes.NewReader(image), int64(len(image))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		virtual, err := inspectors[claim](bytes.NewReader(image), int64(len(image)))
		// A VHD has whole cylinders.
		if err != nil || virtual < 4<<20 || virtual > 4<<20+1<<20 {
			t.Errorf("%s: %d bytes, %v", name, virtual, err)
		}
		for _, wrong := range []Format{Raw, ISO, QCOW2, VMDK, VHD, VHDX, VDI} {
			err := match(wrong, image[:min(len(image), headBytes)], image[len(image)-tailBytes:])
			if wrong != claim && !fault.Is(err, fault.Invalid) {
				t.Errorf("%s passed for %s", name, wrong)
			}
		}
	}
}

// changed gives an image with other bytes at an offset.
func changed(image []byte, at int, with string) []byte {
	other := bytes.Clone(image)
	copy(other[at:], with)
	return other
}

// replaced gives an image in whose text something else stands, of the same length.
func replaced(t *testing.T, image []byte, from, to string) []byte {
	t.Helper()
	if !bytes.Contains(image, []byte(from)) || len(to) > len(from) {
		t.Fatalf("%q cannot be replaced by %q", from, to)
	}
	return bytes.Replace(image, []byte(from), []byte(to+strings.Repeat("\n", len(from)-len(to))), 1)
}

func TestHostileImages(t *testing.T) {
	t.Parallel()
	qcow2, qcow2v2, vmdk := made(t, QCOW2), made(t, QCOW2, "-o", "compat=0.10"), made(t, VMDK)
	vhd, vhdx, vdi := made(t, VHD), made(t, VHDX), made(t, VDI)
	parentOf := bytes.Index(vhdx, vhdxVirtualSize)
	flagsOf := bytes.Index(vhdx, vhdxFileParameters)
	flags := bytes.LastIndex(vhdx[:flagsOf], []byte("metadata")) + int(le.Uint32(vhdx[flagsOf+16:])) + 4
	for name, h := range map[string]struct {
		format Format
		image  []byte
		says   string
	}{
		"backing file":                {QCOW2, changed(qcow2, 8, "\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x0b"), "backing file"},
		"backing file of version 2":   {QCOW2, changed(qcow2v2, 8, "\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x0b"), "backing file"},
		"backing name without offset": {QCOW2, changed(qcow2, 16, "\x00\x00\x00\x0b"), "backing file"},
		"backing file's format":       {QCOW2, changed(qcow2, 112, "\xe2\x79\x2a\xca\x00\x00\x00\x03raw"), "backing file"},
		"data file":                   {QCOW2, changed(qcow2, 72, "\x00\x00\x00\x00\x00\x00\x00\x04"), "external data file"},
		"data file's name alone":      {QCOW2, changed(qcow2, 112, "\x44\x41\x54\x41\x00\x00\x00\x0b/etc/passwd"), "external data file"},
		"data file behind another extension": {QCOW2, changed(qcow2, 112,
			"\x12\x34\x56\x78\x00\x00\x00\x05abcde\x00\x00\x00\x44\x41\x54\x41\x00\x00\x00\x0b/etc/passwd"), "external data file"},
		"extension without end": {QCOW2, changed(qcow2, 112, "\x12\x34\x56\x78\xff\xff\xff\xf0"), "extensions"},
		"unknown feature":       {QCOW2, changed(qcow2, 72, "\x80"), "not known"},
		"encryption":            {QCOW2, changed(qcow2, 35, "\x01"), "encrypted"},
		"version 1":             {QCOW2, changed(qcow2, 7, "\x01"), "version 1"},
		"huge clusters":         {QCOW2, changed(qcow2, 23, "\x3f"), "clusters"},
		"header beyond cluster": {QCOW2, changed(qcow2, 100, "\x7f\xff\xff\xff"), "header"},
		"no size":               {QCOW2, changed(qcow2, 24, strings.Repeat("\x00", 8)), "size"},
		"huge size":             {QCOW2, changed(qcow2, 24, "\xff\xff"), "size"},
		"a header only":         {QCOW2, qcow2[:50], "cut short"},
		"flat extent":           {VMDK, replaced(t, vmdk, `SPARSE "image"`, `FLAT "passwd"`), "another file"},
		"extent by path":        {VMDK, replaced(t, vmdk, `SPARSE "image"`, `SPARSE "/etc"`), "another file"},
		"flat type":             {VMDK, replaced(t, vmdk, "monolithicSparse", "monolithicFlat"), "several files"},
		"split type":            {VMDK, replaced(t, vmdk, "monolithicSparse", "vmfsSparse"), "several files"},
		"two types":             {VMDK, replaced(t, vmdk, "# Disk DescriptorFile", "createType=vmfs"), "several files"},
		"two extents":           {VMDK, replaced(t, vmdk, "# Disk DescriptorFile", `RW 1 SPARSE "x"`), "2 extents"},
		"parent":                {VMDK, replaced(t, vmdk, "# Disk DescriptorFile", `parentFileNameHint=x`), "parent"},
		"parent's id":           {VMDK, replaced(t, vmdk, "parentCID=ffffffff", "parentCID=00000001"), "parent"},
		"no capacity":           {VMDK, changed(vmdk, 12, strings.Repeat("\x00", 8)), "no capacity"},
		"descriptor alone":      {VMDK, []byte("# Disk DescriptorFile\nversion=1\nRW 1 FLAT \"/etc/passwd\" 0\n" + strings.Repeat("\n", 600)), "several files"},
		"old version":           {VMDK, changed(vmdk, 0, "COWD"), "several files"},
		"parent where QEMU looks": {VMDK, func() []byte {
			moved := changed(vmdk, 28, "\x40\x00") // the descriptor that the header names is another
			moved = append(moved[:64*512:64*512], append(bytes.Clone(vmdk[512:21*512]), vmdk[85*512:]...)...)
			return changed(moved, 1000, `parentFileNameHint="/etc/passwd"`)
		}(), "parent"},
		"descriptor beyond the end": {VMDK, changed(vmdk, 28, "\xff\xff\xff\xff"), "descriptor"},
		"differencing vhd":          {VHD, changed(vhd, 60, "\x00\x00\x00\x04"), "type 4"},
		"short vhd":                 {VHD, vhd[:100], "cut short"},
		"differencing vdi":          {VDI, changed(vdi, 76, "\x04"), "type 4"},
		"vdi with a parent":         {VDI, changed(vdi, 440, "\x01"), "parent"},
		"vdi with a link":           {VDI, changed(vdi, 424, "\x01"), "parent"},
		"vhdx with a locator":       {VHDX, changed(vhdx, parentOf, string(vhdxParentLocator)), "parent"},
		"vhdx with a parent":        {VHDX, changed(vhdx, flags, "\x02"), "parent"},
		"vhdx with two tables":      {VHDX, changed(vhdx, vhdxRegions2+16, strings.Repeat("\x00", 64)), "differ"},
		"vhdx without tables":       {VHDX, vhdx[:200<<10], "cut short"},
	} {
		err := inspect(h.format, bytes.NewReader(h.image), int64(len(h.image)))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.MessageOf(err), h.says) {
			t.Errorf("%s: got %v, want it to say %q", name, err, h.says)
		}
	}
}

func TestMatchByBytes(t *testing.T) {
	t.Parallel()
	plain := make([]byte, headBytes)
	iso := changed(plain, isoAt, "CD001")
	footer := changed(make([]byte, tailBytes), 0, "conectix")
	for _, c := range []struct {
		name       string
		claim      Format
		head, tail []byte
		ok         bool
	}{
		{"raw", Raw, plain, nil, true},
		{"short raw", Raw, []byte("x"), nil, true},
		{"iso", ISO, iso, nil, true},
		{"iso called raw", Raw, iso, nil, true},
		{"raw called iso", ISO, plain, nil, false},
		{"raw called qcow2", QCOW2, plain, nil, false},
		{"qcow2 called raw", Raw, changed(plain, 0, "QFI\xfb"), nil, false},
		{"qcow2 in an iso", ISO, changed(iso, 0, "QFI\xfb"), nil, false},
		{"fixed vhd called raw", Raw, plain, footer, false},
		{"fixed vhd", VHD, plain, footer, true},
		{"qed", Raw, changed(plain, 0, "QED\x00"), nil, false},
		{"descriptor called raw", Raw, changed(plain, 0, "# Disk DescriptorFile"), nil, false},
	} {
		if err := match(c.claim, c.head, c.tail); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// FuzzInspect: whatever somebody writes over a good image's headers, a parser says
// no or what it lets through names no other file.
func FuzzInspect(f *testing.F) {
	formats := []Format{QCOW2, VMDK, VHD, VHDX, VDI}
	var images [][]byte
	for i, format := range formats {
		image := made(f, format)
		images = append(images, image)
		f.Add(uint8(i), uint32(0), uint32(len(image)), image[:128])
	}
	f.Add(uint8(1), uint32(512), uint32(1<<20), []byte("# Disk DescriptorFile\ncreateType=\"vmfs\"\nRW 1 FLAT \"/etc/passwd\"\n"))
	f.Add(uint8(3), uint32(vhdxRegions), uint32(1<<30), []byte("regi\x00\x00\x00\x00\xff\xff"))
	f.Fuzz(func(t *testing.T, which uint8, at, cut uint32, over []byte) {
		format, image := formats[int(which)%len(formats)], images[int(which)%len(formats)]
		size := min(int64(cut), int64(len(image)))
		patched := &overlay{image: image[:size], at: int64(at) % int64(len(image)), over: over}
		if err := inspect(format, patched, size); err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%s: %v", format, err)
			}
			return
		}
		if virtual, _ := inspectors[format](patched, size); virtual <= 0 || virtual > maxVirtual {
			t.Fatalf("%s: %d bytes", format, virtual)
		}
		head := make([]byte, vmdkReadByQEMU+vmdkReadBytes)
		n, _ := patched.ReadAt(head, 0)
		if format == QCOW2 && (be.Uint64(head[8:]) != 0 || be.Uint64(head[72:])&qcow2ExternalData != 0 && be.Uint32(head[4:]) == 3) {
			t.Fatal("another file")
		}
		if format == VMDK && bytes.Contains(head[vmdkReadByQEMU:n], []byte("parentFileNameHint")) {
			t.Fatal("a parent")
		}
	})
}

// overlay is an image with something written over a part of it.
type overlay struct {
	image []byte
	at    int64
	over  []byte
}

// ReadAt is io.ReaderAt's.
func (o *overlay) ReadAt(p []byte, at int64) (int, error) {
	n, err := bytes.NewReader(o.image).ReadAt(p, at)
	for i := range n {
		if k := at + int64(i) - o.at; k >= 0 && k < int64(len(o.over)) {
			p[i] = o.over[k]
		}
	}
	return n, err
}
