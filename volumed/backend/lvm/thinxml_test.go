package lvm

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

const thinMetadata = `<superblock uuid="" time="2" transaction="3" flags="0" version="2" data_block_size="128" nr_data_blocks="4096">
  <device dev_id="1" mapped_blocks="20" transaction="1" creation_time="0" snap_time="1">
    <range_mapping origin_begin="0" data_begin="0" length="10" time="0"/>
    <single_mapping origin_block="40" data_block="50" time="1"/>
    <range_mapping origin_begin="100" data_begin="100" length="9" time="0"/>
  </device>
  <device dev_id="2" mapped_blocks="20" transaction="2" creation_time="1" snap_time="2">
    <range_mapping origin_begin="0" data_begin="0" length="4" time="0"/>
    <single_mapping origin_block="4" data_block="60" time="2"/>
    <range_mapping origin_begin="5" data_begin="5" length="5" time="0"/>
    <single_mapping origin_block="41" data_block="61" time="2"/>
    <range_mapping origin_begin="100" data_begin="100" length="9" time="0"/>
  </device>
</superblock>
`

// TestParseThin reads what the tools themselves say of such metadata.
func TestParseThin(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text, metadata := filepath.Join(dir, "text"), filepath.Join(dir, "metadata")
	if err := os.WriteFile(text, []byte(thinMetadata), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(metadata, make([]byte, 4<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, "thin_restore", "-i", text, "-o", metadata)
	const block = 64 << 10
	for _, c := range []struct {
		output []byte
		want   []backend.Stretch
	}{
		{tool(t, "thin_delta", "--thin1", "1", "--thin2", "2", metadata), []backend.Stretch{{Start: 4 * block, Bytes: block}, {Start: 40 * block, Bytes: 2 * block}}},
		{tool(t, "thin_delta", "--thin1", "1", "--thin2", "1", metadata), nil},
		{tool(t, "thin_dump", "--dev-id", "2", metadata), []backend.Stretch{{Start: 0, Bytes: 10 * block}, {Start: 41 * block, Bytes: block}, {Start: 100 * block, Bytes: 9 * block}}},
	} {
		got, err := parseThin(c.output)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s\ngot %v %v, want %v", c.output, got, err, c.want)
		}
		if _, err := parseThin(c.output[:len(c.output)/2]); !fault.Is(err, fault.Unsupported) {
			t.Errorf("half of it: %v", err)
		}
	}
}

func tool(t *testing.T, args ...string) []byte {
	t.Helper()
	output, err := exec.Command("/usr/sbin/"+args[0], args[1:]...).Output()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return output
}

// FuzzParseThin: what is accepted lies in the volume's bytes, in order or not.
func FuzzParseThin(f *testing.F) {
	f.Add([]byte(thinMetadata))
	f.Add([]byte(`<superblock data_block_size="128"><diff left="1" right="2"><different begin="4" length="1"/></diff></superblock>`))
	f.Add([]byte(`<superblock data_block_size="99999999999"/>`))
	f.Fuzz(func(t *testing.T, output []byte) {
		all, err := parseThin(output)
		if err != nil && !fault.Is(err, fault.Unsupported) {
			t.Fatal(err)
		}
		for _, s := range all {
			if s.Start < 0 || s.Bytes <= 0 || s.Start+s.Bytes < 0 {
				t.Fatalf("%+v", s)
			}
		}
	})
}
