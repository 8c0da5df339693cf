package lvm

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"

	"clinker/internal/fault"
	"clinker/volumed/backend"
)

// parseThin reads what thin_delta and thin_dump write: stretches of blocks that are
// different, or in one of two volumes only, or mapped at all. Unsupported for what
// is not whole, as when there was too much of it to keep.
func parseThin(output []byte) (all []backend.Stretch, err error) {
	unclear := fault.New(fault.Unsupported, "what the thin pool's tools say is not understood, or too long")
	blockBytes, depth := int64(0), 0
	for d := xml.NewDecoder(bytes.NewReader(output)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && depth == 0 && blockBytes > 0 {
			return all, nil
		}
		if err != nil {
			return nil, unclear
		}
		switch e := token.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			depth++
			if e.Name.Local == "superblock" {
				if blockBytes = 512 * number(e, "data_block_size"); blockBytes <= 0 || blockBytes > 1<<30 {
					return nil, unclear
				}
				continue
			}
			start, blocks, ok := stretch(e)
			if !ok {
				return nil, unclear
			}
			if n := len(all); n > 0 && blocks > 0 && start*blockBytes < all[n-1].Start+all[n-1].Bytes {
				return nil, unclear // they come in order
			}
			if blocks > 0 {
				all = extend(all, start*blockBytes, blocks*blockBytes)
			}
		}
	}
}

// maxBlock keeps a number of blocks, in bytes, within 63 bits.
const maxBlock = 1 << 32

// stretch gives the blocks that an element is about, none for those that say nothing
// of a difference; false when its numbers make no sense.
func stretch(e xml.StartElement) (start, blocks int64, ok bool) {
	switch e.Name.Local {
	case "different", "left_only", "right_only":
		start, blocks = number(e, "begin"), number(e, "length")
	case "range_mapping":
		start, blocks = number(e, "origin_begin"), number(e, "length")
	case "single_mapping":
		start, blocks = number(e, "origin_block"), 1
	case "diff", "device", "same":
		return 0, 0, true
	}
	return start, blocks, start >= 0 && start < maxBlock && blocks > 0 && blocks < maxBlock
}

// number reads an attribute, -1 when it is none.
func number(e xml.StartElement, name string) int64 {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			if n, err := strconv.ParseInt(a.Value, 10, 64); err == nil {
				return n
			}
		}
	}
	return -1
}

// extend adds a stretch, to the last one if it begins where that ends.
func extend(all []backend.Stretch, start, bytes int64) []backend.Stretch {
	if n := len(all); n > 0 && all[n-1].Start+all[n-1].Bytes == start {
		all[n-1].Bytes += bytes
		return all
	}
	return append(all, backend.Stretch{Start: start, Bytes: bytes})
}
