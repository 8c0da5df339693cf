package api

import (
	"encoding/json"
	"os"

	"clinker/internal/fault"
)

// LoadFilters reads a resource_query_filters_file, a JSON object of lists; ""
// gives Cinder's own set. Invalid when it cannot be read.
func LoadFilters(path string) (Filters, error) {
	if path == "" {
		return defaultFilters(), nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "resource_query_filters_file cannot be read")
	}
	var filters Filters
	if err := json.Unmarshal(raw, &filters); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "resource_query_filters_file %s must be a JSON object of lists of names", path)
	}
	return filters, nil
}
