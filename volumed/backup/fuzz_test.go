package backup

import (
	"bytes"
	"encoding/json"
	"testing"

	"clinker/internal/fault"
)

var fuzzPlace = Place{ID: "3f0b7d52-1f4e-4f35-9b0e-7f6a1f3f6c11", Container: "c"}

func fuzzKeys() keys { return derive(make([]byte, keyBytes)) }

func goodManifest() Manifest {
	return Manifest{
		Place: fuzzPlace, VolumeID: "v", Bytes: 10 << 20, Format: manifestFormat, ChunkBytes: 4 << 20,
		Table: []string{digest{}.String()}, TableBytes: 34, Needs: []Place{fuzzPlace}, Metadata: map[string]string{"a": "b"},
	}
}

// FuzzManifest: nothing that has the right HMAC makes the parser panic, and what it
// accepts can be worked with, and sealed and read again.
func FuzzManifest(f *testing.F) {
	good := goodManifest()
	body, err := json.Marshal(good)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{body, {}, []byte("null"), []byte(`{"format":1,"chunk_bytes":-1}`), []byte(`{"format":1,"bytes":9223372036854775807,"chunk_bytes":65536}`)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := fuzzKeys().open(body, fuzzPlace); err == nil {
			t.Fatal("a manifest without HMAC was believed")
		}
		m, err := parseManifest(body)
		if err != nil {
			if fault.MessageOf(err) == "" {
				t.Fatalf("no sentence: %v", err)
			}
			return
		}
		if n := m.chunks(); n <= 0 || n > maxChunks || m.lengthOf(n-1) <= 0 || m.lengthOf(n-1) > m.ChunkBytes {
			t.Fatalf("%d chunks, the last of %d bytes", n, m.lengthOf(n-1))
		}
		object, err := fuzzKeys().seal(m)
		if err != nil {
			return
		}
		again, err := fuzzKeys().open(object, m.Place)
		if err != nil || again.Bytes != m.Bytes || len(again.Needs) != len(m.Needs) {
			t.Fatalf("%+v %v", again, err)
		}
	})
}

// FuzzTable: what is accepted is within bounds, and comes out again.
func FuzzTable(f *testing.F) {
	table := blankTable(9)
	table[2], table[3], table[8] = entry{owner: 0}, entry{owner: 2, digest: digest{1}}, entry{owner: 1, digest: digest{2}}
	f.Add(encodeTable(table), 9, 3)
	f.Add([]byte{}, 1, 1)
	f.Add(append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0}, make([]byte, 32)...), 4, 1)
	f.Fuzz(func(t *testing.T, data []byte, chunks, owners int) {
		if chunks < 0 || chunks > 1<<12 || owners < 1 {
			return
		}
		table, err := decodeTable(data, int64(chunks), owners)
		if err != nil {
			return
		}
		for _, e := range table {
			if e.owner != hole && (e.owner < 0 || int(e.owner) >= owners) {
				t.Fatalf("owner %d of %d", e.owner, owners)
			}
		}
		again, err := decodeTable(encodeTable(table), int64(chunks), owners)
		if err != nil || len(again) != len(table) {
			t.Fatal(err)
		}
		for i := range table {
			if again[i] != table[i] {
				t.Fatalf("chunk %d is another", i)
			}
		}
	})
}

// FuzzObject: no object is taken for another, and none makes more than a chunk.
func FuzzObject(f *testing.F) {
	const length = 64 << 10
	chunk := bytes.Repeat([]byte("chunk "), length/6+1)[:length]
	k := fuzzKeys()
	want := sum(k.chunks(), chunk)
	for _, compress := range []bool{true, false} {
		c, err := k.newCodec(length, compress)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.Clone(c.encode(chunk)))
		c.close()
	}
	f.Add([]byte{})
	f.Add([]byte{7, 1, 2})
	f.Add(append(bytes.Clone(chunk), 0))
	f.Fuzz(func(t *testing.T, object []byte) {
		c, err := k.newCodec(length, false)
		if err != nil {
			t.Fatal(err)
		}
		defer c.close()
		got, err := c.decode(object, want, make([]byte, 0, length), length)
		if err == nil && !bytes.Equal(got, chunk) {
			t.Fatal("an object passed for another")
		}
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatal(err)
		}
	})
}

// TestChunksRoundTrip: whatever a chunk holds, its object gives it back.
func TestChunksRoundTrip(t *testing.T) {
	t.Parallel()
	k := fuzzKeys()
	c, err := k.newCodec(1<<20, true)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	random := make([]byte, 1<<20)
	h := k.chunks()
	for i := 0; i < len(random); i += 32 {
		d := sum(h, random[max(0, i-64):i])
		copy(random[i:], d[:])
	}
	mixed := append(bytes.Clone(random[:1<<19]), make([]byte, 1<<19)...)
	for name, chunk := range map[string][]byte{
		"random": random, "zeroes": make([]byte, 1<<20), "mixed": mixed, "short": random[:512], "one": random[:1],
	} {
		object := bytes.Clone(c.encode(chunk))
		if len(object) > len(chunk) {
			t.Errorf("%s: %d bytes became %d", name, len(chunk), len(object))
		}
		got, err := c.decode(object, sum(h, chunk), make([]byte, 0, 1<<20), int64(len(chunk)))
		if err != nil || !bytes.Equal(got, chunk) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
