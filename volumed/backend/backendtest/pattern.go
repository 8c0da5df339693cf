package backendtest

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"sync/atomic"
)

const (
	sector = 512     // bytes; the smallest piece that a device writes
	buffer = 1 << 20 // bytes; how much is read and written at once
)

// mark begins every sector that the suite writes.
var mark = []byte("clinker backendtest: a tenant's secret bytes; ")

var patterns atomic.Uint64

// pattern is a content that no other call of newPattern gives; every sector of
// it is different.
type pattern uint64

func newPattern() pattern { return pattern(patterns.Add(1)) }

// fill puts the pattern's bytes from that offset into b; both are whole sectors.
func (n pattern) fill(b []byte, offset int64) {
	for i := 0; i < len(b); i += sector {
		s := b[i : i+sector]
		at := copy(s, mark)
		binary.BigEndian.PutUint64(s[at:], uint64(n))
		binary.BigEndian.PutUint64(s[at+8:], uint64(offset)+uint64(i))
		for filled := at + 16; filled < sector; filled *= 2 {
			copy(s[filled:], s[:filled])
		}
	}
}

// write puts the pattern into a part of the volume and makes it durable.
func (p *pool) write(name string, n pattern, offset, size int64) {
	p.Helper()
	f := p.open(name)
	defer f.Close()
	p.writeTo(f, n, offset, size)
}

func (p *pool) writeTo(f *os.File, n pattern, offset, size int64) {
	p.Helper()
	b := make([]byte, buffer)
	for at := offset; at < offset+size; {
		piece := b[:min(buffer, offset+size-at)]
		n.fill(piece, at)
		_, err := f.WriteAt(piece, at)
		p.ok(err)
		at += int64(len(piece))
	}
	p.ok(f.Sync())
}

// holds checks that a part of the volume reads as the pattern.
func (p *pool) holds(name string, n pattern, offset, size int64) {
	p.Helper()
	want := make([]byte, buffer)
	p.each(name, offset, size, func(got []byte, at int64) {
		p.Helper()
		n.fill(want[:len(got)], at)
		if !bytes.Equal(got, want[:len(got)]) {
			p.Fatalf("%s: the megabyte at %d is not what was written", name, at)
		}
	})
}

// blank checks that nobody's bytes show in a part of the volume; a pool that
// promises zeroes must give zeroes.
func (p *pool) blank(name string, offset, size int64) {
	p.Helper()
	zeroes := make([]byte, buffer)
	promised := p.zeroes()
	p.each(name, offset, size, func(got []byte, at int64) {
		p.Helper()
		if bytes.Contains(got, mark) {
			p.Fatalf("%s: old bytes of another volume show in the megabyte at %d", name, at)
		}
		if promised && !bytes.Equal(got, zeroes[:len(got)]) {
			p.Fatalf("%s: the megabyte at %d does not read as zeroes", name, at)
		}
	})
}

// each reads a part of the volume piece by piece.
func (p *pool) each(name string, offset, size int64, look func(got []byte, at int64)) {
	p.Helper()
	f := p.open(name)
	defer f.Close()
	b := make([]byte, buffer)
	for at := offset; at < offset+size; {
		piece := b[:min(buffer, offset+size-at)]
		_, err := f.ReadAt(piece, at)
		p.ok(err)
		look(piece, at)
		at += int64(len(piece))
	}
}

// length is the device's size in bytes, as who opens it finds it.
func (p *pool) length(name string) int64 {
	p.Helper()
	f := p.open(name)
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	p.ok(err)
	return size
}
