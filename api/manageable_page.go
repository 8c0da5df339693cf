package api

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"clinker/db"
	"clinker/internal/fault"
)

// manageablePage is what part of a list is wanted, in which order. The list
// comes from nodes, so that no database can do it.
type manageablePage struct {
	marker        string // a reference, as JSON
	limit, offset int
	sort          []db.Sort
}

// manageableSort reads the order: by reference or size, as Cinder downwards
// unless told otherwise.
func manageableSort(query url.Values) ([]db.Sort, error) {
	if !query.Has("sort") && query.Get("sort_key") == "" {
		query = url.Values{"sort": {"reference:" + query.Get("sort_dir")}}
	}
	sorts, err := sortKeys(query, nil)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(query.Get("sort")+query.Get("sort_key"), "created_at") {
		sorts = sorts[:len(sorts)-1] // a key that tables have, and this list has not
	}
	var wrong []string
	for _, s := range sorts {
		if s.Key != "reference" && s.Key != "size" {
			wrong = append(wrong, s.Key)
		}
	}
	if len(wrong) > 0 {
		return nil, fault.New(fault.Invalid, "Invalid sort keys passed: %s", strings.Join(wrong, ", "))
	}
	return sorts, nil
}

// cut sorts all and gives the page; Invalid when there is no such marker.
func (p manageablePage) cut(all []manageableView) ([]manageableView, error) {
	slices.SortStableFunc(all, p.compare)
	begin := 0
	if p.marker != "" {
		var marker map[string]string
		if json.Unmarshal([]byte(p.marker), &marker) != nil {
			return nil, fault.New(fault.Invalid, "Invalid input received: marker %s can not be analysed, please use json like format", p.marker)
		}
		at := slices.IndexFunc(all, func(m manageableView) bool { return len(marker) == 1 && m.Reference == marker["source-name"] })
		if at < 0 {
			return nil, fault.New(fault.Invalid, "Invalid input received: marker not found: %s", p.marker)
		}
		begin = at + 1
	}
	begin = min(begin+p.offset, len(all))
	return all[begin:min(begin+p.limit, len(all))], nil
}

func (p manageablePage) compare(a, b manageableView) int {
	for _, s := range p.sort {
		order := cmp.Compare(a.Reference, b.Reference)
		if s.Key == "size" {
			order = cmp.Compare(a.Bytes, b.Bytes)
		}
		if s.Desc {
			order = -order
		}
		if order != 0 {
			return order
		}
	}
	return cmp.Compare(a.Reference, b.Reference)
}
