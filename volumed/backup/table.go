package backup

import (
	"encoding/binary"
)

// entry says what one chunk holds.
type entry struct {
	digest digest
	owner  int32 // which of the owners has the object; hole for zeroes, which have none
}

const hole = -1

// blankTable is one of holes only.
func blankTable(chunks int64) []entry {
	t := make([]entry, chunks)
	for i := range t {
		t[i].owner = hole
	}
	return t
}

// encodeTable writes the chunks that are no holes, in their order: how many holes
// come before it, the owner (both as uvarint of encoding/binary), the digest.
func encodeTable(table []entry) []byte {
	var out []byte
	gap := uint64(0)
	for i := range table {
		if table[i].owner == hole {
			gap++
			continue
		}
		out = binary.AppendUvarint(out, gap)
		out = binary.AppendUvarint(out, uint64(table[i].owner))
		out = append(out, table[i].digest[:]...)
		gap = 0
	}
	return out
}

// decodeTable reads what encodeTable wrote.
func decodeTable(data []byte, chunks int64, owners int) ([]entry, error) {
	table, at := blankTable(chunks), uint64(0)
	for len(data) > 0 {
		gap, n := binary.Uvarint(data)
		if n <= 0 {
			return nil, badTable
		}
		data = data[n:]
		owner, n := binary.Uvarint(data)
		if n <= 0 || owner >= uint64(owners) {
			return nil, badTable
		}
		data = data[n:]
		if left := uint64(chunks) - at; gap >= left || len(data) < len(digest{}) {
			return nil, badTable
		}
		at += gap
		table[at].owner = int32(owner)
		data = data[copy(table[at].digest[:], data):]
		at++
	}
	return table, nil
}

var badTable = damaged("its table cannot be read")
