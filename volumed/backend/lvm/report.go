package lvm

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"clinker/internal/fault"
)

// report is what lvs says of a volume group at one moment.
type report struct {
	totalBytes, freeBytes int64
	missing               int64           // disks of the volume group that are not there
	volumes               []logicalVolume // in the order of names
}

// logicalVolume is one row of the report.
type logicalVolume struct {
	Name        string
	Bytes       int64  // for a thick snapshot the size of its store
	Origin      string // of what it is a snapshot
	OriginBytes int64  // how long a thick snapshot looks
	Pool        string // the thin pool that it lies in
	Layout      string // as "linear" or "thin,pool"
}

// VirtualBytes is how long the volume looks to who opens it.
func (v logicalVolume) VirtualBytes() int64 {
	if v.thickSnapshot() {
		return v.OriginBytes
	}
	return v.Bytes
}

// thickSnapshot: it has an origin and a store of its own.
func (v logicalVolume) thickSnapshot() bool { return v.Origin != "" && v.Pool == "" }

func (r *report) find(name string) (logicalVolume, bool) {
	i, ok := slices.BinarySearchFunc(r.volumes, name, func(v logicalVolume, name string) int {
		return strings.Compare(v.Name, name)
	})
	if !ok {
		return logicalVolume{}, false
	}
	return r.volumes[i], true
}

// columns of the two reports. None of them makes lvs ask the kernel about each
// volume, which would take twice the time; none is of a segment, which would give
// a volume of two segments two rows.
const (
	volumeColumns = "lv_name,lv_size,origin,origin_size,pool_lv,lv_layout,vg_size,vg_free,vg_missing_pv_count"
	groupColumns  = "vg_size,vg_free,vg_extent_size,vg_missing_pv_count,vg_tags,pv_name"
)

var reportFormat = []string{"--reportformat", "json", "--units", "b", "--nosuffix"}

// readReport starts lvs. Of a volume group without volumes that says nothing,
// not even how large it is.
func (g *group) readReport(ctx context.Context) (*report, error) {
	output, err := g.run(ctx, "lvs", append(reportFormat, "-o", volumeColumns, g.name)...)
	if err != nil {
		return nil, err
	}
	r, err := parseVolumes(output)
	if err != nil || len(r.volumes) > 0 {
		return r, err
	}
	whole, err := g.readGroup(ctx)
	return &report{totalBytes: whole.totalBytes, freeBytes: whole.freeBytes, missing: whole.missing}, err
}

// groupReport is what vgs says of a volume group.
type groupReport struct {
	totalBytes, freeBytes, extentBytes int64
	missing                            int64    // disks that are not there
	physical                           []string // paths of its disks
	tags                               []string
}

// readGroup starts vgs.
func (g *group) readGroup(ctx context.Context) (groupReport, error) {
	output, err := g.run(ctx, "vgs", append(reportFormat, "-o", groupColumns, g.name)...)
	if err != nil {
		return groupReport{}, err
	}
	return parseGroup(output)
}

// poolZeroes tells whether a thin pool hands out zeroes.
func (g *group) poolZeroes(ctx context.Context, pool string) (bool, error) {
	output, err := g.run(ctx, "lvs", append(reportFormat, "-o", "zero", g.path(pool))...)
	if err != nil {
		return false, err
	}
	rows, err := parseRows(output, "lv")
	return len(rows) == 1 && rows[0]["zero"] == "zero", err
}

// row is one line of a report; LVM writes every value as a string.
type row map[string]string

func parseRows(output []byte, kind string) (rows []row, err error) {
	var document struct {
		Report []map[string]json.RawMessage `json:"report"`
	}
	if err := json.Unmarshal(output, &document); err != nil {
		return nil, fmt.Errorf("a report of LVM is not to be read: %w", err)
	}
	for _, part := range document.Report {
		if part[kind] == nil {
			continue
		}
		var more []row
		if err := json.Unmarshal(part[kind], &more); err != nil {
			return nil, fmt.Errorf("a report of LVM is not to be read: %w", err)
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// bytes reads a size; the empty text, which LVM writes where there is none, is 0.
func (r row) bytes(column string) (int64, error) {
	if r[column] == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(r[column], 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("a report of LVM has %s %q", column, r[column])
	}
	return n, nil
}

// sizes reads several columns at once.
func (r row) sizes(into map[string]*int64) error {
	for column, n := range into {
		value, err := r.bytes(column)
		if err != nil {
			return err
		}
		*n = value
	}
	return nil
}

func parseVolumes(output []byte) (*report, error) {
	rows, err := parseRows(output, "lv")
	if err != nil {
		return nil, err
	}
	r := &report{}
	for _, row := range rows {
		v := logicalVolume{
			Name: row["lv_name"], Origin: row["origin"], Pool: row["pool_lv"], Layout: row["lv_layout"],
		}
		err := row.sizes(map[string]*int64{
			"lv_size": &v.Bytes, "origin_size": &v.OriginBytes, "vg_size": &r.totalBytes, "vg_free": &r.freeBytes,
			"vg_missing_pv_count": &r.missing,
		})
		if err != nil {
			return nil, err
		}
		if v.Name == "" {
			return nil, fmt.Errorf("a report of LVM has a volume without a name")
		}
		r.volumes = append(r.volumes, v)
	}
	slices.SortFunc(r.volumes, func(a, b logicalVolume) int { return strings.Compare(a.Name, b.Name) })
	r.volumes = slices.CompactFunc(r.volumes, func(a, b logicalVolume) bool { return a.Name == b.Name })
	return r, nil
}

func parseGroup(output []byte) (g groupReport, err error) {
	rows, err := parseRows(output, "vg")
	if err != nil {
		return g, err
	}
	if len(rows) == 0 {
		return g, fault.New(fault.Unavailable, "LVM says nothing of the volume group")
	}
	for _, row := range rows {
		err := row.sizes(map[string]*int64{
			"vg_size": &g.totalBytes, "vg_free": &g.freeBytes, "vg_extent_size": &g.extentBytes,
			"vg_missing_pv_count": &g.missing,
		})
		if err != nil {
			return g, err
		}
		g.physical = append(g.physical, row["pv_name"])
		g.tags = strings.FieldsFunc(row["vg_tags"], func(c rune) bool { return c == ',' })
	}
	if g.extentBytes == 0 {
		return g, fmt.Errorf("a report of LVM has no extent size")
	}
	return g, nil
}
