package api

import (
	"strings"
	"time"

	"clinker/db"
	"clinker/internal/fault"
)

// timeOperators are the comparisons of created_at and updated_at (3.60).
var timeOperators = map[string]string{
	"gt": ">", "gte": ">=", "eq": "=", "neq": "<>", "lt": "<", "lte": "<=",
}

// timeFilter reads op:time[,op:time], or a time alone, which means eq.
func timeFilter(column string) func(*Call, string) ([]db.Condition, error) {
	return func(_ *Call, value string) ([]db.Condition, error) {
		var all []db.Condition
		for part := range strings.SplitSeq(value, ",") {
			operator, text, hasOperator := strings.Cut(part, ":")
			if !hasOperator || timeOperators[operator] == "" {
				operator, text = "eq", part
			}
			at, err := isoTime(text)
			if err != nil {
				return nil, fault.Wrap(err, fault.Invalid, "Invalid input received: filter %s must be a time such as gte:2026-01-02T15:04:05, but is '%s'.", column, part)
			}
			all = append(all, db.VolumeTime(column, timeOperators[operator], at))
		}
		return all, nil
	}
}

// isoTime reads ISO 8601; without a zone it is UTC.
func isoTime(text string) (time.Time, error) {
	var first error
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		at, err := time.Parse(layout, text)
		if err == nil {
			return at, nil
		}
		if first == nil {
			first = err
		}
	}
	return time.Time{}, first
}
